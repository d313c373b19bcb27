"""Jobs on customers: a file to import, with the mapping of its columns; an action on a frozen selection."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.columns import OPTIONAL_TEXT
from crm.jobs import Job


class ImportJob(Job):
    """`kind` names one of customers.ingest.file_types; `reading` is files.Reading as an object; `done` is in percent."""

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
    reading = models.JSONField(_("format details"), default=dict, blank=True, editable=False)
    consent = models.JSONField(
        _("answers about consent"),
        default=dict,
        db_default={},
        blank=True,
        editable=False,
        help_text=_(
            "What cells mean, which columns state nothing, and the evidence of a new consent."
        ),
    )
    unread = models.JSONField(
        null=True,
        editable=False,
        help_text=_(
            "What a call may state, until a worker has read the columns that it did not map."
        ),
    )
    store = models.CharField(
        _("store"),
        max_length=100,
        help_text=_("Store of orders whose row has none. Order ids are unique in a store."),
        **OPTIONAL_TEXT,
    )
    create_missing = models.BooleanField(
        _("create missing customers"),
        default=False,
        help_text=_(
            "Create customers that orders name but that do not exist. Otherwise such orders are rejected."
        ),
    )
    state = models.CharField(
        _("state"), max_length=10, choices=State, default=State.UPLOADED, editable=False
    )
    total = models.PositiveIntegerField(default=100, db_default=100, editable=False)
    begun = models.JSONField(
        default=None,
        null=True,
        editable=False,
        help_text=_("Reading, formats and position, by which the next turn resumes."),
    )
    stage = models.CharField(_("stage"), max_length=20, blank=True, default="", editable=False)
    rows = models.PositiveIntegerField(_("rows"), default=0, editable=False)
    created = models.PositiveIntegerField(_("created"), default=0, editable=False)
    updated = models.PositiveIntegerField(_("updated"), default=0, editable=False)
    unchanged = models.PositiveIntegerField(_("unchanged"), default=0, editable=False)
    rejected = models.PositiveIntegerField(_("rejected"), default=0, editable=False)
    opt_outs_kept = models.PositiveIntegerField(
        _("unchanged opt-outs"), default=0, db_default=0, editable=False
    )
    unread_cells = models.JSONField(
        _("unread cells"),
        default=dict,
        editable=False,
        help_text=_("Field → cells that were stored as attributes."),
    )
    rejected_file = models.FileField(_("rejected rows"), null=True, editable=False)
    reasons = models.JSONField(
        _("reasons"),
        default=dict,
        db_default={},
        editable=False,
        help_text=_("Reason of rejected rows or unread cells, without values → their number."),
    )
    wants_preview = models.BooleanField(default=False, db_default=False, editable=False)
    """The next turn counts what an import would do, and writes nothing."""

    class Meta(Job.Meta):
        verbose_name = _("import")
        verbose_name_plural = _("imports")

    def __str__(self) -> str:
        return self.name or str(_("import"))

    @property
    def is_previewed(self) -> bool:
        """Return whether the figures are those of a preview, and nothing was written yet."""
        return self.state == self.State.UPLOADED and self.started_at is not None


class BulkJob(Job):
    """`customer_ids` is the selection at the time of the request, in the order of the list; `done` and `total` count customers.

    `options` is what `action` needs: `{"tags": [...]}`, `{"segment": id}` or `{"format": "csv"}`.
    """

    class Action(models.TextChoices):
        ADD_TAGS = "add_tags", _("Add tags")
        REMOVE_TAGS = "remove_tags", _("Remove tags")
        ADD_TO_SEGMENT = "add_to_segment", _("Add to segment")
        REMOVE_FROM_SEGMENT = "remove_from_segment", _("Remove from segment")
        EXPORT = "export", _("Export")

    action = models.CharField(_("action"), max_length=20, choices=Action)
    options = models.JSONField(_("options"), default=dict)
    customer_ids = ArrayField(models.BigIntegerField(), default=list)
    changed = models.PositiveIntegerField(_("changed"), default=0, db_default=0)
    file = models.FileField(_("file"), null=True)

    class Meta(Job.Meta):
        verbose_name = _("bulk job")
        verbose_name_plural = _("bulk jobs")

    def __str__(self) -> str:
        return self.get_action_display()
