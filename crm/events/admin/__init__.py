from crm.events.admin import outbox, webhooks

__all__ = ["outbox", "webhooks"]
