"""Turn the failures of HTTP APIs into SendErrors."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import requests

from crm.outbound.session import never_sent, reason
from marketing.channels.base import (
    AccountError,
    PermanentError,
    SendError,
    TransientError,
    UncertainError,
)
from marketing.channels.receipts import ReceiptKind
from marketing.channels.refusal_texts import Topic
from marketing.channels.refusals import topic_of

LATER = frozenset({408, 425, 429})
ACCOUNT_REFUSED = frozenset({401, 402, 403})
API_REFUSED = ACCOUNT_REFUSED | {404, 405}
"""The same for an API with one address for all messages: no domain, stream or account of this name is a fault of the settings."""
LONGEST_ANSWER = 300


@contextmanager
def as_send_errors(*, idempotent: bool = False) -> Iterator[None]:
    """Turn a request that fails into a SendError, transient if nothing was sent or repeating is safe."""
    try:
        yield
    except requests.RequestException as error:
        raise lost(error, idempotent=idempotent) from error


def lost(error: requests.RequestException, *, idempotent: bool = False) -> SendError:
    """Return the SendError for a request without a response."""
    if idempotent or never_sent(error):
        return TransientError(f"The provider cannot be reached: {reason(error)}")
    return UncertainError(f"The provider did not answer: {reason(error)}")


def check(response: requests.Response) -> None:
    """Raises the SendError that the answer stands for; nothing for a success."""
    if not response.ok:
        raise refused(response.status_code, response.text, response.headers)


def refused(
    status: int,
    answer: str,
    headers: Mapping[str, str] | None = None,
    *,
    bad: bool = False,
    of_account: Collection[int] = ACCOUNT_REFUSED,
) -> SendError:
    """Return the SendError for a response of this status. With `bad`, the provider's own code blames the address.

    `of_account` are the statuses that blame the sender whatever the answer says.
    """
    text = f"{status} {' '.join(answer.split())[:LONGEST_ANSWER]}".strip()
    wait = retry_after(headers or {})
    if bad:
        return PermanentError(text, address_is_bad=True)
    topic = topic_of(text)
    if status in of_account or topic == Topic.SENDER:
        return AccountError(text, retry_after=wait)
    if status >= 500 or status in LATER or topic == Topic.RATE:
        return TransientError(text, retry_after=wait)
    blocked = topic == Topic.BLOCKED
    return PermanentError(text, kind=ReceiptKind.BLOCKED if blocked else ReceiptKind.FAILED)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds of a Retry-After header (RFC 9110, 10.2.3), or until the time in X-RateLimit-Reset; None without both.

    The first gives seconds or a date, the second ISO 8601 (Mastodon) or seconds since 1970 (SendGrid).
    """
    if delay := headers.get("Retry-After"):
        return float(delay) if delay.isdecimal() else _until(delay, parsedate_to_datetime)
    if reset := headers.get("X-RateLimit-Reset"):
        return _until(reset, _epoch if reset.isdecimal() else datetime.fromisoformat)
    return None


def _until(written: str, parse: Callable[[str], datetime]) -> float | None:
    try:
        return max(parse(written).timestamp() - time.time(), 0.0)
    except (TypeError, ValueError, OverflowError):
        return None


def _epoch(seconds: str) -> datetime:
    return datetime.fromtimestamp(int(seconds), UTC)
