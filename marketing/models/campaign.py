"""A campaign says what goes to whom and when; a run is one time that it does."""

from __future__ import annotations

from decimal import Decimal

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django_celery_beat.models import PeriodicTask

from customers.models import Segment
from customers.models.consent import Channel, Topic
from marketing.models.goal import CampaignGoal
from marketing.models.policy import CampaignPolicy
from marketing.models.sender import Sender
from marketing.models.template import CampaignTemplate, TemplateVersion
from marketing.models.trigger import CampaignTrigger
from marketing.models.variant import CampaignTest


class Campaign(CampaignTrigger, CampaignPolicy, CampaignTest, CampaignGoal, models.Model):
    """What goes to whom and when. Its state changes only through marketing.campaigns.moves."""

    class Type(models.TextChoices):
        ONE_TIME = "one_time", _("One-time")
        RECURRING = "recurring", _("Recurring")
        TRIGGERED = "triggered", _("Triggered")

    class Frequency(models.TextChoices):
        SECONDLY = "secondly", _("Every so many seconds")
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
    reply_to = models.EmailField(
        _("replies to"),
        max_length=254,
        blank=True,
        default="",
        db_default="",
        help_text=_("Of e-mail. Empty: where the sender says."),
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
    scheduled_at = models.DateTimeField(
        _("scheduled for"),
        null=True,
        blank=True,
        help_text=_("When it starts; a recurring one repeats from then on."),
    )
    timezone = models.CharField(_("time zone"), max_length=64, default="UTC")
    local_time = models.BooleanField(
        _("at each customer's own time"),
        default=False,
        db_default=False,
        help_text=_("The clock is that of the customer's time zone; of the campaign's if unknown."),
    )
    frequency = models.CharField(
        _("frequency"), max_length=10, choices=Frequency, blank=True, default="", db_default=""
    )
    interval = models.PositiveIntegerField(
        _("every"),
        default=1,
        db_default=1,
        validators=[MinValueValidator(1), MaxValueValidator(10_000)],
        help_text=_("2 is every other time, counted from the first; or the number of seconds."),
    )
    weekdays = ArrayField(
        models.CharField(max_length=3, choices=Weekday),
        verbose_name=_("on"),
        blank=True,
        default=list,
        db_default=[],
        help_text=_("Of a weekly one; the weekday of the start if none is chosen."),
    )
    day_of_month = models.PositiveSmallIntegerField(
        _("day of the month"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(31)],
        help_text=_(
            "Of a monthly one, 31 being the last day of any month; the day of the start if empty."
        ),
    )
    clock_time = models.TimeField(
        null=True,
        editable=False,
        help_text="What the clock shows at each run, where the day of the start skips that time.",
    )
    ends_at = models.DateTimeField(
        _("until"), null=True, blank=True, help_text=_("Nothing starts after this time.")
    )
    max_runs = models.PositiveIntegerField(
        _("at most so many runs"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("Counting every run."),
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
        verbose_name=_("by"),
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
    approved_versions = ArrayField(
        models.BigIntegerField(),
        default=list,
        db_default=[],
        editable=False,
        help_text="Versions of its template and those of its variants that were approved.",
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
                violation_error_message=_("A budget is not negative."),
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
                violation_error_message=_("A recurring campaign has a frequency, and only it."),
            ),
            models.CheckConstraint(
                condition=models.Q(interval__gte=1)
                & (~models.Q(frequency="secondly") | models.Q(interval__gte=10)),
                name="campaign_interval_in_bounds",
                violation_error_message=_("Not more often than every 10 seconds."),
            ),
            models.CheckConstraint(
                condition=models.Q(day_of_month__isnull=True)
                | models.Q(day_of_month__range=(1, 31)),
                name="campaign_day_of_month",
                violation_error_message=_("A month has days 1 to 31."),
            ),
            models.CheckConstraint(
                condition=models.Q(max_runs__isnull=True) | models.Q(max_runs__gte=1),
                name="campaign_max_runs_positive",
                violation_error_message=_("At least one run."),
            ),
            models.UniqueConstraint(fields=["external_id"], name="campaign_external_id_unique"),
            *CampaignTrigger.Meta.constraints,
            *CampaignPolicy.Meta.constraints,
            *CampaignTest.Meta.constraints,
            *CampaignGoal.Meta.constraints,
        ]
        indexes = [
            # triggered.react: who waits for an event
            models.Index(
                fields=["trigger_event"],
                name="campaign_trigger",
                condition=models.Q(type="triggered", state="running"),
            ),
            # launch_overdue: what the clock has called, and nobody heard; the calendar
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
    triggered = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Its audience comes one by one, as things happen, on the day that is due_at.",
    )
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
    batched_at = models.DateTimeField(
        null=True, help_text="When a bandit last gave out a batch of the rest."
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
    due_at = models.DateTimeField(
        _("due"), null=True, help_text=_("Its place in the schedule; none when sent by hand.")
    )
    missed = models.PositiveIntegerField(
        _("missed before"),
        default=0,
        db_default=0,
        help_text=_("So many earlier times passed while no clock was running."),
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
            # the calendar: what ran in a month
            models.Index(fields=["created_at"], name="run_created"),
        ]

    def __str__(self) -> str:
        return f"{self.campaign} #{self.number}"

    @property
    def siblings(self) -> models.QuerySet[CampaignRun]:
        """All batches of the same owner, this one among them."""
        return CampaignRun.objects.filter(campaign=self.campaign_id)

    @property
    def under_way(self) -> bool:
        return self.state in {"queued", "materialising", "sending", "paused"}

    def version_of(self, variant: str) -> TemplateVersion:
        """What messages of the variant say; of none, or one that the run does not know, what the run says."""
        own = self.variants.select_related("version").filter(name=variant).first()
        return own.version if own else self.version
