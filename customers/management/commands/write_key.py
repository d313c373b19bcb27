"""`manage.py write_key NAME [--browser]`: create a write key and print it, with the signing secret of a browser key on a second line."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from customers import tracking_api
from customers.models import WriteKey


class Command(BaseCommand):
    help = "Create a write key for the Segment API and print it. It cannot be read again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="where the events will come from")
        parser.add_argument(
            "--browser",
            action="store_true",
            help="for pages and apps, where visitors can read the key; a second line has the secret that signs user ids",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        name = options["name"].strip()
        longest = WriteKey._meta.get_field("name").max_length or 0
        if not 0 < len(name) <= longest:
            raise CommandError(f"Give a name of 1 to {longest} characters.")
        kind = WriteKey.Kind.BROWSER if options["browser"] else WriteKey.Kind.SERVER
        key, text = tracking_api.issue_key(name, kind)
        self.stdout.write(text)
        if secret := tracking_api.secret_of(key):
            self.stdout.write(secret)
