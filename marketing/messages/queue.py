"""The queue: which worker may send what.

A worker holds a batch by a lease, which costs nothing when it dies: the rows are still pending and others take them when the lease is
over. Only marketing.messages.transitions marks them `sending`, just before they leave.

`next_attempt_at` says before when a message may not leave, a waiting one as well as one to retry: none means at once. Quiet hours
are such times. Those who wait for the winner of a test have no variant yet, and are not held before they do.
"""

from __future__ import annotations

import uuid
from datetime import timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Count, Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from marketing.content import context
from marketing.models import CampaignExecution, CampaignRun
from marketing.models.execution import ALWAYS_DUE
from marketing.sending import quota
from marketing.sending.claimed_message import Held

BATCH = 100
OF_MESSAGE = ("pk", "customer_id", "address", "variant", "attempts")
OF_PERSON = (*context.FIELDS, "timezone")

State = CampaignExecution.State


def lease_time() -> timedelta:
    return timedelta(seconds=settings.SENDING_LEASE_SECONDS)


def hold_batch(run: CampaignRun, lease: uuid.UUID, limit: int = BATCH) -> list[Held]:
    """Hold the next messages of a run that nobody holds and that are due, with their customers: those that wait for no time first,
    then the longest due; no more than the campaign's drip rate and budget allow."""
    now = timezone.now()
    with transaction.atomic(), connection.cursor() as cursor:
        limit = quota.reserve(run, limit)
        cursor.execute(
            """
            UPDATE marketing_campaignexecution SET lease = %s, leased_until = %s
            WHERE id = ANY (ARRAY(
                SELECT id FROM marketing_campaignexecution
                WHERE run_id = %s AND state IN ('pending', 'retry')
                  AND (variant > '' OR %s)
                  AND (leased_until IS NULL OR leased_until < %s)
                  AND coalesce(next_attempt_at, '1970-01-01 00:00:00+00'::timestamptz) <= %s
                ORDER BY coalesce(next_attempt_at, '1970-01-01 00:00:00+00'::timestamptz), id
                LIMIT %s
                FOR UPDATE SKIP LOCKED
            ))
            RETURNING id
            """,
            [lease, now + lease_time(), run.pk, run.decides_at is None, now, now, limit],
        )
        held = [row[0] for row in cursor.fetchall()]
    rows = (
        CampaignExecution.objects.filter(pk__in=held)
        .order_by(Coalesce("next_attempt_at", ALWAYS_DUE), "pk")
        .values_list(*OF_MESSAGE, *(f"customer__{field}" for field in OF_PERSON))
    )
    return [
        Held(pk, customer_id, address, variant, attempts, dict(zip(OF_PERSON, person, strict=True)))
        for pk, customer_id, address, variant, attempts, *person in rows
    ]


def let_go(lease: uuid.UUID, run: CampaignRun) -> None:
    """Give back what this worker holds and has not begun to send."""
    CampaignExecution.objects.filter(
        run=run, lease=lease, state__in=[State.PENDING, State.RETRY]
    ).update(lease=None, leased_until=None)


def workers_at(run: CampaignRun) -> int:
    """How many workers hold messages of the run; one that died counts until its lease is over."""
    held = CampaignExecution.objects.filter(run=run, leased_until__gte=timezone.now())
    return held.aggregate(workers=Count("lease", distinct=True))["workers"]


def has_due(run: CampaignRun) -> bool:
    """Whether there is something to send now that nobody holds, and that the campaign's drip rate and budget allow."""
    now = timezone.now()
    due = CampaignExecution.objects.alias(due_at=Coalesce("next_attempt_at", ALWAYS_DUE)).filter(
        run=run, due_at__lte=now
    )
    decided = ~Q(variant="") if run.decides_at else Q()
    unheld = Q(leased_until__isnull=True) | Q(leased_until__lt=now)
    return due.filter(decided, unheld).waiting().exists() and quota.left(run) > 0
