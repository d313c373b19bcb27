"""The fields of files about past campaigns."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from customers import clean
from customers.ingest import OF_CUSTOMER, Field, Text
from customers.models.consent import Channel

HOLDOUT = "holdout"
"""The variant of the holdout group."""

TYPES = ("sent", "open", "click", "visit", "purchase", "unsubscribe")

_CAMPAIGN = Field(_("Campaign: ID or name"), Text(200), ("campaign", "campaign_name"))
_VARIANT = Field(_("Variant, or holdout"), Text(100), ("group", "test_group", "arm", "treatment"))

CAMPAIGN: dict[str, Field] = {
    "campaign_id": Field(_("Campaign ID"), Text(200), ("id", "campaign", "external_id")),
    "name": Field(_("Name"), Text(200), ("campaign_name", "title")),
    "description": Field(
        _("Description"), Text(2_000), ("target_audience", "audience", "objective", "notes")
    ),
    "channel": Field(_("Channel"), clean.one_of(Channel.values), ("medium",)),
    "start_date": Field(
        _("Start"), clean.moment, ("start", "started_at", "sent_at", "launch_date")
    ),
    "end_date": Field(_("End"), clean.moment, ("end", "ended_at", "finished_at")),
    "budget": Field(_("Budget"), clean.amount, ("cost",)),
    "tags": Field(_("Tags"), clean.tags, ("campaign_type", "type", "tag")),
}

TARGET: dict[str, Field] = {
    "campaign_id": _CAMPAIGN,
    "customer_id": OF_CUSTOMER,
    "variant": _VARIANT,
}

RESPONSE: dict[str, Field] = {
    "campaign_id": _CAMPAIGN,
    "customer_id": OF_CUSTOMER,
    "type": Field(
        _("Sent, open, click, visit, purchase or unsubscribe"),
        clean.one_of(TYPES),
        ("response", "response_type", "event"),
    ),
    "occurred_at": Field(
        _("When"),
        clean.moment,
        ("date", "timestamp", "response_date", "redemption_date", "responded_at"),
    ),
    "variant": _VARIANT,
    "revenue": Field(_("Revenue"), clean.amount, ("amount", "value")),
}
