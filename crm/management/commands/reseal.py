"""Encrypt all stored secrets with the newest SECRET_KEY, so that older keys are no longer needed for them."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from crm import credentials
from customers import consent


class Command(BaseCommand):
    help = "Encrypt all stored secrets with today's SECRET_KEY; those of SECRET_KEY_FALLBACKS only decrypt."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--forget-erasures",
            action="store_true",
            help="Start a new list of erased people, because the key of the old one is lost: those people can be imported again.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["forget_erasures"]:
            consent.forget_all_erased()
        done, unreadable = credentials.reseal_all()
        self.stdout.write(f"{done} secrets are encrypted with today's SECRET_KEY.")
        if unreadable:
            names = ", ".join(f"{row._meta.verbose_name} {row}" for row in unreadable)
            raise CommandError(
                f"Another SECRET_KEY encrypted these; add it to SECRET_KEY_FALLBACKS, or enter the secrets again: {names}"
            )
