"""Site visits."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from crm import masking
from crm.columns import OPTIONAL_TEXT
from customers.models.customer import Customer


class Visit(masking.Personal):
    """One visit, counted in the customer's `visit_count` and shown on the timeline as a page view."""

    personal = {
        "url": masking.url,
        "title": masking.text,
        "referrer": masking.url,
        "attributes": masking.payload,
    }

    external_id = models.CharField(
        _("id in the source"),
        max_length=200,
        help_text=_("A digest of the row if the source has no id."),
    )
    customer = models.ForeignKey(
        Customer, models.CASCADE, related_name="visits", verbose_name=_("customer"), db_index=False
    )
    occurred_at = models.DateTimeField(_("when"))
    url = models.CharField(_("address"), max_length=2000, **OPTIONAL_TEXT)
    title = models.CharField(_("title"), max_length=300, **OPTIONAL_TEXT)
    referrer = models.CharField(_("referrer"), max_length=2000, **OPTIONAL_TEXT)
    device = models.CharField(_("device"), max_length=100, **OPTIONAL_TEXT)
    pages = models.PositiveIntegerField(_("pages"), null=True, blank=True)
    seconds = models.PositiveIntegerField(_("seconds"), null=True, blank=True)
    attributes = models.JSONField(_("attributes"), blank=True, default=dict, db_default={})
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)
    updated_at = models.DateTimeField(_("updated"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("visit")
        verbose_name_plural = _("visits")
        constraints = [
            models.UniqueConstraint(fields=["external_id"], name="visit_external_id_unique")
        ]
        indexes = [
            # the totals of a customer
            models.Index(fields=["customer", "-occurred_at"], name="visit_customer_newest"),
            # admin list: newest first
            models.Index(fields=["-occurred_at"], name="visit_newest"),
        ]

    def __str__(self) -> str:
        return self.title or self.url or self.external_id
