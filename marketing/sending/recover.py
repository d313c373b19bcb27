"""What dead workers left: a message that was on its way is in doubt, and says so."""

from __future__ import annotations

from django.utils import timezone

from marketing.channels import registry
from marketing.models import CampaignExecution

State = CampaignExecution.State


def take_back() -> int:
    """Look after messages whose worker was lost between handing over and noting the outcome; returns how many.

    They become unconfirmed and are never sent again by themselves: a receipt or a person settles them. The lease stays, so that a worker
    that was only slow can still say what happened. Where the provider does a thing once however often it is asked, it is asked again.
    """
    left = CampaignExecution.objects.filter(state=State.SENDING, leased_until__lt=timezone.now())
    to_ask_again = left.filter(run__sender__provider__in=registry.idempotent()).update(
        state=State.RETRY, lease=None, leased_until=None
    )
    return to_ask_again + left.update(
        state=State.UNCONFIRMED,
        leased_until=None,
        error="The worker was lost while the message was on its way.",
        error_kind=CampaignExecution.ErrorKind.LOST,
    )
