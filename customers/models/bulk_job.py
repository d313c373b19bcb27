"""One action on many customers: the selection, its progress, its result."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.jobs import Job


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
