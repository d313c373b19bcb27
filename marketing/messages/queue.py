"""The queue of messages: enqueue them for a batch, claim the ones that are due, release and postpone claimed ones.

A worker claims messages by a lease. A worker that dies loses its claim when the lease ends: its messages still wait, and others claim
them. `next_attempt_at` is the due time of a message, NULL where it is due at once. A message that waits for the winner of an A/B test
has no variant yet, and is not claimed before it has.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import IntegrityError, connection, transaction
from django.db.models import Count, Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from customers.querysets import CustomerQuerySet
from marketing.content import CUSTOMER_FIELDS
from marketing.messages import batches
from marketing.messages.plan import ClaimedMessage, lease_time
from marketing.messages.recipients import Recipients, judged, with_due_times
from marketing.models import CampaignExecution, CampaignRun
from marketing.models.execution import ALWAYS_DUE

CLAIM_SIZE = 100
MESSAGE_COLUMNS = ("pk", "customer_id", "address", "variant", "attempts", "context")
CUSTOMER_COLUMNS = (*CUSTOMER_FIELDS, "timezone")

State = CampaignExecution.State


class Enqueued(NamedTuple):
    """The number of customers seen, the highest of their ids, and the number of messages added, skipped ones among them."""

    customers: int
    last_customer_id: int | None
    messages: int


class Visit(NamedTuple):
    """A workflow's reason for a message: the customer, the name of the visit of a step, and the context of the message."""

    customer_id: int
    name: str
    context: Mapping[str, Any]


class PastMessage(NamedTuple):
    """A message that another system sent, or did not send to a customer of the holdout group."""

    batch_id: int
    customer_id: int
    variant: str
    is_holdout: bool
    at: datetime


def enqueue(
    batch: CampaignRun,
    customers: CustomerQuerySet | Recipients,
    *,
    not_before: datetime | None = None,
    context: Mapping[str, Any] | None = None,
    contexts: Mapping[int, Mapping[str, Any]] | None = None,
) -> Enqueued:
    """Add a message to the batch for each customer without one, skipped where the batch's policy says so.

    A queryset is judged by the policy here, a SELECT of recipients was judged before. `context` is what the variables `event.…` and
    `data.…` of all messages stand for, `contexts` what they stand for in the message to the customer with an id. Nothing is sent before
    `not_before`, the end of quiet hours, and the customer's local time.
    """
    plan = batches.plan_of(batch)
    if not isinstance(customers, Recipients):
        customers = judged(plan.policy, customers, batch=batch)
    recipients = with_due_times(
        customers,
        plan.policy,
        local_due=plan.local_due,
        not_before=not_before,
        undecided_until=batch.decides_at,
    )
    try:
        with transaction.atomic():
            return _insert(batch, recipients, context or {}, contexts or {}, ignore_conflicts=False)
    except IntegrityError:
        # Some customers have a message already: checking for each row takes longer, and is rarely needed.
        return _insert(batch, recipients, context or {}, contexts or {}, ignore_conflicts=True)


def enqueue_visits(
    batch: CampaignRun, customers: CustomerQuerySet | Recipients, visits: Sequence[Visit]
) -> dict[str, str]:
    """Add a message to the batch for each visit by one of the customers; returns the skip reason of each visit, "" for none.

    A customer may have several. A visit that has its message keeps it.
    """
    plan = batches.plan_of(batch)
    if not isinstance(customers, Recipients):
        customers = judged(plan.policy, customers)
    recipients = with_due_times(customers, plan.policy)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH recipient AS MATERIALIZED ({recipients.sql})
            INSERT INTO marketing_campaignexecution
                (run_id, customer_id, address, state, skip_reason, variant, next_attempt_at, visit, context)
            SELECT %s, id, address, CASE reason WHEN '' THEN 'pending' ELSE 'skipped' END, reason, variant, due_at, visit.name,
                visit.context
            FROM recipient JOIN unnest(%s::bigint[], %s::text[], %s::jsonb[]) AS visit (customer, name, context)
                ON visit.customer = recipient.id
            ORDER BY id ON CONFLICT (visit) WHERE visit IS NOT NULL DO NOTHING
            """,
            [
                *recipients.parameters,
                batch.pk,
                [each.customer_id for each in visits],
                [each.name for each in visits],
                [json.dumps(each.context) for each in visits],
            ],
        )
    names = [each.name for each in visits]
    rows = CampaignExecution.objects.filter(visit__in=names).values_list("visit", "skip_reason")
    return {str(name): reason for name, reason in rows}


def add_past(messages: Iterable[PastMessage]) -> list[tuple[int, PastMessage]]:
    """Add messages that were sent by another system; returns the new ones with their ids.

    A customer who has a message of the batch keeps it.
    """
    columns = [list(column) for column in zip(*messages, strict=True)]
    if not columns:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO marketing_campaignexecution
                (run_id, customer_id, variant, state, skip_reason, sending_at, sent_at, created_at)
            SELECT run, customer, variant, CASE WHEN holdout THEN 'skipped' ELSE 'sent' END,
                   CASE WHEN holdout THEN 'holdout' ELSE '' END,
                   CASE WHEN NOT holdout THEN at END, CASE WHEN NOT holdout THEN at END, at
            FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::boolean[], %s::timestamptz[])
                AS past (run, customer, variant, holdout, at)
            ORDER BY run, customer
            ON CONFLICT (run_id, customer_id) WHERE visit IS NULL DO NOTHING
            RETURNING id, run_id, customer_id, variant, state = 'skipped', created_at
            """,
            columns,
        )
        return [(pk, PastMessage(*row)) for pk, *row in cursor.fetchall()]


