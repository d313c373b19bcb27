"""`manage.py write_key NAME`: make a write key and print it, alone, on stdout."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from customers import tracking_api
from customers.models import WriteKey


class Command(BaseCommand):
    help = "Make a write key for the Segment API and print it. It cannot be read again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="where the events will come from")

    def handle(self, *args: Any, **options: Any) -> None:
        name = options["name"].strip()
        longest = WriteKey._meta.get_field("name").max_length or 0
        if not 0 < len(name) <= longest:
            raise CommandError(f"Give a name of 1 to {longest} characters.")
        _key, text = tracking_api.issue_key(name)
        self.stdout.write(text)
