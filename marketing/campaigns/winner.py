"""Select the variant for the rest of a run: once, by time or confidence, or batch by batch, by a bandit."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Count, F, Q, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from marketing.campaigns.assignment import variants_of
from marketing.campaigns.posteriors import Tally, probabilities_to_be_best, thompson
from marketing.messages import batches
from marketing.models import Campaign, CampaignExecution, CampaignRun
from marketing.querysets import ExecutionQuerySet

CHUNK = 20_000
BATCHES = 20
"""The number of batches in which a bandit assigns the rest over the test duration."""

State = CampaignExecution.State
WinnerBy = Campaign.WinnerBy
Metric = Campaign.Metric

DELIVERED = (State.SENT, State.DELIVERED, State.COMPLAINED)
RESULTS: Mapping[str, Q] = {
    Metric.OPEN: Q(opened_at__isnull=False),
    Metric.CLICK: Q(clicked_at__isnull=False),
    Metric.CONVERSION: Q(converted_at__isnull=False),
}


def decide_tests(now: datetime | None = None) -> None:
    """Decide every test that can be decided."""
    waiting = CampaignRun.objects.filter(
        state=CampaignRun.State.SENDING, decides_at__isnull=False
    ).order_by("pk")
    for run_id in waiting.values_list("pk", flat=True):
        decide(run_id, now=now)


def decide(run_id: int, *, now: datetime | None = None) -> None:
    """Assign variants to the rest of the run if it is time; another process that decides it is left alone."""
    now = now or timezone.now()
    with transaction.atomic():
        run = (
            CampaignRun.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("campaign")
            .filter(pk=run_id, state=CampaignRun.State.SENDING, decides_at__isnull=False)
            .first()
        )
        if run is None:
            return
        assign = _assign_batch if run.campaign.winner_by == WinnerBy.BANDIT else _assign_winner
        if assign(run, now):
            batches.work_on(run)


def tallies(run: CampaignRun, metric: str) -> list[Tally]:
    """Count the results of each variant of the run, in the order of the variants, without bounced messages."""
    delivered = run.executions.filter(state__in=DELIVERED).exclude(variant="").order_by()
    of_revenue = metric == Metric.REVENUE
    total = Sum("revenue") if of_revenue else Count("pk", filter=RESULTS[metric])
    squares = Sum(F("revenue") * F("revenue"))
    rows = delivered.values_list("variant").annotate(
        messages=Count("pk"), total=total, squares=squares
    )
    found = {
        name: Tally(name, messages, float(sum_), float(of_squares) if of_revenue else None)
        for name, messages, sum_, of_squares in rows
    }
    nothing = 0.0 if of_revenue else None
    return [
        found.get(variant.name, Tally(variant.name, 0, 0.0, nothing))
        for variant in variants_of(run)
    ]


def _assign_winner(run: CampaignRun, now: datetime) -> int:
    campaign = run.campaign
    if not campaign.winner:
        found = tallies(run, campaign.winner_metric)
        best = probabilities_to_be_best(found)
        name = max(found, key=lambda tally: (tally.value, best[tally.name])).name
        if not _is_decided(run, best, now):
            return 0
        if campaign.winner_by == WinnerBy.CONFIDENCE:
            name = max(best, key=lambda each: best[each])
        _save_winner(campaign, name, _explain(campaign, found, best, name), now)
    given = _assign_to_all(run, campaign.winner)
    _end_test(run)
    return given


def _is_decided(run: CampaignRun, best: Mapping[str, float], now: datetime) -> bool:
    assert run.decides_at is not None
    campaign = run.campaign
    sure = max(best.values()) >= float(campaign.winner_confidence)
    return now >= run.decides_at or (campaign.winner_by == WinnerBy.CONFIDENCE and sure)


def _assign_batch(run: CampaignRun, now: datetime) -> int:
    """Assign a bandit's next batch if it is due, and all messages at the end of the test."""
    campaign, waiting_number = run.campaign, _waiting(run).count()
    number = _size_of_batch(run, waiting_number, now)
    if waiting_number and not number:
        return 0
    found = tallies(run, campaign.winner_metric)
    waiting = list(_waiting(run).values_list("pk", flat=True)[:number])
    _assign(run, waiting, thompson(found, len(waiting), seed=(run.pk, *waiting[:1])))
    run.batched_at = now
    run.save(update_fields=["batched_at"])
    if not _waiting(run).exists():
        best = probabilities_to_be_best(found)
        name = max(best, key=lambda each: best[each])
        _save_winner(campaign, name, _explain(campaign, found, best, name), now)
        _end_test(run)
    return len(waiting)


def _size_of_batch(run: CampaignRun, waiting: int, now: datetime) -> int:
    """Return the size of the next batch out of the waiting messages; 0 while it is not due."""
    assert run.decides_at is not None
    if now >= run.decides_at:
        return waiting
    step = timedelta(hours=float(run.campaign.winner_after_hours)) / BATCHES
    if now < (run.batched_at or run.started_at or now) + step:
        return 0
    return math.ceil(waiting / math.ceil((run.decides_at - now) / step))


def _waiting(run: CampaignRun) -> ExecutionQuerySet:
    return run.executions.filter(state=State.PENDING, variant="").order_by("pk")


def _assign_to_all(run: CampaignRun, variant: str) -> int:
    """Assign a variant to all waiting messages; returns how many."""
    given = 0
    while waiting := list(_waiting(run).values_list("pk", flat=True)[:CHUNK]):
        _assign(run, waiting, [variant] * len(waiting))
        given += len(waiting)
    return given


def _assign(run: CampaignRun, message_ids: Sequence[int], names: Sequence[str]) -> None:
    """Assign variants to messages and make them due, unless they wait for a later time."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE marketing_campaignexecution AS message
            SET variant = given.variant,
                next_attempt_at = CASE WHEN next_attempt_at > %s THEN next_attempt_at END
            FROM unnest(%s::bigint[], %s::text[]) AS given (id, variant)
            WHERE message.id = given.id AND message.state = 'pending' AND message.variant = ''
            """,
            [run.decides_at, list(message_ids), list(names)],
        )


def _save_winner(campaign: Campaign, name: str, why: str, now: datetime) -> None:
    campaign.winner, campaign.winner_why, campaign.winner_at = name, why, now
    campaign.save(update_fields=["winner", "winner_why", "winner_at"])


def _end_test(run: CampaignRun) -> None:
    run.decides_at = None
    run.save(update_fields=["decides_at"])


def _explain(
    campaign: Campaign, found: Sequence[Tally], best: Mapping[str, float], name: str
) -> str:
    values = ", ".join(f"{tally.name} {_describe(campaign, tally)}" for tally in found)
    return _(
        "%(metric)s: %(values)s. %(name)s is the best with a probability of %(probability)s."
    ) % {
        "metric": campaign.get_winner_metric_display(),
        "values": values,
        "name": name,
        "probability": f"{best[name]:.1%}",
    }


def _describe(campaign: Campaign, tally: Tally) -> str:
    if campaign.winner_metric == Metric.REVENUE:
        return _("%(value)s per message of %(messages)s") % {
            "value": f"{tally.value:.2f}",
            "messages": tally.messages,
        }
    return _("%(count)s of %(messages)s") % {
        "count": int(tally.total),
        "messages": tally.messages,
    }
