"""What happened to one message, in order of time, and why it is where it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from marketing.models import CampaignExecution, CampaignRun

State = CampaignExecution.State
SkipReason = CampaignExecution.SkipReason

MOMENTS: dict[str, str | Promise] = {
    "created_at": gettext_lazy("Chosen for the campaign"),
    "sending_at": gettext_lazy("Handed over to the provider"),
    "sent_at": gettext_lazy("Taken by the provider"),
    "delivered_at": gettext_lazy("Delivered"),
    "bounced_at": gettext_lazy("Bounced"),
    "failed_at": gettext_lazy("Failed"),
    "opened_at": gettext_lazy("Opened"),
    "clicked_at": gettext_lazy("Clicked"),
    "converted_at": gettext_lazy("Led to an order"),
    "unsubscribed_at": gettext_lazy("Unsubscribed"),
    "complained_at": gettext_lazy("Reported as spam"),
}

WHY_SKIPPED: dict[str, str | Promise] = {
    SkipReason.NO_ADDRESS: gettext_lazy("The customer has no address for this channel."),
    SkipReason.NOT_SUBSCRIBED: gettext_lazy("The customer has opted out of this channel."),
    SkipReason.SUPPRESSED: gettext_lazy(
        "The address is on the list of addresses never to be written to."
    ),
    SkipReason.ALREADY_SENT: gettext_lazy(
        "The customer has had a message of the same send-once key."
    ),
    SkipReason.FREQUENCY_CAP: gettext_lazy("The customer has had enough messages for now."),
    SkipReason.HOLDOUT: gettext_lazy("The customer is in the group that gets nothing, to compare."),
    SkipReason.DUPLICATE_ADDRESS: gettext_lazy(
        "Another customer of this run has the same address."
    ),
    SkipReason.INVALID_CONTENT: gettext_lazy(
        "The message could not be rendered for this customer."
    ),
    SkipReason.LEFT_AUDIENCE: gettext_lazy("The customer left the audience before the turn came."),
    SkipReason.CANCELLED: gettext_lazy("The campaign was ended before the turn came."),
}

WHY: dict[str, str | Promise] = {
    State.PENDING: gettext_lazy("It waits for its turn."),
    State.SENDING: gettext_lazy("It is being handed over to the provider."),
    State.RETRY: gettext_lazy("The provider could not take it; it will be tried again."),
    State.SENT: gettext_lazy("The provider took it."),
    State.DELIVERED: gettext_lazy("It arrived."),
    State.BOUNCED: gettext_lazy("The recipient's side sent it back."),
    State.COMPLAINED: gettext_lazy("It arrived, and was reported as spam."),
    State.FAILED: gettext_lazy("The provider refused it for good."),
    State.UNCONFIRMED: gettext_lazy(
        "The connection was lost while it was handed over: it may or may not have left. It is never sent again by itself."
    ),
}


@dataclass(frozen=True, slots=True)
class Moment:
    what: str | Promise
    at: datetime


def history(execution: CampaignExecution) -> list[Moment]:
    """What happened to the message so far, and when it is tried again if it is; moments of one time in their natural order."""
    moments = [
        Moment(what, at) for field, what in MOMENTS.items() if (at := getattr(execution, field))
    ]
    if execution.state == State.RETRY and execution.next_attempt_at:
        moments.append(Moment(_("Next attempt"), execution.next_attempt_at))
    return sorted(moments, key=lambda moment: moment.at)


def why(execution: CampaignExecution) -> str:
    """One sentence on the present state, with what the provider said where it said something."""
    if execution.state == State.SKIPPED:
        reason = str(WHY_SKIPPED[execution.skip_reason])
    elif execution.state == State.PENDING and execution.run.state == CampaignRun.State.PAUSED:
        reason = _("The campaign is paused.")
    else:
        reason = str(WHY[execution.state])
    return f"{reason} {execution.error}".strip()
