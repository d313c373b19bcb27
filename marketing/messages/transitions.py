"""The states of a message, and the only functions that change them.

pending → sending → sent → delivered, bounced or complained; or skipped, retry, failed and unconfirmed. A worker marks messages `sending`
and commits that just before they leave, never more of them than it has connections: a dead worker leaves at most one message in doubt
for each connection. Receipts may come twice, late, in any order, and before the worker's own result. Delivered and bounced are final,
but for a delivery after a soft bounce or a block, and for a hard bounce; a complaint outlives them all.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import F, Max, Q, QuerySet
from django.db.models.functions import Coalesce, Now
from django.utils import timezone

from customers import consent
from customers.models import Suppression
from customers.timeline import append_sql, types
from marketing.channels import idempotent_providers
from marketing.messages.due import retry_delay
from marketing.messages.eligibility import claim_send_once_key, lock_customers, skip_reason_sql
from marketing.messages.plan import ClaimedMessage, SendPlan, lease_time
from marketing.models import CampaignExecution, CampaignRun

LONGEST_ERROR = 1_000
LONGEST_PROVIDER_ID = 255

State = CampaignExecution.State
ErrorKind = CampaignExecution.ErrorKind
SkipReason = CampaignExecution.SkipReason

ABOUT_THE_CUSTOMER = frozenset({ErrorKind.HARD_BOUNCE, ErrorKind.UNWANTED})
PROVIDER_FAULTS = (
    ErrorKind.SOFT_BOUNCE,
    ErrorKind.BLOCKED,
    ErrorKind.REFUSED,
    ErrorKind.ACCOUNT,
    ErrorKind.TEMPORARY,
)
"""The kinds of errors that the provider may be to blame for, where it sends no other message meanwhile."""
SOFT_BOUNCES = (ErrorKind.SOFT_BOUNCE, ErrorKind.BLOCKED)

CANCELLED: dict[str, Any] = {
    "state": State.SKIPPED,
    "skip_reason": SkipReason.CANCELLED,
    "lease": None,
    "leased_until": None,
}
"""The fields of a waiting message that is not to be sent any more."""


_RECORD = f"""
    result AS MATERIALIZED (
        SELECT * FROM jsonb_to_recordset(%s::jsonb) AS result (
            id bigint, state text, error text, error_kind text, provider_id text, next_attempt_at timestamptz, at timestamptz,
            properties jsonb
        )
    ), recorded AS (
        UPDATE marketing_campaignexecution AS message
        SET state = result.state, error = result.error, error_kind = result.error_kind, provider_id = result.provider_id,
            leased_until = NULL, lease = CASE result.state WHEN 'unconfirmed' THEN message.lease END,
            next_attempt_at = result.next_attempt_at,
            sent_at = CASE result.state WHEN 'sent' THEN result.at END,
            failed_at = CASE result.state WHEN 'failed' THEN result.at END,
            bounced_at = CASE WHEN result.error_kind = 'hard_bounce' THEN coalesce(message.bounced_at, result.at)
                ELSE message.bounced_at END
        FROM result
        WHERE message.id = ANY(%s::bigint[]) AND message.id = result.id
          AND message.lease = %s AND message.state IN ('sending', 'unconfirmed')
        RETURNING message.id, message.customer_id, result.state, result.at, result.properties,
            result.error_kind = 'hard_bounce' AS is_refused, message.bounced_at = result.at AS is_first
    ), happened AS (
        SELECT customer_id, CASE state WHEN 'sent' THEN '{types.MESSAGE_SENT}' ELSE '{types.MESSAGE_BOUNCED}' END AS type,
            at AS occurred_at,
            properties || CASE WHEN is_refused THEN jsonb_build_object('bounce', 'hard_bounce', 'refused', true, 'first', is_first)
                ELSE '{{}}' END AS properties,
            %s::bigint AS campaign_id, id AS execution_id
        FROM recorded WHERE state = 'sent' OR is_refused
    ), logged AS ({append_sql("happened")})
