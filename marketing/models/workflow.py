"""Workflows, their versions, and the passages of customers through them."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from crm import masking
from crm.columns import OPTIONAL_TEXT
from crm.events.models import WebhookEndpoint
from crm.jobs import Job
from customers.models import Customer
from marketing.models.campaign import Campaign


class Workflow(models.Model):
    """Steps that customers take one by one. Only marketing.workflows changes its state."""

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        ACTIVE = "active", _("Active")
        PAUSED = "paused", _("Paused")
        ARCHIVED = "archived", _("Archived")

    name = models.CharField(_("name"), max_length=200)
    slug = models.SlugField(_("slug"), max_length=100, unique=True)
    description = models.TextField(_("description"), **OPTIONAL_TEXT)
    state = models.CharField(
        _("state"), max_length=20, choices=State, default=State.DRAFT, editable=False
    )
    draft = models.JSONField(
        _("draft"), help_text=_("The definition as it is edited; publishing makes a version of it.")
    )
    version = models.ForeignKey(
        "WorkflowVersion",
        models.PROTECT,
        related_name="+",
        null=True,
        editable=False,
        verbose_name=_("published version"),
    )
    timezone = models.CharField(
        _("time zone"),
        max_length=64,
        default="UTC",
        help_text=_("Stands in for a customer's unknown time zone."),
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
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)
    activated_at = models.DateTimeField(_("activated"), null=True, editable=False)
    draft_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        related_name="+",
        null=True,
        editable=False,
        verbose_name=_("draft last edited by"),
    )
    entered_until = models.DateTimeField(
        null=True,
        editable=False,
        help_text="Up to when dates and schedules have let customers enter.",
    )
    entering = models.JSONField(
        default=dict,
        db_default={},
        editable=False,
        help_text="An audience that enters chunk by chunk: its key, and the last customer of the chunk before.",
    )

    class Meta:
        verbose_name = _("workflow")
        verbose_name_plural = _("workflows")
        ordering = ["-id"]
        permissions = [("run_workflow", _("Can publish, activate and pause workflows"))]
        constraints = [
            models.CheckConstraint(
                condition=Q(state="draft") | Q(version__isnull=False),
                name="workflow_runs_a_version",
            )
        ]

    def __str__(self) -> str:
        return self.name


class WorkflowVersion(models.Model):
    """A published definition. Never changed."""

    workflow = models.ForeignKey(
        Workflow,
        models.CASCADE,
        related_name="versions",
        db_index=False,
        verbose_name=_("workflow"),
    )
    number = models.PositiveIntegerField(_("version"))
    definition = models.JSONField(_("definition"))
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        related_name="+",
        null=True,
        verbose_name=_("published by"),
    )
    published_at = models.DateTimeField(_("published"), db_default=Now())

    class Meta:
        verbose_name = _("workflow version")
        verbose_name_plural = _("workflow versions")
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["workflow", "number"], name="workflowversion_number")
        ]

    def __str__(self) -> str:
        return f"{self.workflow} v{self.number}"


class WorkflowStep(models.Model):
    """A step of a published version. All versions of a send step share its campaign and its figures."""

    version = models.ForeignKey(
        WorkflowVersion,
        models.CASCADE,
        related_name="steps",
        db_index=False,
        verbose_name=_("version"),
    )
    key = models.CharField(_("key"), max_length=100)
    type = models.CharField(_("type"), max_length=20)
    campaign = models.ForeignKey(
        Campaign,
        models.PROTECT,
        related_name="workflow_steps",
        null=True,
        verbose_name=_("campaign"),
    )

    class Meta:
        verbose_name = _("workflow step")
        verbose_name_plural = _("workflow steps")
        constraints = [
            models.UniqueConstraint(fields=["version", "key"], name="workflowstep_key_unique")
        ]

    def __str__(self) -> str:
        return self.key


class Enrollment(masking.Personal):
    """One passage of a customer through a workflow.

    `entry_key` tells apart passages side by side, such as one for each cart. `visits` counts the steps that it came to: it is the number of
    the present visit. It waits until `due_at`, and the engine looks at it at `wake_at`, which an event brings forward. `answers` holds
    what steps learned, by their key.
    """

    personal = {
        "context": masking.payload,
        "answers": masking.payload,
        "entry_key": masking.text,
        "error": masking.prose,
    }

    class State(models.TextChoices):
        ACTIVE = "active", _("Active")
        WAITING = "waiting", _("Waiting")
        COMPLETED = "completed", _("Completed")
        EXITED = "exited", _("Exited")
        FAILED = "failed", _("Failed")

    class ExitReason(models.TextChoices):
        EVENT = "event", _("Exit event")
        RULES = "rules", _("Exit rules")
        HOLDOUT = "holdout", _("Holdout")
        MANUAL = "manual", _("Removed by a user")
        STOPPED = "stopped", _("Stopped by another workflow")
        PUBLISHED = "published", _("Ended by a new version")
        MERGED = "merged", _("Customer merged")
        ERASED = "erased", _("Customer erased")
        ARCHIVED = "archived", _("Workflow archived")
        ROUNDS = "rounds", _("Limit of rounds reached")

    UNDER_WAY = (State.ACTIVE, State.WAITING)

    workflow = models.ForeignKey(
        Workflow,
        models.CASCADE,
        related_name="enrollments",
        db_index=False,
        verbose_name=_("workflow"),
    )
    customer = models.ForeignKey(
        Customer,
        models.CASCADE,
        related_name="enrollments",
        db_index=False,
        verbose_name=_("customer"),
    )
    entry_key = models.CharField(_("entry key"), max_length=200, **OPTIONAL_TEXT)
    version = models.ForeignKey(
        WorkflowVersion,
        models.PROTECT,
        related_name="enrollments",
        db_index=False,
        verbose_name=_("version"),
    )
    step = models.CharField(_("step"), max_length=100, **OPTIONAL_TEXT)
    state = models.CharField(_("state"), max_length=20, choices=State, default=State.ACTIVE)
    entered_at = models.DateTimeField(_("entered"))
    came_at = models.DateTimeField(_("at the step since"), null=True)
    left_at = models.DateTimeField(
        null=True, help_text="When it came to the step before: awaited events count from then on."
    )
    visits = models.PositiveIntegerField(default=0, db_default=0)
    due_at = models.DateTimeField(_("waits until"), null=True)
    wake_at = models.DateTimeField(null=True)
    waiting_for = models.CharField(_("waits for"), max_length=100, **OPTIONAL_TEXT)
    context = models.JSONField(_("entry event"), default=dict, db_default={})
    answers = models.JSONField(default=dict, db_default={})
    exit_reason = models.CharField(
        _("exit reason"), max_length=20, choices=ExitReason, **OPTIONAL_TEXT
    )
    error = models.TextField(_("error"), **OPTIONAL_TEXT)
    ended_at = models.DateTimeField(_("ended"), null=True)
    goal_at = models.DateTimeField(_("goal met"), null=True)
    goal_value = models.DecimalField(_("goal value"), max_digits=14, decimal_places=2, null=True)

    class Meta:
        verbose_name = _("passage")
        verbose_name_plural = _("passages")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["workflow", "customer", "entry_key"],
                condition=Q(state__in=["active", "waiting"]),
                name="enrollment_one_under_way",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["active", "waiting"], wake_at__isnull=False)
                | (~Q(state__in=["active", "waiting"]) & Q(wake_at=None)),
                name="enrollment_under_way_wakes",
            ),
        ]
        indexes = [
            # engine.advance: the passages of a workflow that are due
            models.Index(
                fields=["workflow", "wake_at", "id"],
                name="enrollment_due",
                condition=Q(wake_at__isnull=False),
            ),
            # feed: the waiting passages of a customer, which an event may concern
            models.Index(
                fields=["customer", "waiting_for"],
                name="enrollment_waiting",
                condition=Q(state="waiting"),
            ),
            # re-entry, goals; the passages of a customer
            models.Index(fields=["customer", "workflow", "entered_at"], name="enrollment_entered"),
            # lists and counts by step and state
            models.Index(fields=["workflow", "state", "step"], name="enrollment_by_step"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.step or self.state}"


class EnrollmentEvent(masking.Personal):
    """One move of a passage, and what decided it. Append-only; its keys point at rows that may be gone."""

    personal = {"detail": masking.payload}

    class Kind(models.TextChoices):
        ENTERED = "entered", _("Entered")
        LEFT = "left", _("Left the step")
        COMPLETED = "completed", _("Completed")
        EXITED = "exited", _("Exited")
        FAILED = "failed", _("Failed")
        GOAL = "goal", _("Met the goal")
        MOVED = "moved", _("Moved")

    enrollment_id = models.BigIntegerField()
    workflow_id = models.BigIntegerField()
    version_id = models.BigIntegerField()
    customer_id = models.BigIntegerField()
    kind = models.CharField(_("event"), max_length=20, choices=Kind)
    step = models.CharField(_("step"), max_length=100, **OPTIONAL_TEXT)
    branch = models.CharField(_("branch"), max_length=100, **OPTIONAL_TEXT)
    detail = models.JSONField(_("why"), default=dict, db_default={})
    at = models.DateTimeField(_("time"))

    class Meta:
        verbose_name = _("event of a passage")
        verbose_name_plural = _("events of passages")
        indexes = [
            # the way of a passage
            models.Index(fields=["enrollment_id", "id"], name="enrollmentevent_way"),
            # figures by step and branch
            models.Index(
                fields=["workflow_id", "step", "branch", "kind"], name="enrollmentevent_figures"
            ),
            # erasure
            models.Index(fields=["customer_id"], name="enrollmentevent_customer"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.step}"


class WorkflowCall(masking.Personal):
    """A call that a step makes outside: a post to a webhook, or a mail to staff. Its visit makes it once.

    `body` is what is posted or mailed; `picks` maps the names of answers to their places in the response, and `answer` has them.
    """

    personal = {"body": masking.payload, "answer": masking.payload, "error": masking.prose}

    class Kind(models.TextChoices):
        HTTP = "http", _("Webhook")
        NOTIFY = "notify", _("E-mail to staff")

    class State(models.TextChoices):
        PENDING = "pending", _("Pending")
        CALLING = "calling", _("Calling")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")
        UNCONFIRMED = "unconfirmed", _("Outcome unknown")

    enrollment = models.ForeignKey(
        Enrollment, models.CASCADE, related_name="calls", verbose_name=_("passage")
    )
    visit = models.CharField(max_length=40, unique=True)
    step = models.CharField(_("step"), max_length=100)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    endpoint = models.ForeignKey(
        WebhookEndpoint, models.SET_NULL, null=True, related_name="+", verbose_name=_("webhook")
    )
    body = models.JSONField(_("body"), default=dict)
    picks = models.JSONField(default=dict)
    state = models.CharField(
        _("state"), max_length=20, choices=State, default=State.PENDING, db_default=State.PENDING
    )
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0, db_default=0)
    next_attempt_at = models.DateTimeField(_("next attempt"), db_default=Now())
    leased_until = models.DateTimeField(null=True)
    response_code = models.PositiveSmallIntegerField(_("response code"), null=True)
    answer = models.JSONField(_("answer"), default=dict, db_default={})
    error = models.TextField(_("error"), **OPTIONAL_TEXT)
    created_at = models.DateTimeField(_("created"), db_default=Now())
    finished_at = models.DateTimeField(_("finished"), null=True)

    class Meta:
        verbose_name = _("call of a workflow")
        verbose_name_plural = _("calls of workflows")
        indexes = [
            # calls.make: the due calls of an endpoint, and those of dead workers
            models.Index(
                fields=["endpoint", "next_attempt_at"],
                name="workflowcall_due",
                condition=Q(state__in=["pending", "calling"]),
            ),
            # retention
            models.Index(fields=["created_at"], name="workflowcall_created"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.visit}"


class WorkflowTally(models.Model):
    """Numbers of events of passages, which a trigger adds with each statement that inserts events.

    Rows are only added, so that no two workers wait for one another; marketing.workflows.figures folds them. Of goals, `value` and
    `seconds` are the sums of their values and of the times since entering; those of the holdout group have the branch `holdout`, and
    those after an experiment stand under its step and branch, too.
    """

    workflow_id = models.BigIntegerField()
    version_id = models.BigIntegerField()
    kind = models.CharField(max_length=20)
    step = models.CharField(max_length=100, **OPTIONAL_TEXT)
    branch = models.CharField(max_length=100, **OPTIONAL_TEXT)
    number = models.BigIntegerField()
    value = models.DecimalField(max_digits=20, decimal_places=2, default=0, db_default=0)
    seconds = models.FloatField(default=0, db_default=0)

    class Meta:
        verbose_name = _("number of a workflow")
        verbose_name_plural = _("numbers of workflows")
        indexes = [
            # figures_of; fold
            models.Index(
                fields=["workflow_id", "version_id", "kind", "step", "branch"],
                name="workflowtally_figures",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.step} {self.number}"


class Backtest(Job):
    """A rehearsal of definitions over the stored timeline: `done` of `total` counts the hours of its period, for each definition.

    `definitions` has the draft or a version, and another version where one is compared; `result` the figures of each.
    """

    workflow = models.ForeignKey(
        Workflow, models.CASCADE, related_name="backtests", verbose_name=_("workflow")
    )
    since = models.DateTimeField(_("from"))
    until = models.DateTimeField(_("until"))
    sample = models.PositiveIntegerField(
        _("sample"), help_text=_("The most customers that are taken, chosen at random.")
    )
    definitions = models.JSONField()
    result = models.JSONField(_("result"), default=list, db_default=[])

    class Meta(Job.Meta):
        verbose_name = _("back-test")
        verbose_name_plural = _("back-tests")

    def __str__(self) -> str:
        return f"{self.workflow} {self.since:%F} – {self.until:%F}"
