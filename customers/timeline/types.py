"""The vocabulary of events: what stands on the timeline, what is in the outbox, and what subscribers outside get.

A type of the timeline is a snake_case name, such as `order_placed`; a type of the outbox has a dot, `order.placed`. Types in PUBLIC
are published under their outbox name (public_name).
"""

from __future__ import annotations

from functools import partial

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from crm.api import ids
from crm.events import catalog

# Interaction.type, with its properties
ORDER_PLACED = "order_placed"
"""`order` (external id), `amount`, `products`, `categories`: an order when it was first recorded; with `store` and `currency`, if it
has a store, and a currency other than the site's."""
ORDER_REFUNDED = "order_refunded"
ORDER_CANCELLED = "order_cancelled"
"""`order`, `amount`, `net` (the amount in the site's currency): what was taken back of an order; a return is refunded, too."""
PAGE_VIEWED = "page_viewed"
"""`url`, `path`, `title`, and what a site adds."""
SERVICE_CONTACT = "service_contact"
"""`type`, `satisfaction`."""
MESSAGE_SENT = "message_sent"
MESSAGE_DELIVERED = "message_delivered"
MESSAGE_BOUNCED = "message_bounced"
MESSAGE_OPENED = "message_opened"
MESSAGE_CLICKED = "message_clicked"
MESSAGE_CONVERTED = "message_converted"
MESSAGE_REVALUED = "message_revalued"
"""`order` and `revenue`, the difference: the money of an attributed order changed, by a refund or an exchange rate."""
MESSAGE_COMPLAINED = "message_complained"
MESSAGE_OPENED_BY_MACHINE = "message_opened_by_machine"
MESSAGE_CLICKED_BY_MACHINE = "message_clicked_by_machine"
"""`run`, `channel`, `variant`, and what the event adds: `link`, `revenue`, `reason`; `first` is "false" where it happened before."""
UNSUBSCRIBED = "unsubscribed"
CAMPAIGN_RESPONSE = "campaign_response"
"""`response`: a response to a past campaign, in the word of the system that sent it; no figure counts it."""
GROUP_JOINED = "group_joined"

OWN = frozenset(
    {
        *(ORDER_PLACED, ORDER_REFUNDED, ORDER_CANCELLED, SERVICE_CONTACT, UNSUBSCRIBED),
        *(MESSAGE_SENT, MESSAGE_DELIVERED, MESSAGE_BOUNCED, MESSAGE_OPENED, MESSAGE_CLICKED),
        *(MESSAGE_CONVERTED, MESSAGE_REVALUED, MESSAGE_COMPLAINED),
        *(MESSAGE_OPENED_BY_MACHINE, MESSAGE_CLICKED_BY_MACHINE),
    }
)
"""Events that only Kindling records, and that figures and campaigns rely on."""
BY_MACHINES = frozenset({MESSAGE_OPENED_BY_MACHINE, MESSAGE_CLICKED_BY_MACHINE})
"""Events of a mail program or a link scanner: types of their own, so that nothing about opens and clicks means them."""
NOT_BY_THE_CUSTOMER = BY_MACHINES | {
    *(MESSAGE_SENT, MESSAGE_DELIVERED, MESSAGE_BOUNCED, MESSAGE_REVALUED),
    *(ORDER_REFUNDED, ORDER_CANCELLED),
}
"""Events that happened to a customer and say nothing about how recently the customer was active."""

# MarketingEvent.type, with its data
CUSTOMERS_CHANGED = "customers.changed"
"""A batch of customers was written: `{"created": [ids], "updated": [ids]}`, at most 1,000 ids an event."""
CUSTOMERS_MERGED = "customers.merged"
CUSTOMERS_UNMERGED = "customers.unmerged"
"""Two records became one, or two again: `{"survivor": id, "duplicate": id}`."""
ORDERS_RECORDED = "orders.recorded"
"""A batch of orders was written or corrected: `{"order_ids": [ids]}`, at most 1,000 orders an event."""
CUSTOMERS_SCORED = "customers.scored"
"""Profiles changed: `{"customers": [ids]}`, at most 1,000 ids an event."""
SEGMENT_ENTERED = "segment.entered"
SEGMENT_EXITED = "segment.exited"
"""An event for each customer and change: `{"segment": slug}`."""
CUSTOMER_CREATED = "customer.created"
CUSTOMER_UPDATED = "customer.updated"
"""An event for each customer of CUSTOMERS_CHANGED: `{"external_id": …}`."""
CUSTOMER_UNSUBSCRIBED = "customer.unsubscribed"
CONSENT_REQUESTED = "consent.requested"
"""An event for each customer with an opt-in to confirm: `{"channel": …, "topic": ""}`."""
CUSTOMER_ERASED = "customer.erased"
"""The personal data is gone; the record stays under its number."""

PUBLIC: dict[str, Promise] = {
    ORDER_PLACED: _("A customer placed an order."),
    ORDER_REFUNDED: _("An order was refunded or returned, in part or whole."),
    ORDER_CANCELLED: _("An order was cancelled."),
    MESSAGE_SENT: _("A message was sent."),
    MESSAGE_DELIVERED: _("A message was delivered."),
    MESSAGE_OPENED: _("A customer opened a message."),
    MESSAGE_CLICKED: _("A customer clicked a link in a message."),
    MESSAGE_BOUNCED: _("A message bounced."),
    MESSAGE_CONVERTED: _("A customer ordered after clicking a message."),
    MESSAGE_COMPLAINED: _("A customer reported a message as spam."),
}
"""Types of the timeline that subscribers outside get, each with a sentence for the catalogue."""


def public_name(type: str) -> str:
    """Return a timeline type's name in the outbox: `order.placed` for `order_placed`."""
    return type.replace("_", ".", 1)


catalog.keep_internal(CUSTOMERS_CHANGED, ORDERS_RECORDED, CUSTOMERS_SCORED, CONSENT_REQUESTED)
catalog.name_ids(
    customer=partial(ids.encode, "cus"),
    survivor=partial(ids.encode, "cus"),
    duplicate=partial(ids.encode, "cus"),
)
catalog.declare({public_name(name): sentence for name, sentence in PUBLIC.items()})
catalog.declare(
    {
        CUSTOMER_CREATED: _("A customer was created."),
        CUSTOMER_UPDATED: _("A customer was updated."),
        CUSTOMERS_MERGED: _("Two customers were merged."),
        CUSTOMERS_UNMERGED: _("A merge was undone."),
        CUSTOMER_UNSUBSCRIBED: _("A customer unsubscribed from a channel or topic."),
        CUSTOMER_ERASED: _("A customer was erased."),
        SEGMENT_ENTERED: _("A customer entered a segment."),
        SEGMENT_EXITED: _("A customer left a segment."),
    }
)
