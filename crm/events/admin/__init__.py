from crm.events.admin import feeds, outbox, webhooks

__all__ = ["feeds", "outbox", "webhooks"]