def claim(batch: CampaignRun, lease: uuid.UUID, limit: int = CLAIM_SIZE) -> list[ClaimedMessage]:
    """Claim the next due messages of a batch, with their customers: those that wait for no time first, then the longest due."""
    now = timezone.now()
    with connection.cursor() as cursor:
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
            [lease, now + lease_time(), batch.pk, batch.decides_at is None, now, now, limit],
        )
        claimed = [row[0] for row in cursor.fetchall()]
    rows = (
        CampaignExecution.objects.filter(pk__in=claimed)
        .order_by(Coalesce("next_attempt_at", ALWAYS_DUE), "pk")
        .values_list(*MESSAGE_COLUMNS, *(f"customer__{column}" for column in CUSTOMER_COLUMNS))
    )
    return [
        ClaimedMessage(
            pk,
            customer_id,
            address,
            variant,
            attempts,
            context,
            dict(zip(CUSTOMER_COLUMNS, customer, strict=True)),
        )
        for pk, customer_id, address, variant, attempts, context, *customer in rows
    ]


def release(batch: CampaignRun, lease: uuid.UUID) -> None:
    """Release the messages that a worker has claimed and not begun to send."""
    CampaignExecution.objects.filter(run=batch, lease=lease).waiting().update(
        lease=None, leased_until=None
    )


def postpone(message_ids: Sequence[int], lease: uuid.UUID, until: datetime) -> None:
    """Release claimed messages, which are due at a later time."""
    CampaignExecution.objects.filter(pk__in=message_ids, lease=lease).waiting().update(
        next_attempt_at=until, lease=None, leased_until=None
    )


def count_workers(batch: CampaignRun) -> int:
    """Return how many workers have claimed messages of a batch; a dead one counts until its lease ends."""
    claimed = CampaignExecution.objects.filter(run=batch, leased_until__gte=timezone.now())
    return claimed.aggregate(workers=Count("lease", distinct=True))["workers"]


def has_due(batch: CampaignRun) -> bool:
    """Return whether a worker could claim a message of the batch now."""
    now = timezone.now()
    due = CampaignExecution.objects.alias(due_at=Coalesce("next_attempt_at", ALWAYS_DUE)).filter(
        run=batch, due_at__lte=now
    )
    decided = ~Q(variant="") if batch.decides_at else Q()
    unclaimed = Q(leased_until__isnull=True) | Q(leased_until__lt=now)
    return due.filter(decided, unclaimed).waiting().exists()


def _insert(
    batch: CampaignRun,
    recipients: Recipients,
    context: Mapping[str, Any],
    contexts: Mapping[int, Mapping[str, Any]],
    *,
    ignore_conflicts: bool,
) -> Enqueued:
    """Write the messages by one statement. Raises IntegrityError where a customer has one already, unless that is ignored."""
    on_conflict, messages = "", "count(*)"
    if ignore_conflicts:
        on_conflict = (
            "ON CONFLICT (run_id, customer_id) WHERE visit IS NULL DO NOTHING RETURNING id"
        )
        messages = "(SELECT count(*) FROM added)"
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH recipient AS MATERIALIZED ({recipients.sql}), added AS (
                INSERT INTO marketing_campaignexecution
                    (run_id, customer_id, address, state, skip_reason, variant, next_attempt_at, context)
                SELECT %s, id, address, CASE reason WHEN '' THEN 'pending' ELSE 'skipped' END, reason, variant, due_at,
                    %s::jsonb || coalesce(%s::jsonb -> id::text, '{{}}')
                FROM recipient ORDER BY id {on_conflict}
            )
            SELECT count(*), max(id), {messages} FROM recipient
            """,
            [*recipients.parameters, batch.pk, json.dumps(context), json.dumps(contexts)],
        )
        return Enqueued(*cursor.fetchone())
