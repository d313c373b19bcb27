"""Receipts of erasures, and hashes that recognise the addresses of erased people."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from crm.credentials import SealedText
from crm.jobs import Job


class ErasureReceipt(Job):
    """Proof of an erasure, and the job that erases files and logs after the rows. A finished receipt has no personal data.

    `wanted` is a DataSubject as JSON, by which files and logs are searched; `done` and `total` count steps.
    """

    customer_id = models.BigIntegerField(
        _("customer"), help_text=_("The number of the record, which stays without a person.")
    )
    removed = models.JSONField(
        _("removed"),
        default=dict,
        help_text=_("Numbers of erased rows, files and lines, by kind."),
    )
    failures = models.JSONField(
        _("failures"),
        default=dict,
        db_default={},
        help_text=_("The steps that failed, with the kind of error. They run again every minute."),
    )
    wanted = models.JSONField(default=dict, editable=False)

    class Meta(Job.Meta):
        verbose_name = _("erasure")
        verbose_name_plural = _("erasures")
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
    """The keyed hash of an erased person's id: enough to refuse the id, too little to learn it."""

    digest = models.BinaryField(max_length=32, primary_key=True)
    opt_outs = models.JSONField(
        default=list,
        db_default=[],
        help_text="[channel, topic] pairs of its opt-outs, which hold again when the person comes back.",
    )
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("erased address")
        verbose_name_plural = _("erased addresses")

    def __str__(self) -> str:
        return bytes(self.digest).hex()[:12]


class ErasureKey(models.Model):
    """The key of the hashes of erased addresses: random, sealed, made at the first erasure, so that it outlives every SECRET_KEY."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    sealed = SealedText(_("key"))

    class Meta:
        verbose_name = _("key of erasures")
        verbose_name_plural = _("keys of erasures")
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="erasure_key_is_one")]

    def __str__(self) -> str:
        return str(self._meta.verbose_name)
