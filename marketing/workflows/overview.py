"""Workflows at a glance, for lists: who is under way, who entered, and the newest error."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Count, F, Q
from django.db.models.functions import TruncDate
from django.utils import timezone

from marketing.models import Enrollment
from marketing.workflows.figures import entered_and_goals

DAYS = 14
WEEK = timedelta(days=7)

NOT_HELD_OUT = ~Q(exit_reason=Enrollment.ExitReason.HOLDOUT)


@dataclass(slots=True)
class Overview:
    """Numbers of passages; `by_day` those that entered on each of the last DAYS days, the newest last. The holdout group is in none."""

    under_way: int = 0
    entered: int = 0
    entered_in_week: int = 0
    goals: int = 0
    failed: int = 0
    error: str = ""
    by_day: list[int] = field(default_factory=lambda: [0] * DAYS)


def overview_of(workflow_ids: Sequence[int], *, now: datetime | None = None) -> dict[int, Overview]:
    """Return the overview of each of these workflows."""
    now = now or timezone.now()
    found: dict[int, Overview] = defaultdict(Overview)
    passages = Enrollment.objects.filter(NOT_HELD_OUT, workflow_id__in=workflow_ids)
    for workflow_id, numbers in entered_and_goals(workflow_ids).items():
        found[workflow_id].entered, found[workflow_id].goals = numbers
    standing = passages.filter(state__in=(*Enrollment.UNDER_WAY, Enrollment.State.FAILED))
    counts = standing.values_list("workflow_id").annotate(
        under_way=Count("pk", filter=Q(state__in=Enrollment.UNDER_WAY)),
        failed=Count("pk", filter=Q(state=Enrollment.State.FAILED)),
    )
    for workflow_id, under_way, failed in counts:
        found[workflow_id].under_way, found[workflow_id].failed = under_way, failed
    first = timezone.localdate(now) - timedelta(days=DAYS - 1)
    by_day = passages.filter(entered_at__date__gte=first).values_list(
        "workflow_id", TruncDate("entered_at")
    )
    in_week = Count("pk", filter=Q(entered_at__gte=now - WEEK))
    for workflow_id, day, number, recent in by_day.annotate(number=Count("pk"), recent=in_week):
        if (place := (day - first).days) < DAYS:
            found[workflow_id].by_day[place] = number
        found[workflow_id].entered_in_week += recent
    newest = (
        passages.filter(state=Enrollment.State.FAILED)
        .order_by("workflow_id", F("ended_at").desc(), "-pk")
        .distinct("workflow_id")
    )
    for workflow_id, error in newest.values_list("workflow_id", "error"):
        found[workflow_id].error = error
    return found
