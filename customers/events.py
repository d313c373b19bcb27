"""The names of what happens to customers: on the timeline, and in the outbox."""

from __future__ import annotations

from functools import partial

from django.utils.translation import gettext_lazy as _

from crm.api import ids
from crm.events import catalog

# Interaction.type
ORDER_PLACED = "order_placed"
PAGE_VIEWED = "page_viewed"
SERVICE_CONTACT = "service_contact"
MESSAGE_SENT = "message_sent"
MESSAGE_DELIVERED = "message_delivered"
MESSAGE_BOUNCED = "message_bounced"
MESSAGE_OPENED = "message_opened"
MESSAGE_CLICKED = "message_clicked"
MESSAGE_CONVERTED = "message_converted"
MESSAGE_COMPLAINED = "message_complained"
MESSAGE_OPENED_BY_MACHINE = "message_opened_by_machine"
MESSAGE_CLICKED_BY_MACHINE = "message_clicked_by_machine"
"""A mail program or a link scanner, not a person: kinds of their own, so that nothing that speaks of opens and clicks means them."""
BY_MACHINES = frozenset({MESSAGE_OPENED_BY_MACHINE, MESSAGE_CLICKED_BY_MACHINE})
UNSUBSCRIBED = "unsubscribed"
GROUP_JOINED = "group_joined"

# MarketingEvent.type
CUSTOMERS_CHANGED = "customers.changed"
"""A batch of customers was written: `{"created": [ids], "updated": [ids]}`, at most 1,000 ids an event."""
CUSTOMERS_MERGED = "customers.merged"
CUSTOMERS_UNMERGED = "customers.unmerged"
"""Two records became one, or two again: `{"survivor": id, "duplicate": id}`."""
ORDERS_RECORDED = "orders.recorded"
"""A batch of orders was written: `{"order_ids": [ids], "previous_customer_ids": [ids]}`, at most 1,000 orders an event; the
second are those whose order is another's now."""
CUSTOMERS_SCORED = "customers.scored"
"""What analytics works out about some people changed: `{"customers": [ids]}`, at most 1,000 ids an event."""
SEGMENT_ENTERED = "segment.entered"
SEGMENT_EXITED = "segment.exited"
"""One a customer and change: `{"segment": slug}`."""
CUSTOMER_UNSUBSCRIBED = "customer.unsubscribed"
CONSENT_REQUESTED = "consent.requested"
"""One a customer who is to confirm: `{"channel": …, "topic": ""}`."""
CUSTOMER_ERASED = "customer.erased"
"""The person is gone; the record stays under its number."""

# MarketingEvent.type, for the outside: customers.announce tells them of the batches above and of the timeline
CUSTOMER_CREATED = "customer.created"
CUSTOMER_UPDATED = "customer.updated"
ORDER_PLACED_EVENT = "order.placed"

catalog.keep_internal(CUSTOMERS_CHANGED, ORDERS_RECORDED, CUSTOMERS_SCORED, CONSENT_REQUESTED)
catalog.name_ids(
    customer=partial(ids.encode, "cus"),
    survivor=partial(ids.encode, "cus"),
    duplicate=partial(ids.encode, "cus"),
)
catalog.declare(
    {
        CUSTOMER_CREATED: _("A customer is new."),
        CUSTOMER_UPDATED: _("Something about a customer changed."),
        CUSTOMERS_MERGED: _("Two customers became one."),
        CUSTOMERS_UNMERGED: _("A merge was undone."),
        CUSTOMER_UNSUBSCRIBED: _(
            "A customer does not want messages of a channel or topic any more."
        ),
        CUSTOMER_ERASED: _("A customer was erased."),
        ORDER_PLACED_EVENT: _("A customer bought."),
        SEGMENT_ENTERED: _("A customer came into a segment."),
        SEGMENT_EXITED: _("A customer left a segment."),
    }
)

COUNTED = (
    *("amount", "currency", "quantity", "revenue", "order", "products", "categories", "category"),
    *("run", "channel", "variant", "first", "simulated", "machine", "type", "satisfaction"),
)
"""What our own events say that is counted by somebody, and tells of nobody."""
