from crm.events.models.feeds import DeadLetter, FeedCursor
from crm.events.models.outbox import MarketingEvent
from crm.events.models.webhooks import WebhookDelivery, WebhookEndpoint
