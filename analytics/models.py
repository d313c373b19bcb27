"""Campaign metrics and costs, runs of predictive models, and shared dashboards."""

from __future__ import annotations

from decimal import Decimal

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crm.columns import OPTIONAL_TEXT
from crm.jobs import Job
from marketing.models import Campaign, CampaignRun

ZERO = Decimal(0)


class CampaignMetrics(models.Model):
    """Counters of the messages of a run and variant in one hour.

    analytics.metrics updates them from the timeline, and can rebuild them. `opened`, `clicked` and `converted` count each message once, in
    the hour of its first event; `opens` and `clicks` count every event.
    """

    run = models.ForeignKey(
        CampaignRun, models.CASCADE, related_name="metrics", verbose_name=_("run"), db_index=False
    )
    variant = models.CharField(_("variant"), max_length=100, **OPTIONAL_TEXT)
    hour = models.DateTimeField(_("hour"))
    sent = models.PositiveIntegerField(_("sent"), default=0, db_default=0)
    delivered = models.PositiveIntegerField(_("delivered"), default=0, db_default=0)
    bounced = models.PositiveIntegerField(_("bounced"), default=0, db_default=0)
    refused = models.PositiveIntegerField(_("refused"), default=0, db_default=0)
    opened = models.PositiveIntegerField(_("opened"), default=0, db_default=0)
    opens = models.PositiveIntegerField(_("opens"), default=0, db_default=0)
    clicked = models.PositiveIntegerField(_("clicked"), default=0, db_default=0)
    clicks = models.PositiveIntegerField(_("clicks"), default=0, db_default=0)
    opened_by_machine = models.PositiveIntegerField(_("opened by a bot"), default=0, db_default=0)
    clicked_by_machine = models.PositiveIntegerField(_("clicked by a bot"), default=0, db_default=0)
    complained = models.PositiveIntegerField(_("complained"), default=0, db_default=0)
    converted = models.PositiveIntegerField(_("converted"), default=0, db_default=0)
    unsubscribed = models.PositiveIntegerField(_("unsubscribed"), default=0, db_default=0)
    revenue = models.DecimalField(
        _("revenue"), max_digits=14, decimal_places=2, default=ZERO, db_default=ZERO
    )

    class Meta:
        verbose_name = _("campaign metrics")
        verbose_name_plural = _("campaign metrics")
        constraints = [
            models.UniqueConstraint(
                fields=["run", "hour", "variant"], name="metrics_run_hour_variant_unique"
            )
        ]

    def __str__(self) -> str:
        return f"{self.run_id} {self.hour:%Y-%m-%d %H}"


class CampaignCost(models.Model):
    """A cost of a campaign: once, per message or per click."""

    class Basis(models.TextChoices):
        FIXED = "fixed", _("Once")
        MESSAGE = "message", _("Per message")
        CLICK = "click", _("Per click")

    campaign = models.ForeignKey(
        Campaign, models.CASCADE, related_name="costs", verbose_name=_("campaign")
    )
    kind = models.CharField(_("kind"), max_length=50, default="fixed")
    basis = models.CharField(
        _("basis"), max_length=10, choices=Basis, default=Basis.FIXED, db_default=Basis.FIXED
    )
    amount = models.DecimalField(_("amount"), max_digits=14, decimal_places=4)
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("campaign cost")
        verbose_name_plural = _("campaign costs")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(amount__gte=ZERO),
                name="campaign_cost_not_negative",
                violation_error_message=_("Enter a cost of 0 or more."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.amount}"


class ModelRun(models.Model):
    """A run of a predictive model: its data, parameters and quality."""

    class Kind(models.TextChoices):
        RFM = "rfm", _("RFM quintiles")
        TIMING = "timing", _("Best send time")
        BG_NBD = "bg_nbd", _("Purchases (BG/NBD)")
        GAMMA_GAMMA = "gamma_gamma", _("Spend (gamma-gamma)")
        CHURN = "churn", _("Churn risk (logistic regression)")

    kind = models.CharField(_("model"), max_length=20, choices=Kind)
    fitted_at = models.DateTimeField(_("fitted"), db_default=Now(), editable=False)
    data_from = models.DateField(_("data from"), null=True)
    data_until = models.DateField(_("data until"), null=True)
    customers = models.PositiveIntegerField(_("customers"), default=0)
    parameters = models.JSONField(_("parameters"), default=dict)
    quality = models.JSONField(_("quality"), default=dict)

    class Meta:
        verbose_name = _("model run")
        verbose_name_plural = _("model runs")
        ordering = ["-id"]
        indexes = [
            # the newest of a kind: analytics.people
            models.Index(fields=["kind", "-id"], name="model_run_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.fitted_at:%Y-%m-%d}"


class ProfileRebuild(Job):
    """One pass over all customers, with models fitted when it starts. `done` and `total` count customers."""

    position = models.BigIntegerField(default=0, editable=False)
    """The id of the last customer whose profile is computed."""
    changed = models.PositiveIntegerField(default=0, editable=False)

    class Meta(Job.Meta):
        verbose_name = _("profile rebuild")
        verbose_name_plural = _("profile rebuilds")
        constraints = [
            models.UniqueConstraint(
                fields=["finished_at"],
                condition=models.Q(finished_at=None),
                nulls_distinct=False,
                name="profile_rebuild_one_at_a_time",
            )
        ]

    def __str__(self) -> str:
        return f"{self.created_at:%Y-%m-%d}"


class SharedDashboard(models.Model):
    """A dashboard with its filters, public by a link until it expires or is revoked."""

    name = models.CharField(_("name"), max_length=100)
    dashboard = models.CharField(_("dashboard"), max_length=30)
    query = models.CharField(
        _("filters"),
        max_length=1000,
        blank=True,
        help_text=_("The query string of the dashboard."),
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        editable=False,
        related_name="+",
        verbose_name=_("shared by"),
    )
    created_at = models.DateTimeField(_("shared"), db_default=Now(), editable=False)
    expires_at = models.DateTimeField(_("expires"))
    revoked_at = models.DateTimeField(_("revoked"), null=True, editable=False)
    opened = models.PositiveIntegerField(_("views"), default=0, db_default=0, editable=False)
    last_opened_at = models.DateTimeField(_("last viewed"), null=True, editable=False)

    class Meta:
        verbose_name = _("shared dashboard")
        verbose_name_plural = _("shared dashboards")
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.name

    @property
    def is_open(self) -> bool:
        return self.revoked_at is None and self.expires_at > timezone.now()
