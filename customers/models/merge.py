"""Likely duplicates, and merges."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from crm import masking
from customers.models.customer import Customer


class Merge(masking.Personal):
    """One merge of two customers, with all data to undo it exactly.

    `duplicate` is the deleted row, `before` and `after` are the survivor's changed columns, `moved` has the keys of moved rows
    by table and column, and `set_aside` the rows that conflicted with the survivor's.
    When the survivor is itself merged, `survivor` is updated, so that an old id finds its person in one step.
    """

    personal = dict.fromkeys(("duplicate", "before", "after", "set_aside"), masking.payload)

    class Reason(models.TextChoices):
        BY_HAND = "by_hand", _("By hand")
        IDENTIFIED = "identified", _("Identified")

    survivor = models.ForeignKey(
        Customer, models.CASCADE, related_name="merges", verbose_name=_("merged into")
    )
    duplicate_id = models.BigIntegerField(_("duplicate"))
    duplicate = models.JSONField(editable=False)
    before = models.JSONField(editable=False)
    after = models.JSONField(editable=False)
    moved = models.JSONField(editable=False)
    set_aside = models.JSONField(editable=False)
    reason = models.CharField(_("reason"), max_length=20, choices=Reason, default=Reason.BY_HAND)
    merged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name=_("by"),
    )
    merged_at = models.DateTimeField(_("merged"), db_default=Now(), editable=False)
    undone_at = models.DateTimeField(_("undone"), null=True, editable=False)

    class Meta:
        verbose_name = _("merge")
        verbose_name_plural = _("merges")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["duplicate_id"],
                condition=models.Q(undone_at__isnull=True),
                name="merge_duplicate_once",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.duplicate_id} → #{self.survivor_id}"


class LikelyDuplicate(models.Model):
    """Two customers that are probably one person; `customer` is the older. A dismissed pair is not proposed again."""

    class Reason(models.TextChoices):
        EMAIL = "email", _("Same mailbox")
        NAME_AND_PHONE = "name_and_phone", _("Same name and phone")

    customer = models.ForeignKey(
        Customer,
        models.CASCADE,
        related_name="+",
        db_index=False,
        verbose_name=_("customer"),
    )
    other = models.ForeignKey(
        Customer, models.CASCADE, related_name="+", verbose_name=_("likely duplicate")
    )
    reason = models.CharField(_("reason"), max_length=20, choices=Reason)
    found_at = models.DateTimeField(_("found"), db_default=Now(), editable=False)
    dismissed_at = models.DateTimeField(_("dismissed"), null=True, editable=False)

    class Meta:
        verbose_name = _("likely duplicate")
        verbose_name_plural = _("likely duplicates")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["customer", "other"], name="likely_duplicate_once"),
        ]

    def __str__(self) -> str:
        return f"#{self.customer_id} = #{self.other_id}?"
