"""The models of people on the orders that there are, as of any day."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analytics.commerce import as_of
from analytics.lifetime.purchases import DAYS_A_WEEK, purchases
from analytics.people import predictions
from analytics.people.predictions import Models


class Command(BaseCommand):
    help = gettext_lazy(  # type: ignore[assignment]
        "Fit the models of buying, spending and leaving, and print their parameters and quality; profiles stay as they are."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--until", type=_day, default=None, help=_("the last day to look at"))
        parser.add_argument(
            "--forecast", type=int, default=0, metavar="WEEKS",
            help=_("also say how many purchases are expected in the weeks after, and how many there were"),
        )  # fmt: skip

    def handle(self, *args: Any, until: date | None, forecast: int, **options: Any) -> None:
        until = until or as_of()
        runs = predictions.fit(until)
        for run in runs:
            self.stdout.write(f"{run.get_kind_display()}: {run.customers}")
            for kept in (run.parameters, run.quality):
                self.stdout.write(f"  {json.dumps(kept)}")
        model = Models.of(runs, until).buying
        if not forecast:
            return
        if model is None:
            raise CommandError(_("There are too few purchases to foretell any."))
        known = purchases(until)
        later = purchases(date.fromordinal(until.toordinal() + forecast * DAYS_A_WEEK))
        happened = later.history.repeats[_same(known.customers, later.customers)].sum()
        self.stdout.write(
            _(
                "The next %(weeks)s weeks: %(expected).0f purchases expected, %(happened).0f happened."
            )
            % {
                "weeks": forecast,
                "expected": model.purchases(known.history, forecast).sum(),
                "happened": happened - known.history.repeats.sum(),
            }
        )


def _same(known: Any, later: Any) -> Any:
    """Where those who were known stand among those of later, who are all of them and more."""
    return later.searchsorted(known)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise CommandError(_("“%s” is not a day such as 2025-12-31.") % text) from None
