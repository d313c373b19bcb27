"""Several messages in one campaign: who gets which, and which of them is the best."""

from __future__ import annotations

from decimal import Decimal

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from marketing.models.template import CampaignTemplate, TemplateVersion


class CampaignTest(models.Model):
    """The part of a campaign that says how its variants are tried, and what was found."""

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
    winner = models.CharField(
        _("winner"), max_length=100, blank=True, default="", db_default="", editable=False
    )
    winner_why = models.TextField(
        _("winning reason"), blank=True, default="", db_default="", editable=False
    )
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


class CampaignVariant(models.Model):
    """One of the messages of a campaign, and how much of the test it gets."""

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
    """What a variant said in one run: its content, frozen at launch."""

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
