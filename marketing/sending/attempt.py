"""One attempt to hand a message to a provider, and its result."""

from __future__ import annotations

import logging

from django.conf import settings
from django.utils import timezone

from marketing.channels import (
    Connection,
    Message,
    PermanentError,
    ReceiptKind,
    TransientError,
    UncertainError,
)
from marketing.messages.transitions import SendResult
from marketing.models import CampaignExecution

State = CampaignExecution.State
ErrorKind = CampaignExecution.ErrorKind

ERROR_KINDS = {
    ReceiptKind.BOUNCED_HARD: ErrorKind.HARD_BOUNCE,
    ReceiptKind.BOUNCED_SOFT: ErrorKind.SOFT_BOUNCE,
    ReceiptKind.BLOCKED: ErrorKind.BLOCKED,
    ReceiptKind.UNSUBSCRIBED: ErrorKind.UNWANTED,
}

logger = logging.getLogger(__name__)


def attempt(
    connection: Connection, message: Message, *, attempts: int, idempotent: bool = False
) -> SendResult:
    """Send the message and return the result; raises nothing.

    `attempts` counts this one; at settings.SENDING_MAX_ATTEMPTS a transient error is final. An `idempotent` provider is asked again
    after an uncertain one.
    """
    try:
        receipt = connection.send(message)
    except TransientError as error:
        return _transient(error, attempts, error.retry_after)
    except PermanentError as error:
        kind = ERROR_KINDS.get(error.kind, ErrorKind.REFUSED)
        return SendResult(State.FAILED, timezone.now(), error=str(error), error_kind=kind)
    except UncertainError as error:
        return _transient(error, attempts) if idempotent else _uncertain(error)
    except Exception as error:
        logger.exception("The provider's module failed on message %s", message.key)
        return _uncertain(error)
    return SendResult(State.SENT, timezone.now(), provider_id=receipt.provider_id)


def _transient(error: Exception, attempts: int, retry_after: float | None = None) -> SendResult:
    is_last = attempts >= settings.SENDING_MAX_ATTEMPTS
    return SendResult(
        State.FAILED if is_last else State.RETRY,
        timezone.now(),
        error=str(error),
        error_kind=ErrorKind.TEMPORARY,
        retry_after=retry_after,
    )


def _uncertain(error: Exception) -> SendResult:
    return SendResult(
        State.UNCONFIRMED, timezone.now(), error=str(error), error_kind=ErrorKind.LOST
    )
