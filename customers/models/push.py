"""Push subscriptions of customers' browsers."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from crm import masking
from crm.columns import OPTIONAL_TEXT
from customers.models.customer import Customer


class PushSubscription(masking.Personal):
    """One browser of a customer, as in the W3C Push API: the endpoint, and the keys to encrypt with (RFC 8291).

    The endpoint is a secret: anybody with it can write to the browser's push service.
    """

    personal = dict.fromkeys(("endpoint", "p256dh", "auth"), masking.text)

    customer = models.ForeignKey(
        Customer,
        models.CASCADE,
        related_name="push_subscriptions",
        verbose_name=_("customer"),
    )
    endpoint = models.TextField(_("endpoint"))
    p256dh = models.CharField(max_length=100)
    auth = models.CharField(max_length=50)
    application_key = models.CharField(
        max_length=100,
        help_text="The public key that the browser subscribed with; no other can write to it.",
    )
    user_agent = models.CharField(_("browser"), max_length=300, **OPTIONAL_TEXT)
    created_at = models.DateTimeField(_("since"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("push subscription")
        verbose_name_plural = _("push subscriptions")
        constraints = [
            models.UniqueConstraint(fields=["endpoint"], name="push_endpoint_unique"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"
