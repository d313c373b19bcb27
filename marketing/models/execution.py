"""One message to one customer, with its state and the times of its events; one public post of a run."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from django.db import models
from django.db.models import Value
from django.db.models.functions import Coalesce, Now
from django.utils.translation import gettext_lazy as _

from crm import masking
from crm.columns import OPTIONAL_TEXT
from customers.models import Customer
from customers.models.consent import Channel
from marketing.models.campaign import CampaignRun
from marketing.models.template import TemplateVersion
from marketing.querysets import ExecutionQuerySet

ALWAYS_DUE = Value(datetime(1970, 1, 1, tzinfo=UTC), models.DateTimeField())
"""The due time of a message that waits for none."""


class CampaignExecution(masking.Personal):
    """One message to one customer.

    The states are those of delivery. Opened, clicked, converted and unsubscribed are times, as these events come in any order. A worker
    claims rows by `lease` until `leased_until`. marketing.messages.queue inserts rows, marketing.messages.transitions changes states.
    """

    personal = {"address": masking.address, "error": masking.prose}

    class State(models.TextChoices):
        PENDING = "pending", _("Pending")
        SENDING = "sending", _("Sending")
        RETRY = "retry", _("Waiting to retry")
        SENT = "sent", _("Sent")
        DELIVERED = "delivered", _("Delivered")
        BOUNCED = "bounced", _("Bounced")
        COMPLAINED = "complained", _("Complained")
        FAILED = "failed", _("Failed")
        SKIPPED = "skipped", _("Skipped")
        UNCONFIRMED = "unconfirmed", _("Unconfirmed")

    class SkipReason(models.TextChoices):
        NO_ADDRESS = "no_address", _("No address")
        NOT_SUBSCRIBED = "not_subscribed", _("Not subscribed")
        SUPPRESSED = "suppressed", _("Suppressed")
        ALREADY_SENT = "already_sent", _("Already received")
        FREQUENCY_CAP = "frequency_cap", _("Frequency cap")
        HOLDOUT = "holdout", _("Holdout")
        DUPLICATE_ADDRESS = "duplicate_address", _("Duplicate address")
        INVALID_CONTENT = "invalid_content", _("Content cannot be rendered")
        LEFT_AUDIENCE = "left_audience", _("Left the audience")
        CANCELLED = "cancelled", _("Cancelled")

    class ErrorKind(models.TextChoices):
        HARD_BOUNCE = "hard_bounce", _("No such address")
        SOFT_BOUNCE = "soft_bounce", _("Mailbox unavailable")
        BLOCKED = "blocked", _("Blocked by the recipient's server")
        UNWANTED = "unwanted", _("Unsubscribed at provider")
        REFUSED = "refused", _("Refused by the provider")
        ACCOUNT = "account", _("Sender refused")
        TEMPORARY = "temporary", _("Deferred")
        LOST = "lost", _("Outcome unknown")

    run = models.ForeignKey(
        CampaignRun,
        models.CASCADE,
        related_name="executions",
        verbose_name=_("run"),
        db_index=False,
    )
    customer = models.ForeignKey(
        Customer,
        models.CASCADE,
        related_name="executions",
        verbose_name=_("customer"),
        db_index=False,
    )
    address = models.CharField(_("address"), max_length=320, **OPTIONAL_TEXT)
    state = models.CharField(
        _("state"), max_length=20, choices=State, default=State.PENDING, db_default=State.PENDING
    )
    skip_reason = models.CharField(
        _("skip reason"), max_length=20, choices=SkipReason, **OPTIONAL_TEXT
    )
    variant = models.CharField(_("variant"), max_length=100, **OPTIONAL_TEXT)
    visit = models.CharField(  # noqa: DJ001
        max_length=40,
        null=True,
        editable=False,
        help_text="Of a workflow's message: its passage and the visit of a step, which has one message.",
    )
    context = models.JSONField(
        default=dict,
        db_default={},
        blank=True,
        editable=False,
        help_text="What the variables of this message alone stand for, under `event`, `data`, `entry` and `steps`.",
    )
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0, db_default=0)
    next_attempt_at = models.DateTimeField(_("next attempt"), null=True)
    lease = models.UUIDField(null=True)
    leased_until = models.DateTimeField(null=True)
    provider_id = models.CharField(_("provider's id"), max_length=255, **OPTIONAL_TEXT)
    error = models.TextField(_("error"), **OPTIONAL_TEXT)
    error_kind = models.CharField(
        _("error kind"), max_length=20, choices=ErrorKind, **OPTIONAL_TEXT
    )

    links = models.JSONField(
        _("links"),
        null=True,
        editable=False,
        help_text=_(
            "Addresses that this message alone has, by position; the others are its version's."
        ),
    )

    created_at = models.DateTimeField(_("created"), db_default=Now())
    sending_at = models.DateTimeField(_("submitted"), null=True)
    sent_at = models.DateTimeField(_("sent"), null=True)
    delivered_at = models.DateTimeField(_("delivered"), null=True)
    bounced_at = models.DateTimeField(_("bounced"), null=True)
    complained_at = models.DateTimeField(_("complained"), null=True)
    failed_at = models.DateTimeField(_("failed"), null=True)
    opened_at = models.DateTimeField(_("opened"), null=True)
    clicked_at = models.DateTimeField(_("clicked"), null=True)
    opened_by_machine_at = models.DateTimeField(_("opened by a bot"), null=True)
    clicked_by_machine_at = models.DateTimeField(_("clicked by a bot"), null=True)
    converted_at = models.DateTimeField(_("converted"), null=True)
    unsubscribed_at = models.DateTimeField(_("unsubscribed"), null=True)
    revenue = models.DecimalField(
        _("revenue"), max_digits=14, decimal_places=2, default=Decimal(0), db_default=Decimal(0)
    )

    objects = ExecutionQuerySet.as_manager()

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        constraints = [
            models.UniqueConstraint(
                fields=["run", "customer"],
                condition=models.Q(visit__isnull=True),
                name="execution_once_a_run",
            ),
            models.UniqueConstraint(
                fields=["visit"],
                condition=models.Q(visit__isnull=False),
                name="execution_once_a_visit",
            ),
            models.CheckConstraint(
                condition=models.Q(state="skipped", skip_reason__gt="")
                | (~models.Q(state="skipped") & models.Q(skip_reason="")),
                name="execution_skipped_has_reason",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="sending") | models.Q(lease__isnull=False),
                name="execution_sending_is_held",
            ),
        ]
        indexes = [
            # queue.claim: the next due messages of a run
            models.Index(
                "run",
                Coalesce("next_attempt_at", ALWAYS_DUE),
                "id",
                name="execution_queue",
                condition=models.Q(state__in=["pending", "retry"]),
            ),
            # transitions.mark_unconfirmed: the claims of dead workers; queue.count_workers
            models.Index(
                fields=["leased_until"],
                name="execution_leases",
                condition=models.Q(leased_until__isnull=False),
            ),
            # counts and lists by state
            models.Index(fields=["run", "state"], name="execution_run_state"),
            # progress: how many were sent in the last minute
            models.Index(
                fields=["run", "sent_at"],
                name="execution_sent",
                condition=models.Q(sent_at__isnull=False),
            ),
            # receipts: the message of a provider id
            models.Index(
                fields=["provider_id"],
                name="execution_provider_id",
                condition=models.Q(provider_id__gt=""),
            ),
            # a customer's messages; frequency caps
            models.Index(fields=["customer", "sending_at"], name="execution_customer"),
            # conversions: the newest click of a customer
            models.Index(
                fields=["customer", "-clicked_at"],
                name="execution_clicked",
                condition=models.Q(clicked_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.state}"

    @property
    def version(self) -> TemplateVersion:
        """Return the content of the message."""
        return self.run.version_of(self.variant) if self.variant else self.run.version


class FormerMessage(masking.Personal):
    """A sent message whose row was deleted, by a merge or with its customer.

    A trigger of the messages' table inserts it, so that no way of deleting is forgotten. Its keys point at rows that may be gone, too.
    """

    personal = {"address": masking.address, "links": masking.payload}

    execution_id = models.BigIntegerField(primary_key=True)
    customer_id = models.BigIntegerField(db_index=True)
    run_id = models.BigIntegerField()
    channel = models.CharField(_("channel"), max_length=20, choices=Channel)
    address = models.CharField(_("address"), max_length=320, **OPTIONAL_TEXT)
    variant = models.CharField(max_length=100, **OPTIONAL_TEXT)
    links = models.JSONField(null=True)
    deleted_at = models.DateTimeField(_("deleted"), db_default=Now(), db_index=True)

    class Meta:
        verbose_name = _("former message")
        verbose_name_plural = _("former messages")

    def __str__(self) -> str:
        return f"#{self.execution_id}"


class RunPost(models.Model):
    """The attempts and the result of a run's post. It is no CampaignExecution, as it has no recipient, and no figure counts it."""

    run = models.OneToOneField(
        CampaignRun, models.CASCADE, primary_key=True, related_name="post", verbose_name=_("run")
    )
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0, db_default=0)
    next_attempt_at = models.DateTimeField(_("next attempt"), db_default=Now())
    posted_at = models.DateTimeField(_("posted"), null=True)
    provider_id = models.CharField(_("provider's id"), max_length=255, **OPTIONAL_TEXT)
    url = models.URLField(_("address"), max_length=2000, **OPTIONAL_TEXT)
    error = models.TextField(_("error"), **OPTIONAL_TEXT)

    class Meta:
        verbose_name = _("post")
        verbose_name_plural = _("posts")

    def __str__(self) -> str:
        return self.url or f"{self.run}"
