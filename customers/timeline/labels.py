"""Label the entries of a timeline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.adminkit import display
from customers.models import Consent, Interaction, SegmentMembership
from customers.timeline import types

_LABELS: dict[str, tuple[str, str | Promise]] = {
    types.ORDER_PLACED: ("shopping_bag", gettext_lazy("Placed an order")),
    types.ORDER_REFUNDED: ("undo", gettext_lazy("Was refunded")),
    types.ORDER_CANCELLED: ("remove_shopping_cart", gettext_lazy("Cancelled an order")),
    types.PAGE_VIEWED: ("visibility", gettext_lazy("Viewed a page")),
    types.SERVICE_CONTACT: ("support_agent", gettext_lazy("Was in contact with service")),
    types.MESSAGE_SENT: ("send", gettext_lazy("Was sent a message")),
    types.MESSAGE_DELIVERED: ("mark_email_read", gettext_lazy("Received a message")),
    types.MESSAGE_BOUNCED: ("error", gettext_lazy("A message bounced")),
    types.MESSAGE_OPENED: ("drafts", gettext_lazy("Opened a message")),
    types.MESSAGE_CLICKED: ("ads_click", gettext_lazy("Clicked in a message")),
    types.MESSAGE_CONVERTED: ("paid", gettext_lazy("Bought after a message")),
    types.UNSUBSCRIBED: ("unsubscribe", gettext_lazy("Unsubscribed")),
    types.CAMPAIGN_RESPONSE: ("reply", gettext_lazy("Responded to a campaign")),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the timeline: an icon of Material Symbols, a title and a detail."""

    at: datetime
    type: str
    icon: str
    title: str
    detail: str = ""
    simulated: bool = False
    campaign_id: int | None = None


def of_interaction(interaction: Interaction) -> Entry:
    """Label an interaction; one of a site's own types by its name."""
    icon, title = _label(interaction.type)
    properties = interaction.properties if isinstance(interaction.properties, dict) else {}
    detail = _detail(interaction.type, properties)
    if properties.get("unconfirmed") is True:
        detail = " · ".join(filter(None, (detail, _("unconfirmed amount"))))
    return Entry(
        at=interaction.occurred_at,
        type=interaction.type,
        icon=icon,
        title=str(title),
        detail=detail,
        simulated=bool(properties.get("simulated")),
        campaign_id=interaction.campaign_id,
    )


def named(entries: Sequence[Entry], names: Mapping[int, str]) -> list[Entry]:
    """Return the entries, those of messages with the name of their campaign before the detail."""
    return [
        replace(each, detail=" · ".join(filter(None, (name, each.detail))))
        if each.campaign_id and (name := names.get(each.campaign_id))
        else each
        for each in entries
    ]


def of_consent(consent: Consent) -> Entry:
    """Label a consent as “E-mail: opted out”, with its evidence."""
    about = f"{consent.get_channel_display()} · {consent.topic}".removesuffix(" · ")
    allowed = consent.decision == Consent.Decision.OPTED_IN
    return Entry(
        at=consent.decided_at,
        type=f"consent_{consent.decision}",
        icon="check_circle" if allowed else "block",
        title=f"{about}: {consent.get_decision_display()}",
        detail=consent.evidence,
    )


def of_membership(membership: SegmentMembership) -> Entry:
    return Entry(
        at=membership.entered_at,
        type="segment_entered",
        icon="group_add",
        title=_("Entered the segment “%s”") % membership.segment,
    )


def of_type(type: str) -> str:
    """Return the label of a type of event."""
    return str(_label(type)[1])


def _label(type: str) -> tuple[str, str | Promise]:
    return _LABELS.get(type, ("bolt", type.replace("_", " ").capitalize()))


def _detail(type: str, properties: dict[str, Any]) -> str:
    if type in {types.ORDER_PLACED, types.ORDER_REFUNDED, types.ORDER_CANCELLED}:
        return _order(properties)
    for name in ("url", "page", "title", "subject", "response", "reason", "channel"):
        if isinstance(properties.get(name), str):
            return str(properties[name])
    return ""


def _order(properties: dict[str, Any]) -> str:
    names = [str(name) for name in properties.get("products") or []]
    shown = ", ".join(names[:3])
    if len(names) > 3:
        shown = _("%(names)s and %(more)d more") % {"names": shown, "more": len(names) - 3}
    try:
        amount = display.money(properties["amount"], properties.get("currency", ""))
    except (KeyError, ValueError, ArithmeticError):
        amount = ""
    return " · ".join(part for part in (amount, shown) if part)
