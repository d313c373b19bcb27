"""A campaign says what goes to whom and when; a run is one time that it does."""

from __future__ import annotations

from decimal import Decimal

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django_celery_beat.models import PeriodicTask

from customers.models import Segment
from customers.models.consent import Channel, Topic
from marketing.models.policy import CampaignPolicy
from marketing.models.sender import Sender
from marketing.models.template import CampaignTemplate, TemplateVersion
from marketing.models.variant import CampaignTest


def goal_window_days() -> int:
    return int(settings.GOAL_WINDOW_DAYS)


class Campaign(CampaignPolicy, CampaignTest, models.Model):
    """What goes to whom and when. Its state changes only through marketing.campaigns.lifecycle."""

    class Type(models.TextChoices):
        ONE_TIME = "one_time", _("One-time")

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        SCHEDULED = "scheduled", _("Scheduled")
        RUNNING = "running", _("Running")
        PAUSED = "paused", _("Paused")
        COMPLETED = "completed", _("Completed")
        CANCELLED = "cancelled", _("Cancelled")

    name = models.CharField(_("name"), max_length=200)
    external_id = models.CharField(  # noqa: DJ001
        _("id in the source"), max_length=200, null=True, editable=False
    )
    historical = models.BooleanField(
        _("past"),
        default=False,
        db_default=False,
        editable=False,
        help_text=_("Sent by another system before; its results were brought in."),
    )
    description = models.TextField(_("description"), blank=True, default="", db_default="")
    type = models.CharField(_("type"), max_length=20, choices=Type, default=Type.ONE_TIME)
    state = models.CharField(
        _("state"), max_length=20, choices=State, default=State.DRAFT, editable=False
    )
    channel = models.CharField(_("channel"), max_length=20, choices=Channel, default=Channel.EMAIL)
    sender = models.ForeignKey(
        Sender, models.PROTECT, related_name="campaigns", verbose_name=_("sender")
    )
    template = models.ForeignKey(
        CampaignTemplate, models.PROTECT, related_name="campaigns", verbose_name=_("template")
    )
    topic = models.ForeignKey(
        Topic,
        models.PROTECT,
        related_name="campaigns",
        null=True,
        blank=True,
        verbose_name=_("topic"),
        help_text=_("What it is about; who opted out of the topic does not get it."),
    )
    segments = models.ManyToManyField(
        Segment,
        related_name="campaigns",
        verbose_name=_("to segments"),
        blank=True,
        help_text=_("Who is in any of these gets the message."),
    )
    exclude_segments = models.ManyToManyField(
        Segment,
        related_name="excluded_from",
        verbose_name=_("but not to"),
        blank=True,
        help_text=_("Who is in any of these does not."),
    )
    rules = models.JSONField(
        _("own rules"),
        null=True,
        blank=True,
        help_text=_("Instead of segments, or to narrow them down: the segment rule language."),
    )
    scheduled_at = models.DateTimeField(_("scheduled for"), null=True, blank=True)
    timezone = models.CharField(_("time zone"), max_length=64, default="UTC")
    schedule = models.OneToOneField(
        PeriodicTask, models.SET_NULL, related_name="+", null=True, editable=False
    )
    budget = models.DecimalField(
        _("budget"),
        max_digits=14,
        decimal_places=2,
        null=True,
        blank=True,
    )
    goal_window_days = models.PositiveIntegerField(
        _("goal window in days"),
        default=goal_window_days,
        help_text=_("An order within this many days after a click is a conversion."),
    )
    tags = ArrayField(
        models.CharField(max_length=100), verbose_name=_("tags"), blank=True, default=list
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        related_name="+",
        null=True,
        editable=False,
        verbose_name=_("by"),
    )
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)
    launched_at = models.DateTimeField(_("launched"), null=True, editable=False)
    completed_at = models.DateTimeField(_("completed"), null=True, editable=False)

    class Meta:
        verbose_name = _("campaign")
        verbose_name_plural = _("campaigns")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(budget__isnull=True) | models.Q(budget__gte=Decimal(0)),
                name="campaign_budget_not_negative",
                violation_error_message=_("A budget is not negative."),
            ),
            models.CheckConstraint(
                condition=~models.Q(state="scheduled") | models.Q(scheduled_at__isnull=False),
                name="campaign_scheduled_has_time",
            ),
            models.UniqueConstraint(fields=["external_id"], name="campaign_external_id_unique"),
            *CampaignPolicy.Meta.constraints,
            *CampaignTest.Meta.constraints,
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def topic_slug(self) -> str:
        """Empty where the campaign is about nothing in particular."""
        return self.topic.slug if self.topic else ""


