"""The queue: which worker may send what. The only place where a message becomes `sending`.

A worker first holds a batch by a lease, which costs nothing when it dies: the rows are still pending and others take them when the lease
is over. Messages are marked `sending`, committed, just before they leave, never more of them than the worker has connections; so a dead
worker leaves at most one in doubt for each connection.

`next_attempt_at` says before when a message may not leave, a waiting one as well as one to retry: none means at once. Quiet hours
are such times. Those who wait for the winner of a test have no variant yet, and are not held before they do.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Count, Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from marketing.content import context
from marketing.models import CampaignExecution, CampaignRun
from marketing.models.execution import ALWAYS_DUE
from marketing.sending import last_look, quota, turns
from marketing.sending.last_look import Rules

BATCH = 100
WANTED = (
    "run_id", "address", "variant", "attempts", *(f"customer__{field}" for field in (*context.FIELDS, "timezone"))
)  # fmt: skip
"""What sending looks at; reading all of a person for each message takes twice as long."""

State = CampaignExecution.State


def lease_time() -> timedelta:
    return timedelta(seconds=settings.SENDING_LEASE_SECONDS)


def hold_batch(run: CampaignRun, lease: uuid.UUID, limit: int = BATCH) -> list[CampaignExecution]:
    """Hold the next messages of a run that nobody holds and that are due, with their customers: those that wait for no time first,
    then the longest due; no more than the campaign's drip rate and budget allow."""
    now = timezone.now()
    with transaction.atomic(), connection.cursor() as cursor:
        limit = quota.reserve(run, limit)
        cursor.execute(
            """
            UPDATE marketing_campaignexecution SET lease = %s, leased_until = %s
            WHERE id IN (
                SELECT id FROM marketing_campaignexecution
                WHERE run_id = %s AND state IN ('pending', 'retry')
                  AND (variant > '' OR %s)
                  AND (leased_until IS NULL OR leased_until < %s)
                  AND coalesce(next_attempt_at, '1970-01-01 00:00:00+00'::timestamptz) <= %s
                ORDER BY coalesce(next_attempt_at, '1970-01-01 00:00:00+00'::timestamptz), id
                LIMIT %s
                FOR UPDATE SKIP LOCKED
            )
            RETURNING id
            """,
            [lease, now + lease_time(), run.pk, run.decides_at is None, now, now, limit],
        )
        held = [row[0] for row in cursor.fetchall()]
    return list(
        CampaignExecution.objects.filter(pk__in=held)
        .select_related("customer")
        .only(*WANTED)
        .order_by(Coalesce("next_attempt_at", ALWAYS_DUE), "pk")
    )


def mark_sending(
    rules: Rules, executions: Sequence[CampaignExecution], lease: uuid.UUID
) -> set[int]:
    """Turn held messages into `sending`; returns the ids of those that are ours to send now.

    Left out is what another worker took over, everything when the run was paused or ended, and whoever may not be written to any more.
    The caller commits before a message leaves. Marking again what was marked and has not left, after a commit of which the answer was
    lost, changes nothing.
    """
    by_id = {each.pk: each for each in executions}
    reason_sql, reason_parameters = last_look.reason_sql(rules)
    turns.take(rules.policy, executions)
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE marketing_campaignexecution AS message
            SET state = 'sending', sending_at = %s, leased_until = %s,
                attempts = attempts + CASE state WHEN 'sending' THEN 0 ELSE 1 END
            WHERE id = ANY(%s) AND lease = %s AND state IN ('pending', 'retry', 'sending')
              AND (SELECT state FROM marketing_campaignrun WHERE id = %s) = 'sending'
              AND ({reason_sql}) = ''
            RETURNING id, attempts
            """,
            [now, now + lease_time(), list(by_id), lease, executions[0].run_id, *reason_parameters],
        )
        won = dict(cursor.fetchall())
    turns.claim_key(rules.policy, list(won))
    for pk, attempts in won.items():
        by_id[pk].attempts = attempts
    return set(won)


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
