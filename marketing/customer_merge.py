"""What a merge of two customers means for their messages."""

from __future__ import annotations

from django.db.models import Case, Value, When
from django.utils.translation import gettext as _

from customers.identity import customer_foreign_keys
from marketing.models import CampaignExecution

State = CampaignExecution.State

_NOTHING_WENT_OUT = (State.PENDING, State.RETRY, State.SKIPPED, State.FAILED)


def in_flight(survivor: int, duplicate: int) -> str:
    """Refuses while a worker holds a message to one of the two: it would not find its row again."""
    held = CampaignExecution.objects.filter(customer__in=(survivor, duplicate), lease__isnull=False)
    if not held.exists():
        return ""
    return _("A message to one of them is being sent just now. Try again in a minute.")


# of two messages in one run, the one that went out is kept
customer_foreign_keys.prefer(
    CampaignExecution,
    Case(When(state__in=_NOTHING_WENT_OUT, then=Value(0)), default=Value(1)),
)
customer_foreign_keys.refuse_when(in_flight)
