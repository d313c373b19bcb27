"""Count the events of campaigns on the timeline, each once; a rebuild counts all of them again.

COUNTED defines the counters. They follow the timeline's feed (analytics.subscribers), which hands over each interaction exactly once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any, Self

from django.db import connection, transaction
from django.db.models import QuerySet, Sum
from django.utils import timezone

from analytics.models import CampaignMetrics
from crm.events import feeds
from crm.events.feeds import Batch
from customers import timeline
from customers.timeline import types
from marketing.models import CampaignRun

SUBSCRIBER = "count campaign metrics"
HOUR = timedelta(hours=1)
MAX_BY_HOUR = timedelta(days=3)

_ONCE = "properties -> 'first' IS DISTINCT FROM 'false'"

COUNTED: dict[str, str] = {
    "sent": f"count(*) FILTER (WHERE type = '{types.MESSAGE_SENT}' AND {_ONCE})",
    "delivered": f"count(*) FILTER (WHERE type = '{types.MESSAGE_DELIVERED}' AND {_ONCE})",
    "bounced": f"count(*) FILTER (WHERE type = '{types.MESSAGE_BOUNCED}' AND {_ONCE})",
    "refused": f"count(*) FILTER (WHERE type = '{types.MESSAGE_BOUNCED}' AND properties -> 'refused' = 'true' AND {_ONCE})",
    "opened": f"count(*) FILTER (WHERE type = '{types.MESSAGE_OPENED}' AND {_ONCE})",
    "opens": f"count(*) FILTER (WHERE type = '{types.MESSAGE_OPENED}')",
    "clicked": f"count(*) FILTER (WHERE type = '{types.MESSAGE_CLICKED}' AND {_ONCE})",
    "clicks": f"count(*) FILTER (WHERE type = '{types.MESSAGE_CLICKED}')",
    "opened_by_machine": f"count(*) FILTER (WHERE type = '{types.MESSAGE_OPENED_BY_MACHINE}' AND {_ONCE})",
    "clicked_by_machine": f"count(*) FILTER (WHERE type = '{types.MESSAGE_CLICKED_BY_MACHINE}' AND {_ONCE})",
    "complained": f"count(*) FILTER (WHERE type = '{types.MESSAGE_COMPLAINED}' AND {_ONCE})",
    "converted": f"count(*) FILTER (WHERE type = '{types.MESSAGE_CONVERTED}' AND {_ONCE})",
    "unsubscribed": f"count(*) FILTER (WHERE type = '{types.UNSUBSCRIBED}' AND {_ONCE})",
    "revenue": f"""coalesce(sum((properties ->> 'revenue')::numeric)
        FILTER (WHERE type IN ('{types.MESSAGE_CONVERTED}', '{types.MESSAGE_REVALUED}')), 0)""",
}
"""The counters of CampaignMetrics, each as SQL over the interactions of a run, variant and hour."""

_COLUMNS = ", ".join(COUNTED)
# runs are compared as text: an interaction without a run, or of a deleted run, does not count
_COUNT = f"""
    SELECT run.id AS run_id, coalesce(properties ->> 'variant', '') AS variant,
           date_trunc('hour', occurred_at, 'UTC') AS hour,
           {", ".join(f"{count} AS {name}" for name, count in COUNTED.items())}
    FROM {{source}} JOIN marketing_campaignrun AS run ON run.id::text = properties ->> 'run'
    GROUP BY run.id, variant, hour
"""
_BATCH = f"""
    (SELECT type, occurred_at, properties FROM customers_interaction
     WHERE execution_id IS NOT NULL AND {timeline.SOURCE.range_sql}) AS batch
"""
_ADD = f"""
    INSERT INTO analytics_campaignmetrics (run_id, variant, hour, {_COLUMNS}) {_COUNT.format(source=_BATCH)}
    ON CONFLICT (run_id, hour, variant) DO UPDATE SET
        {", ".join(f"{name} = analytics_campaignmetrics.{name} + excluded.{name}" for name in COUNTED)}
"""
# what is up to the cursor is final, and was added
_READ = f"""
    (SELECT type, occurred_at, properties FROM customers_interaction
     WHERE execution_id IS NOT NULL AND (transaction, id) <=
        (SELECT transaction, position FROM events_feedcursor WHERE name = '{SUBSCRIBER}')) AS read
