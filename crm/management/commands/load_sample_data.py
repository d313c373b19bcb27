"""Fill an empty database with sample data, and the accounts to look at it with."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.demo import sample_data


class Command(BaseCommand):
    help = gettext_lazy(  # type: ignore[assignment]
        "Fill an empty database with a small shop, campaigns in every state and two accounts; a filled one stays as it is."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--made-up",
            type=int,
            default=0,
            metavar="NUMBER",
            help=_("number of made-up customers, with 18 months of orders and visits"),
        )

    def handle(self, *args: Any, made_up: int, **options: Any) -> None:
        if sample_data.is_there():
            self.stdout.write(_("The sample data is there already."))
            return
        if sample_data.has_other_data():
            self.stdout.write(_("There is other data in this database, so it gets no sample data."))
            return
        sample_data.load(made_up=made_up)
        self.stdout.write(_("Sample data loaded. Sign in with one of the demo's accounts:"))
        for email, password, _name, is_superuser in sample_data.ACCOUNTS:
            role = _("administrator") if is_superuser else _("marketing")
            self.stdout.write(f"  {email} / {password} ({role})")
        self.stdout.write(
            _("Their passwords are public: never load sample data on a site that others can reach.")
        )
