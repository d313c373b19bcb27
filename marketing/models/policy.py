"""What bounds a campaign's messages: how often, when at night, how many at once, at what price, and who gets none at all."""

from __future__ import annotations

from decimal import Decimal

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from customers.models import Customer
from customers.models.consent import Channel


class CampaignPolicy(models.Model):
    """The part of a campaign that says whom to leave out, and how slowly and up to what cost to send."""

    holdout_percent = models.DecimalField(
        _("holdout group (%)"),
        max_digits=5,
        decimal_places=2,
        default=Decimal(0),
        db_default=Decimal(0),
        validators=[MinValueValidator(0), MaxValueValidator(90)],
        help_text=_(
            "This share of the audience receives nothing, always the same customers, for comparison."
        ),
    )
    send_once_key = models.CharField(
        _("send-once key"),
        max_length=100,
        blank=True,
        default="",
        db_default="",
        help_text=_(
            "A customer receives one message with the same key at most, from any campaign or run."
        ),
    )
    hourly_limit = models.PositiveIntegerField(
        _("rate limit (messages per hour)"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("Leave empty to send as fast as the sender can."),
    )
    cost_per_message = models.DecimalField(
        _("cost per message"),
        max_digits=10,
        decimal_places=4,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text=_("Counts against the budget. Leave empty for the sender's cost."),
    )
    exempt_from_caps = models.BooleanField(
        _("ignore frequency caps"),
        default=False,
        db_default=False,
        help_text=_("For messages such as order confirmations."),
    )
    exempt_from_quiet_hours = models.BooleanField(
        _("send during quiet hours"), default=False, db_default=False
    )

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                condition=Q(holdout_percent__gte=0, holdout_percent__lte=90),
                name="campaign_holdout_in_bounds",
                violation_error_message=_("Enter a holdout group of 0 to 90 percent."),
            ),
            models.CheckConstraint(
                condition=Q(hourly_limit__isnull=True) | Q(hourly_limit__gte=1),
                name="campaign_hourly_limit_positive",
                violation_error_message=_("Enter at least 1 message per hour."),
            ),
            models.CheckConstraint(
                condition=Q(cost_per_message__isnull=True) | Q(cost_per_message__gte=0),
                name="campaign_cost_not_below_zero",
                violation_error_message=_("Enter a cost of 0 or more."),
            ),
        ]


class FrequencyRule(models.Model):
    """At most `messages` to a customer within `days`, by one channel or all together."""

    name = models.CharField(_("name"), max_length=100)
    channel = models.CharField(
        _("channel"),
        max_length=20,
        choices=Channel,
        blank=True,
        default="",
        db_default="",
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
    """Nothing leaves between two times on the customer's own clock; past midnight where the end is before the start."""

    name = models.CharField(_("name"), max_length=100)
    channel = models.CharField(
        _("channel"),
        max_length=20,
        choices=Channel,
        blank=True,
        default="",
        db_default="",
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
    """Who has had a message of a send-once key, and which; claimed when it leaves."""

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