"""
"""A hard bounce at the door goes on the timeline as a later one does; `refused` says that the provider never took the message."""
_MARK = """
    marked AS (
        UPDATE marketing_campaignexecution AS message
        SET state = 'sending', sending_at = %s, leased_until = %s, links = %s::jsonb -> message.id::text,
            attempts = attempts + CASE state WHEN 'sending' THEN 0 ELSE 1 END
        WHERE id = ANY(%s::bigint[]) AND lease = %s AND state IN ('pending', 'retry', 'sending')
          AND (SELECT state FROM marketing_campaignrun WHERE id = %s) = 'sending'
          AND ({reason_sql}) = ''
        RETURNING id, attempts
    )
"""


@dataclass(frozen=True, slots=True)
class SendResult:
    """The result of one attempt: sent, retry, failed or unconfirmed, when, and what the provider reported.

    `retry_after` is in seconds, where the provider requested a pause.
    """

    state: str
    at: datetime
    provider_id: str = ""
    error: str = ""
    error_kind: str = ""
    retry_after: float | None = None

    @property
    def provider_answers(self) -> bool:
        """Return whether the provider works: it took the message, or proved something about the recipient."""
        return self.state == State.SENT or self.error_kind in ABOUT_THE_CUSTOMER


Attempted = tuple[ClaimedMessage | CampaignExecution, SendResult]


@dataclass(frozen=True, slots=True)
class Advanced:
    """The ids of the messages whose results were recorded, and of those that may leave now."""

    recorded: frozenset[int] = frozenset()
    marked: frozenset[int] = frozenset()


def advance(
    batch: CampaignRun,
    plan: SendPlan,
    lease: uuid.UUID,
    *,
    attempted: Sequence[Attempted] = (),
    leaving: Sequence[ClaimedMessage] = (),
    meanwhile: Callable[[], None] | None = None,
) -> Advanced:
    """Record the results of messages that this worker marked, and mark the next ones as sending, by one statement.

    Messages that were sent go on the timeline. A result is not recorded twice, nor for a message that another worker or a receipt has
    moved on. A message is not marked when another worker claimed it, when the batch is not sending, and when the recheck of the policy
    finds a skip reason. Repeating a call whose commit was not confirmed records nothing twice, and marks the same messages. `meanwhile`
    runs while the database works; a query of its own waits for that.
    """
    by_id = {each.pk: each for each in leaving}
    policy = plan.policy
    with _transaction(plan, attempted, leaving):
        if leaving:
            lock_customers(policy, [each.customer_id for each in leaving])
        recorded, attempts = _execute(batch, plan, lease, attempted, by_id, meanwhile)
        for message, result in attempted:
            if result.error_kind in ABOUT_THE_CUSTOMER and message.pk in recorded:
                _update_consent(plan.channel, message, result)
        if leaving:
            claim_send_once_key(policy, list(attempts))
    for pk, number in attempts.items():
        by_id[pk].attempts = number
    return Advanced(frozenset(recorded), frozenset(attempts))


def mark_sending(
    batch: CampaignRun, plan: SendPlan, lease: uuid.UUID, messages: Sequence[ClaimedMessage]
) -> frozenset[int]:
    """Mark claimed messages as sending; returns the ids of those that may leave now."""
    return advance(batch, plan, lease, leaving=messages).marked


def record_results(
    batch: CampaignRun, plan: SendPlan, lease: uuid.UUID, attempted: Sequence[Attempted]
) -> frozenset[int]:
    """Record the results of messages marked under the lease; returns the ids of those recorded."""
    return advance(batch, plan, lease, attempted=attempted).recorded


def mark_unconfirmed() -> int:
    """Mark the messages that a dead worker was sending as unconfirmed; returns how many.

    They are not sent again before a receipt or a user says that they did not arrive. The lease stays, so that a slow worker can still
    record its result. A provider that takes an idempotency key is asked again.
    """
    lost = CampaignExecution.objects.filter(state=State.SENDING, leased_until__lt=timezone.now())
    asked_again = lost.filter(run__sender__provider__in=idempotent_providers()).update(
        state=State.RETRY, lease=None, leased_until=None
    )
    return asked_again + lost.update(
        state=State.UNCONFIRMED,
        leased_until=None,
        error="The worker was lost while it sent the message.",
        error_kind=ErrorKind.LOST,
    )


def skip(message_ids: Collection[int], lease: uuid.UUID, reason: str, error: str = "") -> None:
    """Skip messages that a worker has claimed, for a reason."""
    CampaignExecution.objects.filter(pk__in=message_ids, lease=lease).waiting().update(
        state=State.SKIPPED,
        skip_reason=reason,
        error=storable(error, LONGEST_ERROR),
        lease=None,
        leased_until=None,
    )


def cancel(batch_ids: Collection[int]) -> None:
    """Skip the messages of batches that have not left."""
    CampaignExecution.objects.filter(run__in=batch_ids).waiting().update(**CANCELLED)


def cancel_visits(visits: Sequence[str]) -> None:
    """Skip the messages of these visits of workflows that have not left."""
    CampaignExecution.objects.filter(visit__in=visits).waiting().update(**CANCELLED)


def retry(messages: QuerySet[CampaignExecution], note: str = "") -> int:
    """Queue failed messages again, with all attempts before them; returns how many."""
    return messages.filter(state=State.FAILED).update(
        state=State.RETRY,
        attempts=0,
        next_attempt_at=timezone.now(),
        failed_at=None,
        error=note,
        error_kind="",
    )


def allow_another_attempt(channel: str, addresses: Collection[str]) -> int:
    """Let users retry failed messages to addresses that turned out to be valid; returns how many."""
    bounced = CampaignExecution.objects.filter(state=State.FAILED, error_kind=ErrorKind.HARD_BOUNCE)
    return bounced.filter(run__campaign__channel=channel, address__in=addresses).update(
        error_kind=ErrorKind.REFUSED
    )


def retry_since_last_sent(batch: CampaignRun) -> int:
    """Queue the messages of a batch again that failed since its last one was sent, as the provider was to blame; returns how many."""
    messages = CampaignExecution.objects.filter(run=batch, error_kind__in=PROVIDER_FAULTS)
    last_sent = CampaignExecution.objects.filter(run=batch).aggregate(at=Max("sent_at"))["at"]
    if last_sent:
        messages = messages.filter(sending_at__gt=last_sent)
    refused = Q(state=State.RETRY, error_kind=ErrorKind.ACCOUNT)
    return messages.filter(Q(state=State.FAILED) | refused).update(
        state=State.RETRY, attempts=0, next_attempt_at=timezone.now(), failed_at=None
    )


def confirm_sent(message_ids: Collection[int]) -> list[int]:
    """Mark messages with a receipt as sent that were in doubt or still being sent; returns their ids.

    They count as sent when they were handed to the provider. A message that was to be retried is not sent again.
    """
    if not message_ids:
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
            [list(message_ids)],
        )
        return [row[0] for row in cursor.fetchall()]


def record_delivery(message_ids: Collection[int]) -> None:
    """Mark sent messages as delivered, those among them that had bounced softly before."""
    if not message_ids:
        return
    softly = Q(state=State.BOUNCED, error_kind__in=SOFT_BOUNCES, delivered_at__gte=F("bounced_at"))
    CampaignExecution.objects.filter(Q(state=State.SENT) | softly, pk__in=message_ids).update(
        state=State.DELIVERED, error="", error_kind=""
    )


def record_complaint(message_ids: Collection[int]) -> None:
    """Mark sent or delivered messages as reported for spam."""
    if not message_ids:
        return
    CampaignExecution.objects.filter(
        pk__in=message_ids, state__in=[State.SENT, State.DELIVERED]
    ).update(state=State.COMPLAINED)


def record_bounce(bounces: Sequence[tuple[int, str, datetime, str]]) -> None:
    """Mark messages as bounced, from (message id, error kind, time, detail); a soft bounce does not undo a later delivery."""
    if not bounces:
        return
    ids, kinds, times, details = zip(*bounces, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE marketing_campaignexecution AS message
            SET state = 'bounced', error_kind = bounce.kind, error = bounce.detail, lease = NULL
            FROM unnest(%s::bigint[], %s::text[], %s::timestamptz[], %s::text[]) AS bounce (id, kind, at, detail)
            WHERE message.id = bounce.id
              AND (message.state = 'sent'
                   OR message.state = 'delivered' AND (bounce.kind = 'hard_bounce' OR bounce.at > message.delivered_at)
                   OR message.state = 'bounced' AND bounce.kind = 'hard_bounce')
            """,
            [list(ids), list(kinds), list(times), list(details)],
        )


