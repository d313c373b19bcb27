"""Events that a consumer could not handle, given to it again."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from crm.events import consume
from crm.events.models import DeadLetter, MarketingEvent


class NotReplayed(Exception):
    """It failed again, or cannot be tried; the message says why."""


def replay(letter: DeadLetter) -> None:
    """Let the consumer handle the event now, and drop the letter with it. Raises NotReplayed."""
    reader = consume.find(letter.consumer)
    event = MarketingEvent.objects.filter(pk=letter.position).first()
    if reader is None or event is None:
        raise NotReplayed(_("The consumer or the event is gone."))
    try:
        with transaction.atomic():
            held = DeadLetter.objects.select_for_update().filter(pk=letter.pk).first()
            if held is not None:
                reader.handle([event])
                held.delete()
    except Exception as error:
        letter.error = repr(error)[: consume.LONGEST_ERROR]
        letter.save(update_fields=["error", "at"])
        raise NotReplayed(letter.error) from error
