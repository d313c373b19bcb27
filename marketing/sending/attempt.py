"""What comes of handing a message over."""

from __future__ import annotations

import logging
import uuid
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.utils import timezone

from marketing.channels.base import (
    Connection,
    Message,
    PermanentError,
    TransientError,
    UncertainError,
)
from marketing.channels.receipts import Kind
from marketing.models import CampaignExecution
from marketing.sending.claimed_message import Held

LONGEST_ERROR = 1_000

State = CampaignExecution.State
ErrorKind = CampaignExecution.ErrorKind

FAULTS = {
    Kind.BOUNCED_HARD: ErrorKind.HARD_BOUNCE,
    Kind.BOUNCED_SOFT: ErrorKind.SOFT_BOUNCE,
    Kind.BLOCKED: ErrorKind.BLOCKED,
    Kind.UNSUBSCRIBED: ErrorKind.UNWANTED,
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
        """Whether the provider does its work: it took the message, or knows that the address is no good or its owner wants no more."""
        about_the_person = {ErrorKind.HARD_BOUNCE, ErrorKind.SOFT_BOUNCE, ErrorKind.UNWANTED}
        return self.state == State.SENT or self.error_kind in about_the_person


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


def skip_as_invalid(execution: Held, lease: uuid.UUID, error: str) -> None:
    """Pass over a message that cannot be rendered for its recipient."""
    CampaignExecution.objects.filter(pk=execution.pk, lease=lease).waiting().update(
        state=State.SKIPPED,
        skip_reason=CampaignExecution.SkipReason.INVALID_CONTENT,
        error=storable(error, LONGEST_ERROR),
        lease=None,
        leased_until=None,
    )


def storable(text: str, longest: int) -> str:
    """What providers say may hold anything; PostgreSQL's text holds neither NUL nor half of a surrogate pair."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()[:longest]


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
