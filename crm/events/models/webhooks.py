"""Webhooks: endpoints that get events, and their deliveries."""

from __future__ import annotations

from django.core.validators import URLValidator
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from crm import masking
from crm.credentials import SealedText


class WebhookEndpoint(models.Model):
    """An address that events are posted to. Its secrets are sealed by crm.credentials."""

    name = models.CharField(_("name"), max_length=100)
    url = models.CharField(
        _("address"), max_length=1000, validators=[URLValidator(schemes=["https", "http"])]
    )
    types = models.JSONField(
        _("events"),
        default=list,
        blank=True,
        help_text=_(
            "Types such as customer.created, or campaign.* for all of a kind. Leave empty for all."
        ),
    )
    is_active = models.BooleanField(_("active"), default=True)
    secret = SealedText(_("secret"), editable=False)
    previous_secret = SealedText(default="", editable=False)
    previous_until = models.DateTimeField(null=True, editable=False)
    notify = models.EmailField(
        _("notification e-mail"),
        blank=True,
        help_text=_("We e-mail this address when the webhook is switched off."),
    )
    failures = models.PositiveIntegerField(_("consecutive failures"), default=0, editable=False)
    failing_since = models.DateTimeField(_("failing since"), null=True, editable=False)
    held_until = models.DateTimeField(_("paused until"), null=True, editable=False)
    switched_off_why = models.TextField(_("reason for switching off"), default="", editable=False)
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")

    def __str__(self) -> str:
        return self.name

    def wants(self, type: str) -> bool:
        """Return whether the endpoint subscribes to an event type."""
        return not self.types or any(
            type == each or (each.endswith(".*") and type.startswith(each[:-1]))
            for each in self.types
        )


class WebhookDelivery(masking.Personal):
    """One event for one endpoint. `body` is signed: the same bytes at every attempt."""

    personal = {"body": masking.text, "error": masking.prose}

    class State(models.TextChoices):
        PENDING = "pending", _("Pending")
        DELIVERED = "delivered", _("Delivered")
        FAILED = "failed", _("Failed")

    endpoint = models.ForeignKey(
        WebhookEndpoint, models.CASCADE, related_name="deliveries", verbose_name=_("webhook")
    )
    event_id = models.UUIDField(_("event"))
    type = models.CharField(_("type"), max_length=100)
    customer_id = models.BigIntegerField(_("customer"), null=True)
    body = models.TextField(_("body"))
    state = models.CharField(
        _("state"), max_length=10, choices=State.choices, default=State.PENDING
    )
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    next_attempt_at = models.DateTimeField(_("next attempt"), null=True, db_default=Now())
    leased_until = models.DateTimeField(null=True)
    response_code = models.PositiveSmallIntegerField(_("response code"), null=True)
    ms = models.PositiveIntegerField(_("milliseconds"), null=True)
    error = models.CharField(_("error"), max_length=1000, blank=True)
    created_at = models.DateTimeField(_("created"), db_default=Now())
    delivered_at = models.DateTimeField(_("delivered"), null=True)

    class Meta:
        verbose_name = _("webhook delivery")
        verbose_name_plural = _("webhook deliveries")
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(state="pending") | models.Q(next_attempt_at__isnull=False),
                name="pending_delivery_has_a_time",
            )
        ]
        indexes = [
            # deliver.claim(): due deliveries of an endpoint
            models.Index(
                fields=["endpoint", "next_attempt_at"],
                name="delivery_due",
                condition=models.Q(state="pending"),
            ),
            # deliver.claim(): earlier pending deliveries of the same customer
            models.Index(
                fields=["endpoint", "customer_id", "id"],
                name="delivery_order",
                condition=models.Q(state="pending"),
            ),
            # the log of an endpoint, newest first
            models.Index(fields=["endpoint", "-id"], name="delivery_log"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.event_id}"
