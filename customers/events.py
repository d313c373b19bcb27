"""The names of what happens to customers: on the timeline, and in the outbox."""

from __future__ import annotations

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
