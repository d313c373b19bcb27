"""What is left of people who were erased: that it was done, and how to know their addresses without keeping them."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class ErasureReceipt(models.Model):
    """What was removed where, by whom and when; nothing personal stays in it once it is finished.

    `wanted` holds by what files and logs are searched. It is there from the erasure's commit until those are done, and emptied then.
    """

    customer_id = models.BigIntegerField(
        _("customer"), help_text=_("The number of the record, which stays without a person.")
    )
    removed = models.JSONField(
        _("removed"), default=dict, help_text=_("How many rows, files and lines, by where.")
    )
    failures = models.JSONField(
        _("failures"),
        default=dict,
        db_default={},
        help_text=_("The steps that failed, with the kind of error. They run again every minute."),
    )
    wanted = models.JSONField(default=dict, editable=False)
    erased_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        related_name="+",
        null=True,
        verbose_name=_("by"),
    )
    erased_at = models.DateTimeField(_("erased"), db_default=Now())
    finished_at = models.DateTimeField(_("finished"), null=True)

    class Meta:
        verbose_name = _("erasure")
        verbose_name_plural = _("erasures")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["customer_id"], name="erasure_once_a_customer"),
            models.CheckConstraint(
                condition=models.Q(finished_at__isnull=True) | models.Q(wanted={}),
                name="erasure_finished_holds_nothing_personal",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.customer_id}"


class ErasedAddress(models.Model):
    """The keyed hash of an id of somebody who was erased: enough to refuse it, too little to learn it."""

    digest = models.BinaryField(max_length=32, primary_key=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("erased address")
        verbose_name_plural = _("erased addresses")

    def __str__(self) -> str:
        return bytes(self.digest).hex()[:12]
