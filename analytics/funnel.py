"""The way from the audience to the order, step by step, with how many went on at each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from django.db.models import QuerySet, Sum
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from analytics import metrics
from analytics.metrics import Totals
from marketing.models import CampaignRun


@dataclass(frozen=True, slots=True)
class Step:
    """`of_previous` and `of_first` are fractions; None where the step before is empty. `share` is the width of a bar, 0 to 1.

    `median` is how long people took from the step before, where that is known.
    """

    key: str
    label: str | Promise
    count: int
    of_previous: Decimal | None
    of_first: Decimal | None
    median: timedelta | None = None

    @property
    def share(self) -> Decimal:
        return min(self.of_first or Decimal(0), Decimal(1))


def funnel(runs: QuerySet[CampaignRun], totals: Totals | None = None) -> list[Step]:
    """The steps of these runs: audience, sent, delivered, opened, clicked, converted.

    Who is in the audience is known once a run has collected it; until then the audience is at least what was sent.
    """
    done = totals or metrics.totals(runs)
    audience: int = runs.aggregate(people=Sum("audience"))["people"] or 0
    return steps_of_counts([("audience", _("Audience"), max(audience, done.sent)), *_counted(done)])


def steps_of(totals: Totals) -> list[Step]:
    """The steps from sent on, for sums that belong to no whole run, such as those of some days."""
    return steps_of_counts(_counted(totals))


def steps_of_counts(counted: Sequence[tuple[str, str | Promise, int]]) -> list[Step]:
    """The steps by key, name and how many came to each."""
    steps: list[Step] = []
    for key, label, count in counted:
        before, first = (steps[-1].count, steps[0].count) if steps else (0, 0)
        steps.append(Step(key, label, count, _of(count, before), _of(count, first or count)))
    return steps


def _counted(done: Totals) -> list[tuple[str, str | Promise, int]]:
    """Delivered is Totals.arrived, so that the step is there for providers that report no deliveries."""
    return [
        ("sent", _("Sent"), done.sent),
        ("delivered", _("Delivered"), done.arrived),
        ("opened", _("Opened"), done.opened),
        ("clicked", _("Clicked"), done.clicked),
        ("converted", _("Converted"), done.converted),
    ]


def _of(part: int, whole: int) -> Decimal | None:
    return Decimal(part) / Decimal(whole) if whole else None
