"""Seal the secrets of all senders with the newest SECRET_KEY, so that an old one can go."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from marketing.sending import sender_accounts


class Command(BaseCommand):
    help = "Seal the secrets of senders with today's SECRET_KEY; those of SECRET_KEY_FALLBACKS are read with."

    def handle(self, *args: Any, **options: Any) -> None:
        done, unreadable = sender_accounts.reseal()
        self.stdout.write(f"{done} senders are sealed with today's SECRET_KEY.")
        if unreadable:
            raise CommandError(
                f"Their secrets cannot be read, give them anew: {', '.join(unreadable)}"
            )
