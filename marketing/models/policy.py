"""Limits over all campaigns: frequency caps, quiet hours and send-once keys."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from crm.columns import OPTIONAL_TEXT
from customers.models import Customer
from customers.models.consent import Channel


class FrequencyRule(models.Model):
    """A cap on the messages to a customer within `days`, of one channel or all together."""

    name = models.CharField(_("name"), max_length=100)
    channel = models.CharField(
        _("channel"),
        max_length=20,
        choices=Channel,
        **OPTIONAL_TEXT,
        help_text=_("Leave empty for all channels together."),
    )
    messages = models.PositiveIntegerField(
        _("maximum messages"), validators=[MinValueValidator(1)], help_text=_("To one customer.")
    )
    days = models.PositiveIntegerField(
        _("period (days)"),
        default=7,
        validators=[MinValueValidator(1), MaxValueValidator(366)],
        help_text=_("Of 24 hours each, counted back from the time of sending."),
    )
    active = models.BooleanField(_("active"), default=True, db_default=True)
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("frequency cap")
        verbose_name_plural = _("frequency caps")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["name"], name="frequency_rule_name_unique"),
            models.CheckConstraint(
                condition=Q(messages__gte=1, days__gte=1, days__lte=366),
                name="frequency_rule_in_bounds",
                violation_error_message=_("Enter at least 1 message, and 1 to 366 days."),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class QuietHours(models.Model):
    """Local times of the customer between which no message is sent; past midnight where the end is before the start."""

    name = models.CharField(_("name"), max_length=100)
    channel = models.CharField(
        _("channel"),
        max_length=20,
        choices=Channel,
        **OPTIONAL_TEXT,
        help_text=_("Leave empty for all channels."),
    )
    starts_at = models.TimeField(_("from"))
    ends_at = models.TimeField(_("until"), help_text=_("Sending resumes at this time."))
    active = models.BooleanField(_("active"), default=True, db_default=True)
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("quiet hours")
        verbose_name_plural = _("quiet hours")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["name"], name="quiet_hours_name_unique"),
            models.CheckConstraint(
                condition=~Q(starts_at=F("ends_at")),
                name="quiet_hours_end",
                violation_error_message=_("Enter an end that differs from the start."),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class SendOnce(models.Model):
    """The message of a send-once key that a customer received, claimed when it is sent."""

    key = models.CharField(_("send-once key"), max_length=100)
    customer = models.ForeignKey(
        Customer,
        models.CASCADE,
        related_name="sent_once",
        verbose_name=_("customer"),
    )
    execution = models.ForeignKey(
        "marketing.CampaignExecution",
        models.SET_NULL,
        related_name="+",
        null=True,
        verbose_name=_("message"),
    )

    class Meta:
        verbose_name = _("send-once claim")
        verbose_name_plural = _("send-once claims")
        constraints = [
            models.UniqueConstraint(fields=["key", "customer"], name="send_once_a_customer")
        ]

    def __str__(self) -> str:
        return self.key