def record_failure(
    message_id: int, detail: str, kind: ErrorKind = CampaignExecution.ErrorKind.REFUSED
) -> None:
    """Mark a message as failed that the provider had taken and then gave up."""
    CampaignExecution.objects.filter(
        pk=message_id, state__in=[State.SENT, State.UNCONFIRMED]
    ).update(
        state=State.FAILED,
        error=detail,
        error_kind=kind,
        failed_at=Coalesce(F("failed_at"), Now()),
        lease=None,
    )


def storable(text: str, longest: int) -> str:
    """Return text that PostgreSQL can store: without NUL and halves of surrogate pairs, cut to a length."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()[:longest]


def _transaction(
    plan: SendPlan, attempted: Sequence[Attempted], leaving: Sequence[ClaimedMessage]
) -> AbstractContextManager[None]:
    """Open a transaction unless there is one statement alone, which spares two round trips to the database."""
    locks = bool(leaving) and plan.policy.depends_on_other_messages
    consents = any(result.error_kind in ABOUT_THE_CUSTOMER for _message, result in attempted)
    return transaction.atomic() if locks or consents else nullcontext()


def _execute(
    batch: CampaignRun,
    plan: SendPlan,
    lease: uuid.UUID,
    attempted: Sequence[Attempted],
    leaving: dict[int, ClaimedMessage],
    meanwhile: Callable[[], None] | None,
) -> tuple[set[int], dict[int, int]]:
    """Return the ids of the recorded messages, and those of the marked ones with the number of their attempt."""
    steps: list[str] = []
    columns: list[str] = []
    parameters: list[Any] = []
    if attempted:
        steps.append(_RECORD)
        columns.append("SELECT id, NULL::smallint AS attempts FROM recorded")
        rows = json.dumps([_row(batch, plan, *each) for each in attempted])
        ids = [message.pk for message, _result in attempted]
        parameters += [rows, ids, lease, batch.campaign_id]
    if leaving:
        reason, reason_parameters = skip_reason_sql(plan.policy)
        now = timezone.now()
        steps.append(_MARK.format(reason_sql=reason))
        columns.append("SELECT id, attempts FROM marked")
        links = json.dumps({pk: each.links for pk, each in leaving.items() if each.links})
        ids = list(leaving)
        parameters += [now, now + lease_time(), links, ids, lease, batch.pk, *reason_parameters]
    if not steps:
        return set(), {}
    statement = f"WITH {', '.join(steps)} {' UNION ALL '.join(columns)}"
    with connection.cursor() as cursor, connection.wrap_database_errors:
        # a pipeline sends the statement without waiting for its result
        with connection.connection.pipeline():
            cursor.execute(statement, parameters)
            if meanwhile:
                meanwhile()
        found = cursor.fetchall()
    recorded = {pk for pk, attempts in found if attempts is None}
    return recorded, {pk: attempts for pk, attempts in found if attempts is not None}


def _row(
    batch: CampaignRun,
    plan: SendPlan,
    message: ClaimedMessage | CampaignExecution,
    result: SendResult,
) -> dict[str, object]:
    next_attempt_at = _next_attempt(message.attempts, result)
    return {
        "id": message.pk,
        "state": result.state,
        "error": storable(result.error, LONGEST_ERROR),
        "error_kind": result.error_kind,
        "provider_id": storable(result.provider_id, LONGEST_PROVIDER_ID),
        "next_attempt_at": next_attempt_at and next_attempt_at.isoformat(),
        "at": result.at.isoformat(),
        "properties": {
            "run": batch.pk,
            "channel": plan.channel,
            **({"variant": message.variant} if message.variant else {}),
            **({"simulated": True} if batch.simulated else {}),
        },
    }


def _next_attempt(attempts: int, result: SendResult) -> datetime | None:
    if result.state != State.RETRY:
        return None
    return result.at + timedelta(seconds=result.retry_after or 0) + retry_delay(attempts)


def _update_consent(
    channel: str, message: ClaimedMessage | CampaignExecution, result: SendResult
) -> None:
    """Opt out a customer who unsubscribed at the provider, and suppress an address that does not exist."""
    evidence = storable(result.error, LONGEST_ERROR)
    if result.error_kind == ErrorKind.UNWANTED:
        consent.opt_out_addresses(
            channel, [message.address], evidence, customer_ids=[message.customer_id]
        )
    else:
        consent.suppress(channel, message.address, Suppression.Reason.HARD_BOUNCE, evidence)
