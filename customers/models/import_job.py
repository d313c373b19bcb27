"""A file that was brought in: what it is, how its columns map, how far it has come."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class ImportJob(models.Model):
    """`kind` is one of customers.ingest.file_types, which higher apps add to; `reading` is files.Reading as an object."""

    class State(models.TextChoices):
        UPLOADED = "uploaded", _("Uploaded")
        QUEUED = "queued", _("Queued")
        RUNNING = "running", _("Running")
        FINISHED = "finished", _("Finished")
        FAILED = "failed", _("Failed")

    kind = models.CharField(_("kind"), max_length=30)
    file = models.FileField(_("file"), upload_to="imports/%Y/%m/")
    name = models.CharField(_("file name"), max_length=255, editable=False)
    mapping = models.JSONField(
        _("mapping"),
        default=dict,
        blank=True,
        help_text=_("Column of the file → field; columns left out are ignored."),
    )
    reading = models.JSONField(_("how it is read"), default=dict, blank=True, editable=False)
    create_missing = models.BooleanField(
        _("create missing customers"),
        default=False,
        help_text=_(
            "Orders of customers that are not known make them; else such orders are rejected."
        ),
    )
    state = models.CharField(
        _("state"), max_length=10, choices=State, default=State.UPLOADED, editable=False
    )
    stage = models.CharField(_("stage"), max_length=20, blank=True, default="", editable=False)
    progress = models.FloatField(
        _("progress"), default=0, editable=False, help_text=_("From 0 to 1, over all stages.")
    )
    rows = models.PositiveIntegerField(_("rows"), default=0, editable=False)
    created = models.PositiveIntegerField(_("created"), default=0, editable=False)
    updated = models.PositiveIntegerField(_("updated"), default=0, editable=False)
    unchanged = models.PositiveIntegerField(_("unchanged"), default=0, editable=False)
    rejected = models.PositiveIntegerField(_("rejected"), default=0, editable=False)
    rejected_file = models.FileField(_("rejected rows"), null=True, editable=False)
    error = models.TextField(_("error"), blank=True, default="", editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        verbose_name=_("by"),
    )
    created_at = models.DateTimeField(_("uploaded"), db_default=Now(), editable=False)
    started_at = models.DateTimeField(_("started"), null=True, editable=False)
    heartbeat_at = models.DateTimeField(null=True, editable=False)
    finished_at = models.DateTimeField(_("finished"), null=True, editable=False)

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.name or str(_("import"))

    def eta(self, now: datetime | None = None) -> timedelta | None:
        """How long it will still take at the pace so far; None before there is a pace."""
        if self.state != self.State.RUNNING or not self.started_at or self.progress <= 0:
            return None
        elapsed = (now or timezone.now()) - self.started_at
        return elapsed * ((1 - self.progress) / self.progress)
