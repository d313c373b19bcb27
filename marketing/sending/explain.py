"""Explain a message: the events of its life in order of time, and the reason for its state."""

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
    "created_at": gettext_lazy("Added to the campaign"),
    "sending_at": gettext_lazy("Submitted to the provider"),
    "sent_at": gettext_lazy("Accepted by the provider"),
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
    SkipReason.SUPPRESSED: gettext_lazy("The address is on the suppression list."),
    SkipReason.ALREADY_SENT: gettext_lazy(
        "The customer has already received a message of the same send-once key."
    ),
    SkipReason.FREQUENCY_CAP: gettext_lazy("The customer has reached a frequency cap."),
    SkipReason.HOLDOUT: gettext_lazy("The customer is in the holdout group."),
    SkipReason.DUPLICATE_ADDRESS: gettext_lazy(
        "Another customer in this run has the same address."
    ),
    SkipReason.INVALID_CONTENT: gettext_lazy(
        "The message could not be rendered for this customer."
    ),
    SkipReason.LEFT_AUDIENCE: gettext_lazy(
        "The customer left the audience before the message was sent."
    ),
    SkipReason.CANCELLED: gettext_lazy("The campaign was ended before the message was sent."),
}

WHY: dict[str, str | Promise] = {
    State.PENDING: gettext_lazy("It waits to be sent."),
    State.SENDING: gettext_lazy("It is being submitted to the provider."),
    State.RETRY: gettext_lazy("The provider deferred it; it will be retried."),
    State.SENT: gettext_lazy("The provider accepted it."),
    State.DELIVERED: gettext_lazy("It was delivered."),
    State.BOUNCED: gettext_lazy("The recipient's server returned it."),
    State.COMPLAINED: gettext_lazy("It was delivered, and reported as spam."),
    State.FAILED: gettext_lazy("The provider rejected it."),
    State.UNCONFIRMED: gettext_lazy(
        "The connection was lost while it was submitted, so it may or may not have been sent. It is not sent again automatically."
    ),
}


@dataclass(frozen=True, slots=True)
class Moment:
    what: str | Promise
    at: datetime


def history(execution: CampaignExecution) -> list[Moment]:
    """Return the events of a message in order of time, with the time of its next attempt if there is one."""
    moments = [
        Moment(what, at) for field, what in MOMENTS.items() if (at := getattr(execution, field))
    ]
    if execution.state == State.RETRY and execution.next_attempt_at:
        moments.append(Moment(_("Next attempt"), execution.next_attempt_at))
    return sorted(moments, key=lambda moment: moment.at)


def why(execution: CampaignExecution) -> str:
    """Return the reason for the state of a message in a sentence, with the provider's report where there is one."""
    if execution.state == State.SKIPPED:
        reason = str(WHY_SKIPPED[execution.skip_reason])
    elif execution.state == State.PENDING and execution.run.state == CampaignRun.State.PAUSED:
        reason = _("The campaign is paused.")
    else:
        reason = str(WHY[execution.state])
    return f"{reason} {execution.error}".strip()
