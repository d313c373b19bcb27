"""Computed profiles of customers, and their interests."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Lower, Now
from django.utils.translation import gettext_lazy as _

from customers.models.customer import Customer


def _share(name: str, least: float, most: float) -> models.CheckConstraint:
    condition = models.Q(**{f"{name}__gte": least, f"{name}__lte": most})
    return models.CheckConstraint(
        condition=condition | models.Q(**{f"{name}__isnull": True}), name=f"profile_{name}_range"
    )


class CustomerProfile(models.Model):
    """Scores computed by analytics, as of `computed_at`; NULL is "not known", never zero."""

    customer = models.OneToOneField(
        Customer,
        models.CASCADE,
        related_name="profile",
        verbose_name=_("customer"),
    )
    engagement_score = models.FloatField(_("engagement"), null=True, help_text=_("0 to 100."))
    churn_risk = models.FloatField(_("churn risk"), null=True, help_text=_("0 to 1."))
    lifetime_value = models.DecimalField(
        _("lifetime value"), max_digits=14, decimal_places=2, null=True
    )
    satisfaction = models.FloatField(_("satisfaction"), null=True, help_text=_("1 to 5."))
    recency_score = models.PositiveSmallIntegerField(_("recency"), null=True)
    frequency_score = models.PositiveSmallIntegerField(_("frequency"), null=True)
    monetary_score = models.PositiveSmallIntegerField(_("monetary value"), null=True)
    rfm_segment = models.CharField(_("RFM segment"), max_length=50, default="", db_default="")
    preferred_channel = models.CharField(
        _("preferred channel"), max_length=20, default="", db_default=""
    )
    best_hour = models.PositiveSmallIntegerField(
        _("best send time"),
        null=True,
        help_text=_("0 to 23 on the customer's clock: when they read messages."),
    )
    favourite_category = models.CharField(
        _("favourite category"), max_length=200, default="", db_default=""
    )
    favourite_brand = models.CharField(
        _("favourite brand"), max_length=200, default="", db_default=""
    )
    most_viewed_category = models.CharField(
        _("most viewed category"), max_length=200, default="", db_default=""
    )
    last_interaction_type = models.CharField(
        _("last interaction"), max_length=100, default="", db_default=""
    )
    seconds_on_site = models.PositiveBigIntegerField(_("seconds on the site"), null=True)
    average_time_on_site = models.FloatField(
        _("average time on the site"), null=True, help_text=_("Seconds per visit.")
    )
    response_rate = models.FloatField(
        _("response rate"),
        null=True,
        help_text=_("0 to 1: share of the last year's messages that were opened or clicked."),
    )
    alive_probability = models.FloatField(
        _("still a customer"), null=True, help_text=_("0 to 1, by BG/NBD.")
    )
    expected_orders = models.FloatField(
        _("expected orders"), null=True, help_text=_("In the next year, by BG/NBD.")
    )
    computed_at = models.DateTimeField(_("computed"), db_default=Now())

    class Meta:
        verbose_name = _("profile")
        verbose_name_plural = _("profiles")
        constraints = [
            _share("engagement_score", 0, 100),
            _share("churn_risk", 0, 1),
            _share("response_rate", 0, 1),
            _share("alive_probability", 0, 1),
            _share("satisfaction", 1, 5),
            _share("best_hour", 0, 23),
            *(_share(f"{name}_score", 1, 5) for name in ("recency", "frequency", "monetary")),
        ]

    def __str__(self) -> str:
        return str(self.customer)


class CustomerInterest(models.Model):
    """A customer's interest in a category, with its source."""

    class Source(models.TextChoices):
        STATED = "stated", _("Stated")
        PURCHASED = "purchased", _("Purchased")
        BROWSED = "browsed", _("Browsed")

    customer = models.ForeignKey(
        Customer,
        models.CASCADE,
        related_name="interests",
        verbose_name=_("customer"),
        db_index=False,
    )
    category = models.CharField(_("category"), max_length=200)
    score = models.FloatField(_("score"), default=1, db_default=1, help_text=_("0 to 1."))
    source = models.CharField(_("source"), max_length=20, choices=Source, default=Source.STATED)
    updated_at = models.DateTimeField(_("updated"), db_default=Now())

    class Meta:
        verbose_name = _("interest")
        verbose_name_plural = _("interests")
        constraints = [
            models.UniqueConstraint(
                "customer", Lower("category"), "source", name="interest_once_a_source"
            )
        ]

    def __str__(self) -> str:
        return self.category
