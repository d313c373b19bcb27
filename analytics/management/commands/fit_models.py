"""Fit the predictive models as of any day, and print their quality."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analytics.days import as_of
from analytics.lifetime import DAYS_A_WEEK, purchases
from analytics.people import Models, fit_models


class Command(BaseCommand):
    help = gettext_lazy(  # type: ignore[assignment]
        "Fit the models of purchases, spend and churn, and print their parameters and quality; profiles do not change."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--until", type=_day, default=None, help=_("the last day of the data"))
        parser.add_argument(
            "--forecast", type=int, default=0, metavar="WEEKS",
            help=_("also print the expected and the actual purchases of the weeks after"),
        )  # fmt: skip

    def handle(self, *args: Any, until: date | None, forecast: int, **options: Any) -> None:
        until = until or as_of()
        runs = fit_models(until)
        for run in runs:
            self.stdout.write(f"{run.get_kind_display()}: {run.customers}")
            for figures in (run.parameters, run.quality):
                self.stdout.write(f"  {json.dumps(figures)}")
        model = Models.of(runs, until).purchases
        if not forecast:
            return
        if model is None:
            raise CommandError(_("There are too few purchases for a forecast."))
        known = purchases(until)
        later = purchases(date.fromordinal(until.toordinal() + forecast * DAYS_A_WEEK))
        actual = later.history.repeats[later.customers.searchsorted(known.customers)].sum()
        self.stdout.write(
            _("The next %(weeks)s weeks: %(expected).0f purchases expected, %(actual).0f actual.")
            % {
                "weeks": forecast,
                "expected": model.purchases(known.history, forecast).sum(),
                "actual": actual - known.history.repeats.sum(),
            }
        )


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise CommandError(_("“%s” is not a date. Use the form 2025-12-31.") % text) from None
