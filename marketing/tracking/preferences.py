"""The preference centre behind the unsubscribe link: its page, and what its buttons do."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.http import QueryDict
from django.utils import timezone, translation

from crm.api import ids
from customers import consent
from customers.models import Customer
from customers.timeline import types
from marketing.models import CampaignExecution
from marketing.tracking.engagement import MessageEvent, record

PAUSES = {"30": 30, "60": 60, "90": 90}
"""Days of a pause, by the form's value."""
LEFT = frozenset({"left", "left_all"})
"""The outcomes that end all messages on the channel."""


def language_of(customer: Customer) -> str:
    """Return the customer's language where the site has it, else the site's own."""
    try:
        return translation.get_supported_language_variant(customer.language or "")
    except LookupError:
        return translation.get_language() or "en"


def apply(execution: CampaignExecution, posted: QueryDict) -> str:
    """Apply a posted form; returns the outcome: saved, paused, resumed, left_all, back or left.

    A form without a known button unsubscribes, as mail programs post one (RFC 8058).
    """
    customer, channel = execution.customer, execution.run.campaign.channel
    evidence = f"preference centre of {ids.encode('msg', execution.pk)}"
    if "save" in posted:
        return _save(execution, posted, evidence)
    if "resume" in posted:
        consent.resume(customer.pk, evidence)
        return "resumed"
    if "subscribe" in posted:
        consent.opt_in(customer.pk, channel, evidence)
        return "back"
    _leave(execution)
    if "unsubscribe_all" in posted:
        customer.refresh_from_db()
        consent.opt_out_of_everything(customer, evidence)
        return "left_all"
    return "left"


def page(execution: CampaignExecution, done: str) -> dict[str, Any]:
    """Return the context of the page; `done` is the outcome of apply(), empty before."""
    customer = execution.customer
    customer.refresh_from_db()
    channel = execution.run.campaign.channel
    return {
        "done": done,
        "subscribed": channel not in customer.opted_out_channels,
        "wishes": consent.preferences_of(customer),
        "paused_until": consent.paused_until(customer),
        "pauses": list(PAUSES),
    }


def _save(execution: CampaignExecution, posted: QueryDict, evidence: str) -> str:
    customer, channel = execution.customer, execution.run.campaign.channel
    wanted = set(posted.getlist("want"))
    if channel not in wanted and channel not in customer.opted_out_channels:
        _leave(execution)
        customer.refresh_from_db()
    consent.set_preferences(customer, wanted, evidence)
    days = PAUSES.get(str(posted.get("pause")))
    if days is None:
        return "saved"
    consent.pause(customer.pk, timezone.now() + timedelta(days=days), evidence)
    return "paused"


def _leave(execution: CampaignExecution) -> None:
    record([MessageEvent(execution.pk, types.UNSUBSCRIBED, timezone.now(), by_link=True)])
