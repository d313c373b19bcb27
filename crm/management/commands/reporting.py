"""Create the views for analysts, and let a role of PostgreSQL read them."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import ProgrammingError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm import reporting


class Command(BaseCommand):
    help = gettext_lazy(  # type: ignore[assignment]
        "Recreate the views of the schema “reporting”, which a role of PostgreSQL may read, and no tables."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--role", help=_("the role, created without a password if it is new"))
        parser.add_argument(
            "--personal-data",
            action="store_true",
            help=_("let the role read names, addresses and attributes, too"),
        )
        parser.add_argument(
            "--revoke", action="store_true", help=_("take from the role what it may read")
        )
        parser.add_argument(
            "--drop", action="store_true", help=_("delete the views, before an upgrade")
        )

    def handle(
        self,
        *args: Any,
        role: str | None,
        personal_data: bool,
        revoke: bool,
        drop: bool,
        **options: Any,
    ) -> None:
        if role is None and (personal_data or revoke):
            raise CommandError(_("Name the role with --role."))
        try:
            if drop:
                reporting.drop_views()
                return
            reporting.create_views()
            if role and revoke:
                reporting.stop_reading(role)
            elif role:
                reporting.let_read(role, personal_data=personal_data)
        except ProgrammingError as refused:
            raise CommandError(
                _("PostgreSQL refused: %s Run this as a user with CREATEROLE.") % refused
            ) from refused
        names = ", ".join(f"{reporting.SCHEMA}.{view.name}" for view in reporting.VIEWS)
        self.stdout.write(_("Created %s.") % names)
        if role and not revoke:
            self.stdout.write(_("Set its password: ALTER ROLE %s PASSWORD '…';") % role)
