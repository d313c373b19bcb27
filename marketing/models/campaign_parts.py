"""The parts of a campaign besides content, audience and schedule: trigger, policy, test of variants, goal."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from crm.columns import OPTIONAL_TEXT
from marketing.models.template import CampaignTemplate, TemplateVersion

LONGEST_DELAY = 60 * 24 * 366


class CampaignTrigger(models.Model):
    """The trigger of a campaign: its event, the delay after it, and when a customer is eligible again."""

    trigger_event = models.CharField(
        _("trigger event"),
        max_length=100,
        **OPTIONAL_TEXT,
        help_text=_("As on the timeline: order_placed, page_viewed, “Trial Started”, …"),
    )
    trigger_where = models.JSONField(
        _("event conditions"),
        default=list,
        db_default=[],
        blank=True,
        help_text=_("Conditions on the event's properties; all of them must match."),
    )
    trigger_delay_minutes = models.PositiveIntegerField(
        _("delay (minutes)"),
        default=0,
        db_default=0,
        validators=[MaxValueValidator(LONGEST_DELAY)],
        help_text=_("After the event; 0 sends at once."),
    )
    trigger_again_days = models.PositiveIntegerField(
        _("re-eligible after (days)"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(366)],
        help_text=_(
            "A customer can receive the campaign again after this many days. Leave empty for never."
        ),
    )

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                condition=Q(type="triggered", trigger_event__gt="")
                | (~Q(type="triggered") & Q(trigger_event="")),
                name="campaign_triggered_has_event",
                violation_error_message=_(
                    "Choose an event for a triggered campaign, and for no other."
                ),
            ),
            models.CheckConstraint(
                condition=Q(trigger_again_days__isnull=True) | Q(trigger_again_days__gte=1),
                name="campaign_trigger_again_positive",
                violation_error_message=_("Enter at least 1 day."),
            ),
        ]

    @property
    def trigger_delay(self) -> timedelta:
        return timedelta(minutes=self.trigger_delay_minutes)


class CampaignPolicy(models.Model):
    """The policy of a campaign: holdout group, send-once key, rate limit, cost, exemptions."""

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
        **OPTIONAL_TEXT,
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


class CampaignTest(models.Model):
    """The test of a campaign's variants, and its winner."""

    class WinnerBy(models.TextChoices):
        NOTHING = "", _("No winner: all customers by weight")
        TIME = "time", _("Best variant after the test duration")
        CONFIDENCE = "confidence", _("Best variant at the confidence threshold")
        BANDIT = "bandit", _("Multi-armed bandit")

    class Metric(models.TextChoices):
        OPEN = "open", _("Opens")
        CLICK = "click", _("Clicks")
        CONVERSION = "conversion", _("Conversions")
        REVENUE = "revenue", _("Revenue per message")

    test_share = models.PositiveSmallIntegerField(
        _("test audience (%)"),
        default=100,
        db_default=100,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
        help_text=_("This share receives the variants by weight; the rest waits for the winner."),
    )
    winner_by = models.CharField(
        _("winner selection"),
        max_length=20,
        choices=WinnerBy,
        blank=True,
        default=WinnerBy.NOTHING,
        db_default=WinnerBy.NOTHING,
    )
    winner_metric = models.CharField(
        _("winning metric"),
        max_length=20,
        choices=Metric,
        default=Metric.CLICK,
        db_default=Metric.CLICK,
    )
    winner_after_hours = models.DecimalField(
        _("test duration (hours)"),
        max_digits=6,
        decimal_places=2,
        default=Decimal(4),
        db_default=Decimal(4),
        validators=[MinValueValidator(0), MaxValueValidator(720)],
        help_text=_("The longest duration, with a confidence threshold or a bandit."),
    )
    winner_confidence = models.DecimalField(
        _("confidence threshold"),
        max_digits=4,
        decimal_places=3,
        default=Decimal("0.95"),
        db_default=Decimal("0.95"),
        validators=[MinValueValidator(Decimal("0.5")), MaxValueValidator(Decimal("0.999"))],
        help_text=_("The probability to be the best at which a variant wins, such as 0.95."),
    )
    winner = models.CharField(_("winner"), max_length=100, editable=False, **OPTIONAL_TEXT)
    winner_why = models.TextField(_("winning reason"), editable=False, **OPTIONAL_TEXT)
    winner_at = models.DateTimeField(_("decided at"), null=True, editable=False)

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                condition=Q(test_share__gte=1, test_share__lte=100),
                name="campaign_test_share_in_bounds",
                violation_error_message=_("Enter a test audience of 1 to 100 percent."),
            ),
            models.CheckConstraint(
                condition=Q(winner_after_hours__gte=0, winner_after_hours__lte=720),
                name="campaign_test_hours_in_bounds",
                violation_error_message=_("Enter a test duration of 0 to 720 hours."),
            ),
            models.CheckConstraint(
                condition=Q(winner_confidence__gte=Decimal("0.5"), winner_confidence__lt=1),
                name="campaign_confidence_in_bounds",
                violation_error_message=_("Enter a confidence threshold from 0.5 to below 1."),
            ),
        ]