"""
_DIFFERENCES = f"""
    WITH counted AS ({_COUNT.format(source=_READ)}),
    kept AS (SELECT run_id, variant, hour, {_COLUMNS} FROM analytics_campaignmetrics)
    SELECT run_id, variant, hour,
           {", ".join(f"coalesce(kept.{name}, 0), coalesce(counted.{name}, 0)" for name in COUNTED)}
    FROM kept FULL JOIN counted USING (run_id, variant, hour)
    WHERE ({", ".join(f"kept.{name}" for name in COUNTED)})
        IS DISTINCT FROM ({", ".join(f"counted.{name}" for name in COUNTED)})
    ORDER BY run_id, variant, hour
"""


@dataclass(frozen=True, slots=True)
class Drift:
    """A counter that differs from the timeline."""

    run_id: int
    variant: str
    hour: datetime
    counter: str
    kept: Decimal | int
    counted: Decimal | int


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums of counters. Rates are fractions from 0 to 1, and None without a denominator.

    `refused` are the bounces of messages that the provider never took; they are not among `sent`, but among `attempted`.
    `arrived` is the denominator of rates: messages reported as delivered or, if the provider reports no deliveries (SMTP), those sent and
    not bounced. An opened message has arrived, whatever its receipts say.
    """

    sent: int = 0
    delivered: int = 0
    bounced: int = 0
    refused: int = 0
    opened: int = 0
    opens: int = 0
    clicked: int = 0
    clicks: int = 0
    opened_by_machine: int = 0
    clicked_by_machine: int = 0
    complained: int = 0
    converted: int = 0
    unsubscribed: int = 0
    revenue: Decimal = Decimal(0)
    arrived: int = 0

    def __add__(self, other: Self) -> Self:
        return type(self)(
            **{
                each.name: getattr(self, each.name) + getattr(other, each.name)
                for each in fields(self)
            }
        )

    @property
    def attempted(self) -> int:
        """Return the messages that were sent or refused."""
        return self.sent + self.refused

    @property
    def delivery_rate(self) -> Decimal | None:
        """Return arrived / attempted."""
        return _fraction(self.arrived, self.attempted)

    @property
    def bounce_rate(self) -> Decimal | None:
        """Return bounced / attempted."""
        return _fraction(self.bounced, self.attempted)

    @property
    def open_rate(self) -> Decimal | None:
        """Return opened / arrived."""
        return _fraction(self.opened, self.arrived)

    @property
    def click_rate(self) -> Decimal | None:
        """Return clicked / arrived."""
        return _fraction(self.clicked, self.arrived)

    @property
    def click_to_open_rate(self) -> Decimal | None:
        """Return clicked / opened."""
        return _fraction(self.clicked, self.opened)

    @property
    def conversion_rate(self) -> Decimal | None:
        """Return converted / arrived."""
        return _fraction(self.converted, self.arrived)

    @property
    def unsubscribe_rate(self) -> Decimal | None:
        """Return unsubscribed / arrived."""
        return _fraction(self.unsubscribed, self.arrived)


@dataclass(frozen=True, slots=True)
class Slot:
    """Counters of the hour or day that begins at `start`."""

    start: datetime
    sent: int = 0
    opened: int = 0
    clicked: int = 0
    converted: int = 0


def add(batch: Batch) -> None:
    """Add the interactions of a batch to the counters."""
    with connection.cursor() as cursor:
        cursor.execute(_ADD, batch.range)


def rebuild(run: CampaignRun | None = None) -> None:
    """Recount a run, or all runs, from the timeline up to the position of the feed."""
    of_run = "WHERE run_id = %s" if run else ""
    parameters = [run.pk] if run else []
    with transaction.atomic(), connection.cursor() as cursor:
        feeds.take(SUBSCRIBER, wait=True)
        cursor.execute(f"DELETE FROM analytics_campaignmetrics {of_run}", parameters)
        cursor.execute(
            f"""
            INSERT INTO analytics_campaignmetrics (run_id, variant, hour, {_COLUMNS})
            SELECT * FROM ({_COUNT.format(source=_READ)}) AS counted {of_run}
            """,
            parameters,
        )


def drift() -> list[Drift]:
    """Return every counter that differs from the timeline, as of one moment."""
    with connection.cursor() as cursor:
        cursor.execute(_DIFFERENCES)
        rows = cursor.fetchall()
    return [
        Drift(run_id, variant, hour, name, kept, counted)
        for run_id, variant, hour, *pairs in rows
        for name, kept, counted in zip(COUNTED, pairs[::2], pairs[1::2], strict=True)
        if kept != counted
    ]


