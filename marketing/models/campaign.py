"""Campaigns, and their runs."""

from __future__ import annotations

from decimal import Decimal

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django_celery_beat.models import PeriodicTask

from crm.columns import OPTIONAL_TEXT
from customers.models import Segment
from customers.models.consent import Channel, Topic
from marketing.models.campaign_parts import (
    CampaignGoal,
    CampaignPolicy,
    CampaignTest,
    CampaignTrigger,
)
from marketing.models.sender import Sender
from marketing.models.template import CampaignTemplate, TemplateVersion


class Campaign(CampaignTrigger, CampaignPolicy, CampaignTest, CampaignGoal, models.Model):
    """A message to an audience at a time. Only marketing.campaigns changes its state."""

    class Type(models.TextChoices):
        ONE_TIME = "one_time", _("One-time")
        RECURRING = "recurring", _("Recurring")
        TRIGGERED = "triggered", _("Triggered")
        WORKFLOW = "workflow", _("Workflow step")

    class Frequency(models.TextChoices):
        SECONDLY = "secondly", _("Every N seconds")
        HOURLY = "hourly", _("Hourly")
        DAILY = "daily", _("Daily")
        WEEKLY = "weekly", _("Weekly")
        MONTHLY = "monthly", _("Monthly")

    class Weekday(models.TextChoices):
        MONDAY = "mon", _("Monday")
        TUESDAY = "tue", _("Tuesday")
        WEDNESDAY = "wed", _("Wednesday")
        THURSDAY = "thu", _("Thursday")
        FRIDAY = "fri", _("Friday")
        SATURDAY = "sat", _("Saturday")
        SUNDAY = "sun", _("Sunday")

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        SCHEDULED = "scheduled", _("Scheduled")
        RUNNING = "running", _("Running")
        PAUSED = "paused", _("Paused")
        COMPLETED = "completed", _("Completed")
        CANCELLED = "cancelled", _("Cancelled")

    EDITABLE = frozenset({State.DRAFT, State.SCHEDULED})

    name = models.CharField(_("name"), max_length=200)
    external_id = models.CharField(  # noqa: DJ001
        _("external ID"), max_length=200, null=True, editable=False
    )
    historical = models.BooleanField(
        _("imported"),
        default=False,
        db_default=False,
        editable=False,
        help_text=_("Sent by another system; its results were imported."),
    )
    description = models.TextField(_("description"), **OPTIONAL_TEXT)
    type = models.CharField(_("type"), max_length=20, choices=Type, default=Type.ONE_TIME)
    state = models.CharField(
        _("state"), max_length=20, choices=State, default=State.DRAFT, editable=False
    )
    channel = models.CharField(
        _("channel"),
        max_length=50,
        choices=Channel,
        default=Channel.EMAIL,
        help_text=_("An imported campaign may name another medium, such as TV."),
    )
    sender = models.ForeignKey(
        Sender, models.PROTECT, related_name="campaigns", verbose_name=_("sender")
    )
    template = models.ForeignKey(
        CampaignTemplate, models.PROTECT, related_name="campaigns", verbose_name=_("template")
    )
    reply_to = models.EmailField(
        _("reply-to address"),
        max_length=254,
        **OPTIONAL_TEXT,
        help_text=_("For e-mail. Leave empty to use the sender's."),
    )
    topic = models.ForeignKey(
        Topic,
        models.PROTECT,
        related_name="campaigns",
        null=True,
        blank=True,
        verbose_name=_("topic"),
        help_text=_("Customers who opted out of the topic are skipped."),
    )
    segments = models.ManyToManyField(
        Segment,
        related_name="campaigns",
        verbose_name=_("segments"),
        blank=True,
        help_text=_("Customers in any of these segments receive the message."),
    )
    exclude_segments = models.ManyToManyField(
        Segment,
        related_name="excluded_from",
        verbose_name=_("exclude segments"),
        blank=True,
        help_text=_("Customers in any of these segments are excluded."),
    )
    rules = models.JSONField(
        _("audience filter"),
        null=True,
        blank=True,
        help_text=_("Instead of segments, or to narrow them down, in the segment rule language."),
    )
    scheduled_at = models.DateTimeField(
        _("start"),
        null=True,
        blank=True,
        help_text=_("A recurring campaign repeats from then on."),
    )
    timezone = models.CharField(_("time zone"), max_length=64, default="UTC")
    local_time = models.BooleanField(
        _("send in the customer's local time"),
        default=False,
        db_default=False,
        help_text=_("The campaign's time zone stands in for an unknown one."),
    )
    frequency = models.CharField(_("frequency"), max_length=10, choices=Frequency, **OPTIONAL_TEXT)
    interval = models.PositiveIntegerField(
        _("repeat every"),
        default=1,
        db_default=1,
        validators=[MinValueValidator(1), MaxValueValidator(10_000)],
        help_text=_("2 means every other time, counted from the start. For seconds, their number."),
    )
    weekdays = ArrayField(
        models.CharField(max_length=3, choices=Weekday),
        verbose_name=_("weekdays"),
        blank=True,
        default=list,
        db_default=[],
        help_text=_("For weekly campaigns. Leave empty for the weekday of the start."),
    )
    day_of_month = models.PositiveSmallIntegerField(
        _("day of the month"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(31)],
        help_text=_(
            "For monthly campaigns; 31 is the last day of any month. Leave empty for the day of the start."
        ),
    )
    clock_time = models.TimeField(
        null=True,
        editable=False,
        help_text="The local time of each run, where a clock change skips it on the start day.",
    )
    ends_at = models.DateTimeField(
        _("until"), null=True, blank=True, help_text=_("No run starts after this time.")
    )
    max_runs = models.PositiveIntegerField(
        _("maximum number of runs"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("Every run counts."),
    )
    next_run_at = models.DateTimeField(_("next run"), null=True, editable=False)
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
    tags = ArrayField(
        models.CharField(max_length=100), verbose_name=_("tags"), blank=True, default=list
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        related_name="+",
        null=True,
        editable=False,
        verbose_name=_("created by"),
    )
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        related_name="+",
        null=True,
        editable=False,
        verbose_name=_("last changed by"),
    )
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        related_name="+",
        null=True,
        editable=False,
        verbose_name=_("approved by"),
    )
    approval = models.JSONField(
        default=dict,
        db_default={},
        editable=False,
        help_text="The newest approval: who, when, and fingerprints of what it covers; see campaigns/approval.py.",
    )
    approved_at = models.DateTimeField(_("approved"), null=True, editable=False)
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)
    launched_at = models.DateTimeField(_("launched"), null=True, editable=False)
    completed_at = models.DateTimeField(_("completed"), null=True, editable=False)

    class Meta:
        verbose_name = _("campaign")
        verbose_name_plural = _("campaigns")
        ordering = ["-id"]
        permissions = [
            ("approve_campaign", _("Can approve campaigns of others")),
            ("launch_campaign", _("Can launch, pause and end campaigns")),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(budget__isnull=True) | models.Q(budget__gte=Decimal(0)),
                name="campaign_budget_not_negative",
                violation_error_message=_("Enter a budget of 0 or more."),
            ),
            models.CheckConstraint(
                condition=~models.Q(state="scheduled")
                | models.Q(scheduled_at__isnull=False, next_run_at__isnull=False),
                name="campaign_scheduled_has_time",
            ),
            models.CheckConstraint(
                condition=models.Q(type="recurring", frequency__gt="")
                | (~models.Q(type="recurring") & models.Q(frequency="")),
                name="campaign_recurring_has_frequency",
                violation_error_message=_(
                    "Choose a frequency for a recurring campaign, and for no other."
                ),
            ),
            models.CheckConstraint(
                condition=models.Q(interval__gte=1)
                & (~models.Q(frequency="secondly") | models.Q(interval__gte=10)),
                name="campaign_interval_in_bounds",
                violation_error_message=_("Enter at least 10 seconds."),
            ),
            models.CheckConstraint(
                condition=models.Q(day_of_month__isnull=True)
                | models.Q(day_of_month__range=(1, 31)),
                name="campaign_day_of_month",
                violation_error_message=_("Enter a day from 1 to 31."),
            ),
            models.CheckConstraint(
                condition=models.Q(max_runs__isnull=True) | models.Q(max_runs__gte=1),
                name="campaign_max_runs_positive",
                violation_error_message=_("Enter at least 1 run."),
            ),
            models.CheckConstraint(
                condition=models.Q(historical=True) | models.Q(channel__in=Channel.values),
                name="campaign_sends_by_a_channel",
            ),
            models.UniqueConstraint(fields=["external_id"], name="campaign_external_id_unique"),
            *CampaignTrigger.Meta.constraints,
            *CampaignPolicy.Meta.constraints,
            *CampaignTest.Meta.constraints,
            *CampaignGoal.Meta.constraints,
        ]
        indexes = [
            # triggered.react: campaigns that wait for an event
            models.Index(
                fields=["trigger_event"],
                name="campaign_trigger",
                condition=models.Q(type="triggered", state="running"),
            ),
            # launch_overdue: campaigns whose call from beat was lost; the calendar
            models.Index(
                fields=["next_run_at"],
                name="campaign_next_run",
                condition=models.Q(state="scheduled"),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_editable(self) -> bool:
        return self.state in self.EDITABLE

    @property
    def recurs(self) -> bool:
        return self.type == self.Type.RECURRING

    @property
    def is_triggered(self) -> bool:
        return self.type == self.Type.TRIGGERED

    @property
    def is_fed(self) -> bool:
        """Return whether recipients come to it while it runs, by events or from a workflow."""
        return self.type in {self.Type.TRIGGERED, self.Type.WORKFLOW}

    @property
    def topic_slug(self) -> str:
        """Return the slug of the topic; empty without one."""
        return self.topic.slug if self.topic else ""


class CampaignRun(models.Model):
    """One batch of messages of a campaign, with its audience and content frozen at launch."""

    class State(models.TextChoices):
        QUEUED = "queued", _("Queued")
        MATERIALISING = "materialising", _("Collecting the audience")
        SENDING = "sending", _("Sending")
        PAUSED = "paused", _("Paused")
        FINISHED = "finished", _("Finished")
        CANCELLED = "cancelled", _("Cancelled")
        FAILED = "failed", _("Failed")

    class PauseReason(models.TextChoices):
        PERSON = "person", _("Paused by a user")
        PROVIDER = "provider", _("Provider unreachable")
        BOUNCES = "bounces", _("Bounce rate too high")
        COMPLAINTS = "complaints", _("Complaint rate too high")
        BUDGET = "budget", _("Budget used up")
        APPROVAL = "approval", _("Changed since its approval")

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
    triggered = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Events add its audience one by one, on the day of due_at.",
    )
    last_customer_id = models.BigIntegerField(
        default=0, help_text="How far the audience is materialised, by customer id."
    )
    audience = models.PositiveIntegerField(_("audience"), default=0)
    decides_at = models.DateTimeField(
        _("winner decided at"),
        null=True,
        help_text=_("Customers outside the test audience wait until then at most."),
    )
    batched_at = models.DateTimeField(
        null=True, help_text="When the bandit last assigned variants to a batch."
    )
    error = models.TextField(_("error"), **OPTIONAL_TEXT)
    pause_reason = models.CharField(
        _("pause reason"), max_length=20, choices=PauseReason, **OPTIONAL_TEXT
    )
    watched_from = models.DateTimeField(
        null=True,
        help_text="Bounce and complaint rates count messages sent since then: a user resumed the run.",
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        related_name="+",
        null=True,
        editable=False,
        verbose_name=_("created by"),
    )
    due_at = models.DateTimeField(
        _("due"),
        null=True,
        help_text=_("Its time in the schedule; empty for a run started by hand."),
    )
    missed = models.PositiveIntegerField(
        _("missed times"),
        default=0,
        db_default=0,
        help_text=_("Earlier times that passed while no scheduler was running."),
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
            models.UniqueConstraint(fields=["campaign", "due_at"], name="run_once_an_occurrence"),
            models.UniqueConstraint(
                fields=["campaign"],
                condition=models.Q(
                    state__in=["queued", "materialising", "sending", "paused"], triggered=False
                ),
                name="run_one_under_way_a_campaign",
            ),
        ]
        indexes = [
            # unattended runs
            models.Index(
                fields=["id"],
                name="run_under_way",
                condition=models.Q(state__in=["queued", "materialising", "sending"]),
            ),
            # simulated engagement: runs whose recipients still react
            models.Index(
                fields=["id"],
                name="run_reacting",
                condition=models.Q(simulated=True, reactions_done_at__isnull=True),
            ),
            # the calendar: what ran in a month
            models.Index(fields=["created_at"], name="run_created"),
        ]

    def __str__(self) -> str:
        return f"{self.campaign} #{self.number}"

    @property
    def siblings(self) -> models.QuerySet[CampaignRun]:
        """Return all batches of the same owner, this one among them."""
        return CampaignRun.objects.filter(campaign=self.campaign_id)

    @property
    def under_way(self) -> bool:
        return self.state in {"queued", "materialising", "sending", "paused"}

    def version_of(self, variant: str) -> TemplateVersion:
        """Return the content of a variant; that of the run for none or an unknown one."""
        own = self.variants.select_related("version").filter(name=variant).first()
        return own.version if own else self.version
