"""The queue: which worker may send what. The only place where a message becomes `sending`.

A worker first holds a batch by a lease, which costs nothing when it dies: the rows are still pending and others take them when the lease
is over. Each message is marked `sending` on its own, committed, just before it leaves; so a dead worker leaves at most one in doubt.
"""

from __future__ import annotations

import uuid
from datetime import timedelta

from django.conf import settings
from django.db import connection
from django.db.models import Q
from django.utils import timezone

from marketing.models import CampaignExecution, CampaignRun
from marketing.sending import last_look

BATCH = 50

State = CampaignExecution.State


def lease_time() -> timedelta:
    return timedelta(seconds=settings.SENDING_LEASE_SECONDS)


def hold_batch(run: CampaignRun, lease: uuid.UUID, limit: int = BATCH) -> list[CampaignExecution]:
    """Hold the next messages of a run that nobody holds and that are due, oldest first, with their customers."""
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE marketing_campaignexecution SET lease = %s, leased_until = %s
            WHERE id IN (
                SELECT id FROM marketing_campaignexecution
                WHERE run_id = %s AND state IN ('pending', 'retry')
                  AND (leased_until IS NULL OR leased_until < %s)
                  AND (next_attempt_at IS NULL OR next_attempt_at <= %s)
                ORDER BY id
                LIMIT %s
                FOR UPDATE SKIP LOCKED
            )
            RETURNING id
            """,
            [lease, now + lease_time(), run.pk, now, now, limit],
        )
        held = [row[0] for row in cursor.fetchall()]
    return list(
        CampaignExecution.objects.filter(pk__in=held).select_related("customer").order_by("pk")
    )


def mark_sending(run: CampaignRun, execution: CampaignExecution, lease: uuid.UUID) -> bool:
    """Turn a held message into `sending`; False when it is no longer ours to send, its run was paused or ended, or it may not be
    sent to its person any more (then it is passed over with the next batch).

    The caller commits before the message leaves.
    """
    reason_sql, reason_parameters = last_look.reason_sql(run)
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE marketing_campaignexecution AS message
            SET state = 'sending', sending_at = %s, leased_until = %s, attempts = attempts + 1
            WHERE id = %s AND lease = %s AND state IN ('pending', 'retry')
              AND EXISTS (SELECT FROM marketing_campaignrun WHERE id = run_id AND state = 'sending')
              AND ({reason_sql}) = ''
            """,
            [now, now + lease_time(), execution.pk, lease, *reason_parameters],
        )
        won = cursor.rowcount == 1
    if won:
        execution.attempts += 1
    return won


def let_go(lease: uuid.UUID, run: CampaignRun) -> None:
    """Give back what this worker holds and has not begun to send."""
    CampaignExecution.objects.filter(
        run=run, lease=lease, state__in=[State.PENDING, State.RETRY]
    ).update(lease=None, leased_until=None)


def is_attended(run: CampaignRun) -> bool:
    """Whether some live worker holds messages of the run."""
    return CampaignExecution.objects.filter(run=run, leased_until__gte=timezone.now()).exists()


def has_due(run: CampaignRun) -> bool:
    """Whether there is something to send now."""
    now = timezone.now()
    due = Q(next_attempt_at__isnull=True) | Q(next_attempt_at__lte=now)
    return CampaignExecution.objects.filter(due, run=run).waiting().exists()
