from crm.events.admin import feeds, webhooks
