"""The experiment that a campaign is: what its variants and its holdout came to, person by person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from analytics.experiments import cuped
from analytics.experiments.arms import Mean, Measure, Rate
from analytics.experiments.cuped import Before
from analytics.experiments.report import HOLDOUT, Report, report
from customers import events
from marketing.models import Campaign, CampaignExecution

METRICS = ("open", "click", "visit", "conversion", "revenue")
OF_MESSAGES = {"open", "click"}
"""What only somebody who got a message can do: the holdout is no arm then."""

BEFORE = timedelta(days=90)
"""Orders so long before the first run are what CUPED knows of people."""

# by the person: those held back have no message, so both are looked at from the beginning of the first run
_PEOPLE = f"""
    SELECT message.customer_id,
           CASE WHEN message.skip_reason = '{HOLDOUT}' THEN '{HOLDOUT}'
                ELSE coalesce(nullif(max(message.variant), ''), %(plain)s) END AS arm,
           array_agg(message.id) AS messages,
           bool_or(message.opened_at IS NOT NULL) AS opened,
           bool_or(message.clicked_at IS NOT NULL) AS clicked,
           bool_or(message.converted_at IS NOT NULL) AS converted,
           sum(message.revenue) AS revenue
    FROM marketing_campaignexecution message
    JOIN marketing_campaignrun run ON run.id = message.run_id
    WHERE run.campaign_id = %(campaign)s
      AND message.skip_reason IN ('', '{HOLDOUT}') AND message.state NOT IN ('pending', 'sending', 'retry')
    GROUP BY message.customer_id, message.skip_reason
"""
_ORDERED = """(
    SELECT {what} FROM customers_order bought
    WHERE bought.customer_id = people.customer_id
      AND bought.placed_at >= %(start)s AND bought.placed_at < %(end)s
)"""
_VISITED = f"""EXISTS (
    SELECT FROM customers_interaction page
    WHERE page.customer_id = people.customer_id AND page.type = '{events.PAGE_VIEWED}' AND {{when}}
)"""
_BY_MESSAGE = "page.execution_id = ANY (people.messages)"
_IN_TIME = "page.occurred_at >= %(start)s AND page.occurred_at < %(end)s"
_SPENT_BEFORE = """(
    SELECT coalesce(sum(earlier.amount), 0) FROM customers_order earlier
    WHERE earlier.customer_id = people.customer_id
      AND earlier.placed_at >= %(before)s AND earlier.placed_at < %(start)s
)"""


@dataclass(frozen=True, slots=True)
class Experiment:
    """`adjusted` is the report on revenue with what people spent before taken out; None where that is not known, or not asked."""

    report: Report
    adjusted: Report | None = None
    variance_reduction: float = 0.0


def experiment(campaign: Campaign, metric: str) -> Experiment:
    """What the arms of a campaign came to by one of METRICS.

    Conversions and revenue are those credited to messages; where people were held back, they are all orders of either within the goal's
    window, since nobody clicks on a message that was not sent. Raises ValueError for another metric.
    """
    if metric not in METRICS:
        raise ValueError(_("No metric is called “%s”.") % metric)
    rows = _rows(campaign, metric)
    measures = {row[0]: _measure(row, metric) for row in rows}
    options: dict[str, Any] = {"shares": _shares(campaign, measures), "is_over": _is_over(campaign)}
    plain = report(metric, measures, **options)
    if metric != "revenue" or len(rows) < 2:
        return Experiment(plain)
    means = [measure for measure in measures.values() if isinstance(measure, Mean)]
    quieter = cuped.adjusted(means, [Before(*map(float, row[5:8])) for row in rows])
    noise = sum(mean.variance for mean in means)
    reduction = 1 - sum(mean.variance for mean in quieter) / noise if noise else 0.0
    if reduction <= 0:
        return Experiment(plain)
    return Experiment(
        plain, report(metric, dict(zip(measures, quieter, strict=True)), **options), reduction
    )


def is_experiment(campaign: Campaign) -> bool:
    """Whether there is more than one arm: variants, or people held back."""
    if campaign.holdout_percent or campaign.variants.exists():
        return True
    messages = CampaignExecution.objects.filter(run__campaign=campaign)
    return campaign.historical and messages.exclude(variant="").exists()


def _rows(campaign: Campaign, metric: str) -> list[tuple[Any, ...]]:
    """Of each arm: name, people, how many did it, mean and variance, and mean, variance and covariance of what they spent before."""
    start = (
        campaign.runs.filter(started_at__isnull=False)
        .order_by("started_at")
        .values_list("started_at", flat=True)
        .first()
    ) or timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH people AS MATERIALIZED ({_PEOPLE}),
            outcomes AS (
                SELECT arm, ({_outcome(campaign, metric)})::float8 AS outcome,
                       ({_SPENT_BEFORE if metric == "revenue" else "0"})::float8 AS before
                FROM people
            )
            SELECT arm, count(*), count(*) FILTER (WHERE outcome <> 0), avg(outcome), coalesce(var_samp(outcome), 0),
                   avg(before), coalesce(var_samp(before), 0), coalesce(covar_samp(outcome, before), 0)
            FROM outcomes GROUP BY arm
            """,
            {
                "campaign": campaign.pk,
                "plain": _("message"),
                "start": start,
                "end": start + timedelta(days=campaign.goal_window_days),
                "before": start - BEFORE,
            },
        )
        rows = cursor.fetchall()
    wanted = [row for row in rows if row[0] != HOLDOUT or metric not in OF_MESSAGES]
    return sorted(wanted, key=_order(campaign))


def _outcome(campaign: Campaign, metric: str) -> str:
    by_orders = campaign.holdout_percent > 0 and not campaign.historical
    return {
        "open": "opened::int",
        "click": "clicked::int",
        "visit": f"({_VISITED.format(when=_BY_MESSAGE if campaign.historical else _IN_TIME)})::int",
        "conversion": f"({_ORDERED.format(what='count(*) > 0')})::int"
        if by_orders
        else "converted::int",
        "revenue": _ORDERED.format(what="coalesce(sum(bought.amount), 0)")
        if by_orders
        else "revenue",
    }[metric]


def _measure(row: Sequence[Any], metric: str) -> Measure:
    _arm, customers, count, value, variance, *_before = row
    if metric == "revenue":
        return Mean(customers, count, float(value), float(variance))
    return Rate(customers, count)


def _order(campaign: Campaign) -> Any:
    """Variants as they were declared, those that nobody declared by name, the holdout last."""
    declared = {
        name: at for at, name in enumerate(campaign.variants.values_list("name", flat=True))
    }
    return lambda row: (row[0] == HOLDOUT, declared.get(row[0], len(declared)), row[0])


def _shares(campaign: Campaign, measures: dict[str, Measure]) -> dict[str, float] | None:
    """Which parts of the audience the arms were to get: None where nobody said, empty where that changed under way."""
    if campaign.historical:
        return None
    if campaign.winner_by:
        return {}
    weights = dict(campaign.variants.values_list("name", "weight")) or {_("message"): 1}
    held_back = float(campaign.holdout_percent) / 100
    parts = {name: (1 - held_back) * each / sum(weights.values()) for name, each in weights.items()}
    shares = {**parts, HOLDOUT: held_back}
    known = {name: shares[name] for name in measures if shares.get(name)}
    return known if len(known) == len(measures) else {}


def _is_over(campaign: Campaign) -> bool:
    """Whether nothing more will come: then the result is looked at once, and not again and again."""
    if campaign.historical:
        return True
    window = timedelta(days=campaign.goal_window_days)
    return bool(campaign.completed_at and campaign.completed_at + window < timezone.now())
