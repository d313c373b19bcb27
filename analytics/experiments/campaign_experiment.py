"""Evaluate a campaign as an experiment: the outcomes of its variants and its holdout, customer by customer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from analytics.experiments.report import HOLDOUT, Report, report
from customers.timeline import types
from marketing.models import Campaign, CampaignExecution
from marketing.statistics import Before, Mean, Measure, Rate, adjusted

METRICS = ("open", "click", "visit", "conversion", "revenue")
OF_MESSAGES = {"open", "click"}
"""Metrics of messages, in which the holdout is no arm."""

BEFORE = timedelta(days=90)
"""CUPED adjusts for orders placed this long before the first run."""

# by customer; the holdout has no messages, so outcomes of all arms count from the start of the first run
_RECIPIENTS = f"""
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
    WHERE bought.customer_id = recipients.customer_id
      AND bought.placed_at >= %(start)s AND bought.placed_at < %(end)s
)"""
_HAS_ORDERED = "count(*) FILTER (WHERE bought.kind = 'order') > 0"
_VISITED = f"""EXISTS (
    SELECT FROM customers_interaction page
    WHERE page.customer_id = recipients.customer_id AND page.type = '{types.PAGE_VIEWED}' AND {{when}}
)"""
_BY_MESSAGE = "page.execution_id = ANY (recipients.messages)"
_IN_TIME = "page.occurred_at >= %(start)s AND page.occurred_at < %(end)s"
_SPENT_BEFORE = """(
    SELECT coalesce(sum(earlier.net), 0) FROM customers_order earlier
    WHERE earlier.customer_id = recipients.customer_id
      AND earlier.placed_at >= %(before)s AND earlier.placed_at < %(start)s
)"""


@dataclass(frozen=True, slots=True)
class Experiment:
    """`adjusted` is the report on revenue adjusted for earlier spend (CUPED); None for other metrics, or without a gain.

    `empty` names the arms without customers, which no statistic can judge.
    """

    report: Report
    adjusted: Report | None = None
    variance_reduction: float = 0.0
    empty: tuple[str, ...] = ()


def experiment(campaign: Campaign, metric: str) -> Experiment:
    """Compare the arms of a campaign by one of METRICS.

    Conversions and revenue are those attributed to messages. With a holdout they are all orders within the goal's window, of recipients
    and holdout alike, since the holdout has no messages to attribute orders to. Raises ValueError for an unknown metric.
    """
    if metric not in METRICS:
        raise ValueError(_("Unknown metric “%s”.") % metric)
    rows = _rows(campaign, metric)
    measures = {row[0]: _measure(row, metric) for row in rows}
    options: dict[str, Any] = {"shares": _shares(campaign, measures), "is_over": _is_over(campaign)}
    plain = report(metric, measures, **options)
    empty = _empty_arms(campaign, metric, measures)
    if metric != "revenue" or len(rows) < 2:
        return Experiment(plain, empty=empty)
    means = [measure for measure in measures.values() if isinstance(measure, Mean)]
    less_noisy = adjusted(means, [Before(*map(float, row[5:8])) for row in rows])
    noise = sum(mean.variance for mean in means)
    reduction = 1 - sum(mean.variance for mean in less_noisy) / noise if noise else 0.0
    if reduction <= 0:
        return Experiment(plain, empty=empty)
    return Experiment(
        plain,
        report(metric, dict(zip(measures, less_noisy, strict=True)), **options),
        reduction,
        empty,
    )


def is_experiment(campaign: Campaign) -> bool:
    """Return whether a campaign has more than one arm: variants, or a holdout."""
    if campaign.holdout_percent or campaign.variants.exists():
        return True
    messages = CampaignExecution.objects.filter(run__campaign=campaign)
    return campaign.historical and messages.exclude(variant="").exists()


def _rows(campaign: Campaign, metric: str) -> list[tuple[Any, ...]]:
    """Return for each arm: name, customers, count, mean and variance, and mean, variance and covariance of earlier spend."""
    start = (
        campaign.runs.filter(started_at__isnull=False)
        .order_by("started_at")
        .values_list("started_at", flat=True)
        .first()
    ) or timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH recipients AS MATERIALIZED ({_RECIPIENTS}),
            outcomes AS (
                SELECT arm, ({_outcome(campaign, metric)})::float8 AS outcome,
                       ({_SPENT_BEFORE if metric == "revenue" else "0"})::float8 AS before
                FROM recipients
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
    arms = [row for row in rows if row[0] != HOLDOUT or metric not in OF_MESSAGES]
    return sorted(arms, key=_order(campaign))


def _empty_arms(
    campaign: Campaign, metric: str, measures: Mapping[str, Measure]
) -> tuple[str, ...]:
    """Return the declared variants, and the holdout, that no customer came to."""
    declared = [*campaign.variants.values_list("name", flat=True)]
    if campaign.holdout_percent and metric not in OF_MESSAGES:
        declared.append(HOLDOUT)
    return tuple(name for name in declared if name not in measures)


def _outcome(campaign: Campaign, metric: str) -> str:
    by_orders = campaign.holdout_percent > 0 and not campaign.historical
    return {
        "open": "opened::int",
        "click": "clicked::int",
        "visit": f"({_VISITED.format(when=_BY_MESSAGE if campaign.historical else _IN_TIME)})::int",
        "conversion": f"({_ORDERED.format(what=_HAS_ORDERED)})::int"
        if by_orders
        else "converted::int",
        "revenue": _ORDERED.format(what="coalesce(sum(bought.net), 0)") if by_orders else "revenue",
    }[metric]


def _measure(row: Sequence[Any], metric: str) -> Measure:
    _arm, customers, count, value, variance, *_before = row
    if metric == "revenue":
        return Mean(customers, count, float(value), float(variance))
    return Rate(customers, count)


def _order(campaign: Campaign) -> Any:
    """Return the sort key: declared variants in their order, other variants by name, the holdout last."""
    declared = {
        name: at for at, name in enumerate(campaign.variants.values_list("name", flat=True))
    }
    return lambda row: (row[0] == HOLDOUT, declared.get(row[0], len(declared)), row[0])


def _shares(campaign: Campaign, measures: dict[str, Measure]) -> dict[str, float] | None:
    """Return the intended shares of the arms: None if unknown, empty if they changed during the campaign."""
    if campaign.historical:
        return None
    if campaign.winner_by:
        return {}
    weights = dict(campaign.variants.values_list("name", "weight")) or {_("message"): 1}
    holdout = float(campaign.holdout_percent) / 100
    parts = {name: (1 - holdout) * each / sum(weights.values()) for name, each in weights.items()}
    shares = {**parts, HOLDOUT: holdout}
    known = {name: shares[name] for name in measures if shares.get(name)}
    return known if len(known) == len(measures) else {}


def _is_over(campaign: Campaign) -> bool:
    """Return whether the outcomes are final, so that the result is evaluated once."""
    if campaign.historical:
        return True
    window = timedelta(days=campaign.goal_window_days)
    return bool(campaign.completed_at and campaign.completed_at + window < timezone.now())
