"""The messages of two customers when they are merged."""

from __future__ import annotations

from django.db.models import Case, Value, When
from django.utils.translation import gettext as _

from marketing.models import CampaignExecution

State = CampaignExecution.State

_NOTHING_WENT_OUT = (State.PENDING, State.RETRY, State.SKIPPED, State.FAILED)


def in_flight(survivor: int, duplicate: int) -> str:
    """Return why two customers cannot be merged while a worker sends to one of them: it would not find its row again."""
    held = CampaignExecution.objects.filter(customer__in=(survivor, duplicate), lease__isnull=False)
    if not held.exists():
        return ""
    return _("A message to one of them is being sent. Try again in a minute.")


SENT_FIRST = Case(When(state__in=_NOTHING_WENT_OUT, then=Value(0)), default=Value(1))
"""Of two messages in one batch a merge keeps the one that was sent."""