def goal_window_days() -> int:
    return int(settings.GOAL_WINDOW_DAYS)


class CampaignGoal(models.Model):
    """The goal of a campaign, whose completion is a conversion, and the UTM tags of its links."""

    class GoalKind(models.TextChoices):
        ORDER = "order", _("Order")
        EVENT = "event", _("Other event")

    goal_kind = models.CharField(
        _("goal"),
        max_length=10,
        choices=GoalKind,
        default=GoalKind.ORDER,
        db_default=GoalKind.ORDER,
    )
    goal_event = models.CharField(
        _("goal event"),
        max_length=100,
        **OPTIONAL_TEXT,
        help_text=_("As sent to /v1/track, such as “Trial Started”."),
    )
    goal_value = models.CharField(
        _("value property"),
        max_length=100,
        **OPTIONAL_TEXT,
        help_text=_("The event property that counts as revenue. Leave empty for none."),
    )
    goal_window_days = models.PositiveIntegerField(
        _("conversion window (days)"),
        default=goal_window_days,
        validators=[MaxValueValidator(365)],
        help_text=_("A goal reached within this many days after a click counts as a conversion."),
    )
    utm_source = models.CharField(
        _("UTM source"),
        max_length=100,
        **OPTIONAL_TEXT,
        help_text=_("Leave empty for links without UTM tags."),
    )
    utm_medium = models.CharField(
        _("UTM medium"),
        max_length=100,
        **OPTIONAL_TEXT,
        help_text=_("Leave empty for the channel."),
    )
    utm_campaign = models.CharField(
        _("UTM campaign"),
        max_length=200,
        **OPTIONAL_TEXT,
        help_text=_("Leave empty for the campaign's name."),
    )

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                condition=~Q(goal_kind="event") | Q(goal_event__gt=""),
                name="campaign_goal_event_has_name",
                violation_error_message=_("Enter the event that is the goal."),
            ),
        ]


class CampaignVariant(models.Model):
    """One of several messages of a campaign, and its weight in the test audience."""

    campaign = models.ForeignKey(
        "marketing.Campaign",
        models.CASCADE,
        related_name="variants",
        verbose_name=_("campaign"),
        db_index=False,
    )
    name = models.CharField(_("name"), max_length=100)
    template = models.ForeignKey(
        CampaignTemplate, models.PROTECT, related_name="variants", verbose_name=_("template")
    )
    weight = models.PositiveIntegerField(
        _("weight"),
        default=1,
        db_default=1,
        validators=[MinValueValidator(1), MaxValueValidator(10_000)],
        help_text=_("Its part of the test audience: 2 gets twice as many customers as 1."),
    )

    class Meta:
        verbose_name = _("variant")
        verbose_name_plural = _("variants")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                "campaign",
                Lower("name"),
                name="variant_name_unique",
                violation_error_message=_("Choose a different name for each variant."),
            ),
            models.CheckConstraint(
                condition=Q(weight__gte=1, weight__lte=10_000),
                name="variant_weight_in_bounds",
                violation_error_message=_("Enter a weight from 1 to 10,000."),
            ),
            models.CheckConstraint(condition=~Q(name=""), name="variant_has_name"),
        ]

    def __str__(self) -> str:
        return self.name


class RunVariant(models.Model):
    """The content of a variant in one run, frozen at launch."""

    run = models.ForeignKey(
        "marketing.CampaignRun",
        models.CASCADE,
        related_name="variants",
        verbose_name=_("run"),
        db_index=False,
    )
    name = models.CharField(_("name"), max_length=100)
    weight = models.PositiveIntegerField(_("weight"), default=1, db_default=1)
    version = models.ForeignKey(
        TemplateVersion, models.PROTECT, related_name="+", verbose_name=_("content")
    )

    class Meta:
        verbose_name = _("variant of a run")
        verbose_name_plural = _("variants of runs")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["run", "name"], name="run_variant_unique"),
        ]

    def __str__(self) -> str:
        return self.name
