"""The variants of a campaign, and their content in each run."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from marketing.models.template import CampaignTemplate, TemplateVersion


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
