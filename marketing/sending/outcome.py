"""What came of handing a message over, and writing it down."""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection
from django.utils import timezone

from customers import consent
from customers import events as timeline
from customers.ingest.record import NewInteraction, record_interactions
from customers.models import Suppression
from marketing.channels.base import (
    Connection,
    Message,
    PermanentError,
    TransientError,
    UncertainError,
)
from marketing.channels.receipts import Kind
from marketing.models import CampaignExecution, CampaignRun
from marketing.sending.backoff import retry_delay

LONGEST_ERROR = 1_000
LONGEST_PROVIDER_ID = 255

State = CampaignExecution.State
ErrorKind = CampaignExecution.ErrorKind

FAULTS = {
    Kind.BOUNCED_HARD: ErrorKind.HARD_BOUNCE,
    Kind.BOUNCED_SOFT: ErrorKind.SOFT_BOUNCE,
    Kind.BLOCKED: ErrorKind.BLOCKED,
}

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One of sent, retry, failed or unconfirmed, when, and what the provider said; `retry_after` in seconds where it asked to wait."""

    state: str
    at: datetime
    provider_id: str = ""
    error: str = ""
    error_kind: str = ""
    retry_after: float | None = None

    @property
    def provider_answers(self) -> bool:
        """Whether the provider does its work: it took the message, or knows that the address is no good."""
        about_the_mailbox = {ErrorKind.HARD_BOUNCE, ErrorKind.SOFT_BOUNCE}
        return self.state == State.SENT or self.error_kind in about_the_mailbox


def hand_over(
    provider: Connection, message: Message, *, attempts: int, idempotent: bool = False
) -> Outcome:
    """Send the message and say what happened; every failure is an outcome, none is raised.

    `attempts` counts this one; at settings.SENDING_MAX_ATTEMPTS a transient failure is final. An `idempotent` provider is simply asked
    again after an uncertain one.
    """
    try:
        receipt = provider.send(message)
    except TransientError as error:
        return _not_now(error, attempts, error.retry_after)
    except PermanentError as error:
        kind = FAULTS.get(error.kind, ErrorKind.REFUSED)
        return Outcome(State.FAILED, timezone.now(), error=str(error), error_kind=kind)
    except UncertainError as error:
        return _not_now(error, attempts) if idempotent else _lost(error)
    except Exception as error:
        logger.exception("Message %s broke its provider's module", message.key)
        return _lost(error)
    return Outcome(State.SENT, timezone.now(), provider_id=receipt.provider_id)


def write_down(
    run: CampaignRun,
    ended: Sequence[tuple[CampaignExecution, Outcome]],
    lease: uuid.UUID,
) -> set[int]:
    """Record the outcomes of messages that this worker marked `sending`, and put those sent on the timeline.

    Returns the ids of those written; left out is what is someone else's by now, and what was written before. To be called in a
    transaction.
    """
    if not ended:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE marketing_campaignexecution AS message
            SET state = ended.state, error = ended.error, error_kind = ended.error_kind, provider_id = ended.provider_id,
                leased_until = NULL, lease = CASE ended.state WHEN 'unconfirmed' THEN message.lease END,
                next_attempt_at = ended.next_attempt_at,
                sent_at = CASE ended.state WHEN 'sent' THEN ended.at END,
                failed_at = CASE ended.state WHEN 'failed' THEN ended.at END
            FROM jsonb_to_recordset(%s::jsonb) AS ended (
                id bigint, state text, error text, error_kind text, provider_id text, next_attempt_at timestamptz, at timestamptz
            )
            WHERE message.id = ANY(%s) AND message.id = ended.id AND message.lease = %s AND message.state IN ('sending', 'unconfirmed')
            RETURNING message.id
            """,
            [
                json.dumps([_row(*each) for each in ended]),
                [each.pk for each, _outcome in ended],
                lease,
            ],
        )
        won = {row[0] for row in cursor.fetchall()}
    written = [(execution, outcome) for execution, outcome in ended if execution.pk in won]
    record_interactions([_sent(run, *each) for each in written if each[1].state == State.SENT])
    for execution, outcome in written:
        if outcome.error_kind == ErrorKind.HARD_BOUNCE:
            _suppress(run, execution, outcome)
    return won


def skip_as_invalid(execution: CampaignExecution, lease: uuid.UUID, error: str) -> None:
    """Pass over a message that cannot be rendered for its recipient."""
    CampaignExecution.objects.filter(pk=execution.pk, lease=lease).waiting().update(
        state=State.SKIPPED,
        skip_reason=CampaignExecution.SkipReason.INVALID_CONTENT,
        error=_storable(error, LONGEST_ERROR),
        lease=None,
        leased_until=None,
    )


def _not_now(error: Exception, attempts: int, retry_after: float | None = None) -> Outcome:
    final = attempts >= settings.SENDING_MAX_ATTEMPTS
    return Outcome(
        State.FAILED if final else State.RETRY,
        timezone.now(),
        error=str(error),
        error_kind=ErrorKind.TEMPORARY,
        retry_after=retry_after,
    )


def _lost(error: Exception) -> Outcome:
    return Outcome(State.UNCONFIRMED, timezone.now(), error=str(error), error_kind=ErrorKind.LOST)


def _row(execution: CampaignExecution, outcome: Outcome) -> dict[str, object]:
    next_attempt_at = _next_attempt(execution, outcome)
    return {
        "id": execution.pk,
        "state": outcome.state,
        "error": _storable(outcome.error, LONGEST_ERROR),
        "error_kind": outcome.error_kind,
        "provider_id": _storable(outcome.provider_id, LONGEST_PROVIDER_ID),
        "next_attempt_at": next_attempt_at and next_attempt_at.isoformat(),
        "at": outcome.at.isoformat(),
    }


def _next_attempt(execution: CampaignExecution, outcome: Outcome) -> datetime | None:
    if outcome.state != State.RETRY:
        return None
    asked = timedelta(seconds=outcome.retry_after or 0)
    return outcome.at + asked + retry_delay(execution.attempts)


def _storable(text: str, longest: int) -> str:
    """What providers say may hold anything; PostgreSQL's text holds neither NUL nor half of a surrogate pair."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()[:longest]


def _sent(run: CampaignRun, execution: CampaignExecution, outcome: Outcome) -> NewInteraction:
    return NewInteraction(
        customer_id=execution.customer_id,
        type=timeline.MESSAGE_SENT,
        occurred_at=outcome.at,
        properties={
            "run": run.pk,
            "channel": run.campaign.channel,
            **({"variant": execution.variant} if execution.variant else {}),
            **({"simulated": True} if run.simulated else {}),
        },
        campaign_id=run.campaign_id,
        execution_id=execution.pk,
    )


def _suppress(run: CampaignRun, execution: CampaignExecution, outcome: Outcome) -> None:
    consent.suppress(
        run.campaign.channel,
        execution.address,
        Suppression.Reason.HARD_BOUNCE,
        _storable(outcome.error, LONGEST_ERROR),
    )
