"""Dead letters: events that a subscriber could not handle, put aside and replayed."""

from __future__ import annotations

import time

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crm import masking
from crm.events import feeds
from crm.events.feeds import Batch, Position
from crm.events.models import DeadLetter

LONGEST_ERROR = 2_000


class NotReplayed(Exception):
    """The subscriber failed again, or cannot handle the event any more; the message says why."""


def put_aside(batch: Batch, error: Exception) -> None:
    """Keep the rows of a batch that failed, for a later replay."""
    for row in batch.rows():
        DeadLetter.objects.get_or_create(
            subscriber=batch.subscriber.name,
            position=getattr(row, batch.subscriber.source.key),
            defaults={"type": row.type, "customer_id": row.customer_id, "error": text(error)},
        )


@masking.hidden(False)
def replay(letter: DeadLetter) -> None:
    """Let the subscriber handle the event now, and delete the letter with it. Raises NotReplayed."""
    subscriber = feeds.find(letter.subscriber)
    place = subscriber.source.locate(letter.position) if subscriber else None
    if subscriber is None or place is None:
        raise NotReplayed(_("The subscriber or the event no longer exists."))
    before = Position(place.transaction, place.id - 1)
    try:
        with transaction.atomic():
            locked = DeadLetter.objects.select_for_update().filter(pk=letter.pk).first()
            if locked is not None:
                subscriber.handle(Batch(subscriber, before, place, size=1))
                locked.delete()
    except Exception as error:
        reason = text(error)
        DeadLetter.objects.filter(pk=letter.pk).update(error=reason, at=timezone.now())
        raise NotReplayed(reason) from error


def replay_all(subscriber: str, seconds: float) -> bool:
    """Replay a subscriber's letters, oldest first, for about `seconds`; returns whether letters are left. Stops at the first that fails."""
    until = time.monotonic() + seconds
    for letter in DeadLetter.objects.filter(subscriber=subscriber).order_by("position").iterator():
        if time.monotonic() >= until:
            return True
        try:
            replay(letter)
        except NotReplayed:
            return False
    return False


def text(error: Exception) -> str:
    return repr(error)[:LONGEST_ERROR]
