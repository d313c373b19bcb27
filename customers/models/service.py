"""Service tickets: inquiries, complaints and feedback."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from crm import masking
from crm.columns import OPTIONAL_TEXT
from customers.models.commerce import Product
from customers.models.customer import Customer


class ServiceInteraction(masking.Personal):
    personal = {
        "subject": masking.text,
        "message": masking.text,
        "resolution": masking.text,
        "attributes": masking.payload,
    }

    class Type(models.TextChoices):
        COMPLAINT = "complaint", _("Complaint")
        INQUIRY = "inquiry", _("Inquiry")
        FEEDBACK = "feedback", _("Feedback")

    external_id = models.CharField(
        _("id in the source"),
        max_length=200,
        help_text=_("A digest of the row if the source has no id."),
    )
    customer = models.ForeignKey(
        Customer,
        models.CASCADE,
        related_name="service_interactions",
        verbose_name=_("customer"),
        db_index=False,
    )
    type = models.CharField(
        _("type"), max_length=20, choices=Type, default=Type.INQUIRY, db_default=Type.INQUIRY
    )
    occurred_at = models.DateTimeField(_("when"))
    channel = models.CharField(_("channel"), max_length=50, **OPTIONAL_TEXT)
    subject = models.CharField(_("subject"), max_length=300, **OPTIONAL_TEXT)
    message = models.TextField(_("message"), **OPTIONAL_TEXT)
    product = models.ForeignKey(
        Product,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="service_interactions",
        verbose_name=_("product"),
    )
    resolution = models.TextField(_("resolution"), **OPTIONAL_TEXT)
    resolved_at = models.DateTimeField(_("resolved"), null=True, blank=True)
    satisfaction = models.PositiveSmallIntegerField(
        _("satisfaction"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(5)],
        help_text=_("1 to 5."),
    )
    attributes = models.JSONField(_("attributes"), blank=True, default=dict, db_default={})
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)
    updated_at = models.DateTimeField(_("updated"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("service ticket")
        verbose_name_plural = _("service tickets")
        constraints = [
            models.UniqueConstraint(fields=["external_id"], name="service_external_id_unique"),
            models.CheckConstraint(
                condition=models.Q(satisfaction__isnull=True)
                | models.Q(satisfaction__gte=1, satisfaction__lte=5),
                name="service_satisfaction_1_to_5",
            ),
        ]
        indexes = [
            # the customer's page; the last contact
            models.Index(fields=["customer", "-occurred_at"], name="service_customer_newest"),
            # admin list: newest first
            models.Index(fields=["-occurred_at"], name="service_newest"),
        ]

    def __str__(self) -> str:
        return self.subject or self.external_id
