"""The models whose changes the audit trail records."""

from __future__ import annotations

from django.apps import apps

from crm.accounts import audit

MODELS = (
    *("accounts.User", "accounts.ApiToken", "auth.Group"),
    *("customers.Customer", "customers.Segment", "customers.SegmentTrigger", "customers.Topic"),
    *("customers.Suppression", "customers.WriteKey"),
    *("marketing.Campaign", "marketing.CampaignVariant", "marketing.CampaignTemplate"),
    *("marketing.Snippet", "marketing.Image", "marketing.Sender"),
    *("marketing.FrequencyRule", "marketing.QuietHours"),
    *("analytics.CampaignCost", "analytics.SharedDashboard"),
    *("events.WebhookEndpoint", "django_celery_beat.PeriodicTask"),
)


def watch() -> None:
    """Record changes of these models."""
    audit.watch(*(apps.get_model(name) for name in MODELS))
