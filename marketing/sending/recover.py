"""What dead workers left: a message that was on its way is in doubt, and says so."""

from __future__ import annotations

from django.utils import timezone

from marketing.models import CampaignExecution

State = CampaignExecution.State


def mark_unconfirmed() -> int:
    """Mark messages whose worker was lost between handing over and noting the outcome; returns how many.

    They are never sent again by themselves: a receipt or a person settles them. The lease stays, so that a worker that was only slow
    can still say what happened.
    """
    return CampaignExecution.objects.filter(
        state=State.SENDING, leased_until__lt=timezone.now()
    ).update(
        state=State.UNCONFIRMED,
        leased_until=None,
        error="The worker was lost while the message was on its way.",
    )
