"""The messages of a campaign as one of its recipients receives them, for the question before sending."""

from __future__ import annotations

from typing import Any

from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from customers.models import Customer
from marketing import campaigns
from marketing.content import ContentError, preview
from marketing.models import Campaign, CampaignTemplate


def as_received(campaign: Campaign, found: campaigns.DryRun) -> SafeString:
    """Render the message of each variant for the first recipient of a dry run, or for a customer with empty fields."""
    first = next(iter(found.samples.get("", ())), None)
    customer = Customer.objects.filter(pk=first.customer_id).first() if first else None
    variants = list(campaign.variants.select_related("template"))
    messages = [
        _message(template, customer or Customer(), name)
        for name, template in [(each.name, each.template) for each in variants]
        or [("", campaign.template)]
    ]
    context = {"messages_shown": messages, "person": str(customer or _("a customer"))}
    return render_to_string("admin/marketing/campaign/messages.html", context)


def _message(template: CampaignTemplate, customer: Customer, variant: str) -> dict[str, Any]:
    try:
        seen = preview(template, customer)
    except ContentError as error:
        return {"variant": variant, "error": str(error)}
    text = f"{seen.text}\n\n→ {seen.link}" if seen.link else seen.text
    return {"variant": variant, "subject": seen.subject, "html": seen.html, "text": text}
