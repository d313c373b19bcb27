from crm.events.models.outbox import ConsumerCursor, DeadLetter, MarketingEvent
from crm.events.models.webhooks import WebhookDelivery, WebhookEndpoint

__all__ = [
    "ConsumerCursor",
    "DeadLetter",
    "MarketingEvent",
    "WebhookDelivery",
    "WebhookEndpoint",
]
