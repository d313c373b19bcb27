from crm.events.admin import feeds, outbox, webhooks
