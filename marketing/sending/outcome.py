"""What came of handing a message over, and writing it down."""

from __future__ import annotations

import random
import uuid
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
from marketing.models import CampaignExecution, CampaignRun

FIRST_RETRY = timedelta(seconds=30)
LONGEST_RETRY = timedelta(hours=1)
LONGEST_ERROR = 1_000

State = CampaignExecution.State


@dataclass(frozen=True, slots=True)
class Outcome:
    """One of sent, retry, failed or unconfirmed, when, and what the provider said."""

    state: str
    at: datetime
    provider_id: str = ""
    error: str = ""
    address_is_bad: bool = False


def hand_over(provider: Connection, message: Message, *, attempts: int) -> Outcome:
    """Send the message and say what happened; every failure of a provider is an outcome, none is raised.

    `attempts` counts this one; at settings.SENDING_MAX_ATTEMPTS a transient failure is final.
    """
    try:
        receipt = provider.send(message)
    except TransientError as error:
        final = attempts >= settings.SENDING_MAX_ATTEMPTS
        return Outcome(State.FAILED if final else State.RETRY, timezone.now(), error=str(error))
    except PermanentError as error:
        return Outcome(
            State.FAILED, timezone.now(), error=str(error), address_is_bad=error.address_is_bad
        )
    except UncertainError as error:
        return Outcome(State.UNCONFIRMED, timezone.now(), error=str(error))
    return Outcome(State.SENT, timezone.now(), provider_id=receipt.provider_id)


def retry_delay(attempts: int) -> timedelta:
    """How long to wait after the given number of attempts: exponential, with full jitter.

    Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    """
    ceiling = min(FIRST_RETRY * 2 ** (attempts - 1), LONGEST_RETRY)
    return ceiling * random.uniform(0.5, 1)  # noqa: S311


def write_down(
    run: CampaignRun, execution: CampaignExecution, lease: uuid.UUID, outcome: Outcome
) -> bool:
    """Record the outcome of a message that this worker marked `sending`, and put a sent one on the timeline.

    False when the row is someone else's by now. To be called in a transaction.
    """
    retries = outcome.state == State.RETRY
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE marketing_campaignexecution
            SET state = %(state)s, error = %(error)s, provider_id = %(provider_id)s, leased_until = NULL,
                lease = CASE WHEN %(retries)s THEN NULL ELSE lease END,
                next_attempt_at = %(next_attempt_at)s,
                sent_at = CASE WHEN %(state)s = 'sent' THEN %(at)s END,
                failed_at = CASE WHEN %(state)s = 'failed' THEN %(at)s END
            WHERE id = %(id)s AND lease = %(lease)s AND state IN ('sending', 'unconfirmed')
            """,
            {
                "state": outcome.state,
                "error": outcome.error[:LONGEST_ERROR],
                "provider_id": outcome.provider_id,
                "retries": retries,
                "next_attempt_at": outcome.at + retry_delay(execution.attempts)
                if retries
                else None,
                "at": outcome.at,
                "id": execution.pk,
                "lease": lease,
            },
        )
        won = cursor.rowcount == 1
    if not won:
        return False
    if outcome.state == State.SENT:
        record_interactions([_sent(run, execution, outcome)])
    if outcome.address_is_bad:
        consent.suppress(
            run.campaign.channel,
            execution.address,
            Suppression.Reason.HARD_BOUNCE,
            outcome.error[:500],
        )
    return True


def skip_as_invalid(execution: CampaignExecution, lease: uuid.UUID, error: str) -> None:
    """Pass over a message that cannot be rendered for its recipient."""
    CampaignExecution.objects.filter(pk=execution.pk, lease=lease).waiting().update(
        state=State.SKIPPED,
        skip_reason=CampaignExecution.SkipReason.INVALID_CONTENT,
        error=error[:LONGEST_ERROR],
        lease=None,
        leased_until=None,
    )


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