def totals(runs: QuerySet[CampaignRun]) -> Totals:
    """Sum the counters of runs: `totals(campaign.runs.all())`."""
    return sum(_by_run(runs).values(), Totals())


def totals_by_campaign(
    runs: QuerySet[CampaignRun], between: tuple[datetime, datetime] | None = None
) -> dict[int, Totals]:
    """Sum the counters of runs by campaign id, in one query, of all time or between two moments.

    Campaigns without counters are missing.
    """
    sums: dict[int, Totals] = {}
    for (campaign_id, _run_id), of_run in _by_run(runs, between).items():
        sums[campaign_id] = sums.get(campaign_id, Totals()) + of_run
    return sums


def totals_by_variant(runs: QuerySet[CampaignRun]) -> dict[str, Totals]:
    """Sum the counters of runs by variant, in one query; "" stands for messages without a variant."""
    rows = (
        CampaignMetrics.objects.filter(run__in=runs.order_by())
        .values("variant", "run")
        .annotate(**{f"sum_{name}": Sum(name) for name in COUNTED})
        .order_by("variant", "run")
    )
    sums: dict[str, Totals] = {}
    for row in rows:
        sums[row["variant"]] = sums.get(row["variant"], Totals()) + _totals(row)
    return sums


def time_series(runs: QuerySet[CampaignRun]) -> list[Slot]:
    """Return the time series of runs: by hour, or by local day if it is longer than three days; empty slots included."""
    return _slots(CampaignMetrics.objects.filter(run__in=runs.order_by()))


def time_series_between(runs: QuerySet[CampaignRun], start: datetime, end: datetime) -> list[Slot]:
    """Return the time series of runs between two moments."""
    counted = CampaignMetrics.objects.filter(run__in=runs.order_by())
    return _slots(counted.filter(hour__gte=start, hour__lt=end))


def _slots(counted: QuerySet[CampaignMetrics]) -> list[Slot]:
    names = ("sent", "opened", "clicked", "converted")
    rows = counted.order_by("hour").values_list("hour").annotate(*map(Sum, names))
    by_hour = {hour: dict(zip(names, sums, strict=True)) for hour, *sums in rows}
    if not by_hour:
        return []
    first, last = min(by_hour), max(by_hour)
    if last - first <= MAX_BY_HOUR:
        hours = (last - first) // HOUR + 1
        return [Slot(at, **by_hour.get(at, {})) for at in (first + HOUR * n for n in range(hours))]
    by_day: dict[datetime, Counter[str]] = {}
    for hour, sums in by_hour.items():
        by_day.setdefault(_local_midnight(hour), Counter()).update(sums)
    day, days = _local_midnight(first), []
    while day <= last:
        days.append(Slot(day, **by_day.get(day, Counter())))
        day = _local_midnight(day + HOUR * 36)
    return days


def _local_midnight(moment: datetime) -> datetime:
    """Return the start of the moment's local day; 36 hours later is always within the next day, also at clock changes."""
    return timezone.make_aware(datetime.combine(timezone.localdate(moment), time.min))


def _by_run(
    runs: QuerySet[CampaignRun], between: tuple[datetime, datetime] | None = None
) -> dict[tuple[int, int], Totals]:
    """Sum the counters of each run by (campaign, run), because some providers report no deliveries."""
    counted = CampaignMetrics.objects.filter(run__in=runs.order_by())
    if between:
        counted = counted.filter(hour__gte=between[0], hour__lt=between[1])
    rows = (
        counted.values("run__campaign", "run")
        .annotate(**{f"sum_{name}": Sum(name) for name in COUNTED})
        .order_by()
    )
    return {(row["run__campaign"], row["run"]): _totals(row) for row in rows}


def _totals(row: Mapping[str, Any]) -> Totals:
    counters = {name: row[f"sum_{name}"] for name in COUNTED}
    bounced_later = counters["bounced"] - counters["refused"]
    reported = counters["delivered"] or max(counters["sent"] - bounced_later, 0)
    return Totals(**counters, arrived=max(reported, counters["opened"]))


def _fraction(part: int, of: int) -> Decimal | None:
    return Decimal(part) / Decimal(of) if of else None
