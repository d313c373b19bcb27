"""What is done to many customers at once: to whom, how far it has come, what came of it."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class BulkJob(models.Model):
    """`customer_ids` is the selection as it was when somebody asked, in the order of their list; `options` is what `action` needs:
    `{"tags": [...]}`, `{"segment": id}` or `{"format": "csv"}`."""

    class Action(models.TextChoices):
        ADD_TAGS = "add_tags", _("Add tags")
        REMOVE_TAGS = "remove_tags", _("Remove tags")
        ADD_TO_SEGMENT = "add_to_segment", _("Add to a segment")
        REMOVE_FROM_SEGMENT = "remove_from_segment", _("Remove from a segment")
        EXPORT = "export", _("Export")

    class State(models.TextChoices):
        QUEUED = "queued", _("Queued")
        RUNNING = "running", _("Running")
        FINISHED = "finished", _("Finished")
        FAILED = "failed", _("Failed")

    action = models.CharField(_("what"), max_length=20, choices=Action)
    options = models.JSONField(_("options"), default=dict)
    customer_ids = ArrayField(models.BigIntegerField(), default=list)
    total = models.PositiveIntegerField(_("customers"), default=0)
    done = models.PositiveIntegerField(_("done"), default=0, db_default=0)
    changed = models.PositiveIntegerField(_("changed"), default=0, db_default=0)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.QUEUED)
    error = models.TextField(_("error"), blank=True, default="", db_default="")
    file = models.FileField(_("file"), null=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name=_("by"),
    )
    created_at = models.DateTimeField(_("asked for"), db_default=Now())
    started_at = models.DateTimeField(_("started"), null=True)
    heartbeat_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(_("finished"), null=True)

    class Meta:
        verbose_name = _("bulk job")
        verbose_name_plural = _("bulk jobs")
        ordering = ["-id"]
        indexes = [
            # the sweep: what is to be run, or was given up by its worker
            models.Index(
                fields=["heartbeat_at"],
                condition=models.Q(state__in=["queued", "running"]),
                name="bulk_job_under_way",
            ),
        ]

    def __str__(self) -> str:
        return self.get_action_display()

    def eta(self, now: datetime | None = None) -> timedelta | None:
        """How long it will still take at the pace so far; None before there is a pace."""
        if self.state != self.State.RUNNING or not self.started_at or not self.done:
            return None
        elapsed = (now or timezone.now()) - self.started_at
        return elapsed * ((self.total - self.done) / self.done)
