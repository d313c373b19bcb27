"""How what happened to messages moves their states: receipts may come twice, late, in any order, and before our own note.

Delivered and bounced are the last word of the recipient's side, a complaint outlives both. A hard bounce is final; a soft one or a block
gives way to a later delivery.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from django.db import connection
from django.db.models import F, Q
from django.db.models.functions import Coalesce, Now

from customers import events
from marketing.models import CampaignExecution

State = CampaignExecution.State
ErrorKind = CampaignExecution.ErrorKind

PASSING = (ErrorKind.SOFT_BOUNCE, ErrorKind.BLOCKED)


def prove_sent(execution_ids: Collection[int]) -> list[int]:
    """Something happened to these messages, so they left: settle those of which we do not know, or not yet, as of when they were handed
    over; returns which. One that was to be tried again is not."""
    if not execution_ids:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE marketing_campaignexecution
            SET state = 'sent', error = '', error_kind = '', lease = NULL, leased_until = NULL, next_attempt_at = NULL,
                sent_at = coalesce(sending_at, now())
            WHERE id = ANY(%s) AND state IN ('sending', 'unconfirmed', 'retry') AND attempts > 0
            RETURNING id
            """,
            [list(execution_ids)],
        )
        return [row[0] for row in cursor.fetchall()]


def follow(firsts: Mapping[str, Collection[int]]) -> None:
    """Move the states of messages to which these things happened for the first time."""
    of = CampaignExecution.objects.filter
    arrived = firsts[events.MESSAGE_DELIVERED]
    if arrived:
        passed = Q(state=State.BOUNCED, error_kind__in=PASSING, delivered_at__gte=F("bounced_at"))
        of(Q(state=State.SENT) | passed, pk__in=arrived).update(
            state=State.DELIVERED, error="", error_kind=""
        )
    if complained := firsts[events.MESSAGE_COMPLAINED]:
        of(pk__in=complained, state__in=[State.SENT, State.DELIVERED]).update(
            state=State.COMPLAINED
        )


def bounce(bounces: Sequence[tuple[int, str, datetime, str]]) -> None:
    """Note (message, kind, when, what was said) of messages that did not arrive; a soft one does not undo a later delivery."""
    if not bounces:
        return
    ids, kinds, times, said = zip(*bounces, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE marketing_campaignexecution AS message
            SET state = 'bounced', error_kind = bounce.kind, error = bounce.said, lease = NULL
            FROM unnest(%s::bigint[], %s::text[], %s::timestamptz[], %s::text[]) AS bounce (id, kind, at, said)
            WHERE message.id = bounce.id
              AND (message.state = 'sent'
                   OR message.state = 'delivered' AND (bounce.kind = 'hard_bounce' OR bounce.at > message.delivered_at)
                   OR message.state = 'bounced' AND bounce.kind = 'hard_bounce')
            """,
            [list(ids), list(kinds), list(times), list(said)],
        )


def fail(execution_id: int, said: str) -> None:
    """The provider gave up on a message that it had taken."""
    CampaignExecution.objects.filter(
        pk=execution_id, state__in=[State.SENT, State.UNCONFIRMED]
    ).update(
        state=State.FAILED,
        error=said,
        error_kind=ErrorKind.REFUSED,
        failed_at=Coalesce(F("failed_at"), Now()),
        lease=None,
    )