class CampaignRun(models.Model):
    """One occurrence: a frozen audience and content, and how far it has come."""

    class State(models.TextChoices):
        QUEUED = "queued", _("Queued")
        MATERIALISING = "materialising", _("Collecting the audience")
        SENDING = "sending", _("Sending")
        PAUSED = "paused", _("Paused")
        FINISHED = "finished", _("Finished")
        CANCELLED = "cancelled", _("Cancelled")
        FAILED = "failed", _("Failed")

    class PauseReason(models.TextChoices):
        PERSON = "person", _("Somebody paused it")
        PROVIDER = "provider", _("The provider does not answer")
        BOUNCES = "bounces", _("Too many messages bounced")
        COMPLAINTS = "complaints", _("Too many people reported it as spam")
        BUDGET = "budget", _("The budget is used up")

    campaign = models.ForeignKey(
        Campaign, models.CASCADE, related_name="runs", verbose_name=_("campaign"), db_index=False
    )
    number = models.PositiveIntegerField(_("number"))
    state = models.CharField(_("state"), max_length=20, choices=State, default=State.QUEUED)
    version = models.ForeignKey(
        TemplateVersion, models.PROTECT, related_name="runs", verbose_name=_("content")
    )
    sender = models.ForeignKey(
        Sender, models.PROTECT, related_name="runs", verbose_name=_("sender")
    )
    simulated = models.BooleanField(_("simulated"), default=False)
    last_customer_id = models.BigIntegerField(
        default=0, help_text="How far the audience is materialised, by customer id."
    )
    audience = models.PositiveIntegerField(_("audience"), default=0)
    decides_at = models.DateTimeField(
        _("variants decided at"),
        null=True,
        help_text=_(
            "Until then, at most, those beyond the test share wait; none when nobody does."
        ),
    )
    error = models.TextField(_("error"), blank=True, default="", db_default="")
    pause_reason = models.CharField(
        _("why paused"),
        max_length=20,
        choices=PauseReason,
        blank=True,
        default="",
        db_default="",
    )
    watched_from = models.DateTimeField(
        null=True,
        help_text="Rates of bounces and complaints are watched of what was sent since: a person let the run go on then.",
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        related_name="+",
        null=True,
        editable=False,
        verbose_name=_("by"),
    )
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)
    started_at = models.DateTimeField(_("started"), null=True)
    finished_at = models.DateTimeField(_("finished"), null=True)
    reacted_until = models.DateTimeField(
        null=True, help_text="Up to when simulated recipients have reacted."
    )
    reactions_done_at = models.DateTimeField(
        null=True, help_text="When the last simulated recipient had reacted."
    )

    class Meta:
        verbose_name = _("run")
        verbose_name_plural = _("runs")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["campaign", "number"], name="run_number_unique"),
            models.UniqueConstraint(
                fields=["campaign"],
                condition=models.Q(state__in=["queued", "materialising", "sending", "paused"]),
                name="run_one_under_way_a_campaign",
            ),
        ]
        indexes = [
            # sweep: runs that want work
            models.Index(
                fields=["id"],
                name="run_under_way",
                condition=models.Q(state__in=["queued", "materialising", "sending"]),
            ),
            # simulate_reactions: runs whose recipients still react
            models.Index(
                fields=["id"],
                name="run_reacting",
                condition=models.Q(simulated=True, reactions_done_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.campaign} #{self.number}"

    @property
    def under_way(self) -> bool:
        return self.state in {"queued", "materialising", "sending", "paused"}

    def version_of(self, variant: str) -> TemplateVersion:
        """What messages of the variant say; of none, or one that the run does not know, what the run says."""
        own = self.variants.select_related("version").filter(name=variant).first()
        return own.version if own else self.version
