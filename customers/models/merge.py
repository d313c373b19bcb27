"""Two records of one person: likely ones, and those that were merged."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from crm import masking
from customers.models.customer import Customer


class Merge(masking.Personal):
    """One customer taken into another, with all that it takes to undo it exactly.

    `duplicate` is the row that went, `before` and `after` are the survivor's columns that changed, `moved` has the keys of the rows
    that were the duplicate's by table and column, and `set_aside` the rows that could not stay beside the survivor's.
    `survivor` follows when the survivor is itself merged, so that an old id finds its person in one step.
    """

    personal = dict.fromkeys(("duplicate", "before", "after", "set_aside"), masking.payload)

    class Reason(models.TextChoices):
        BY_HAND = "by_hand", _("By hand")
        IDENTIFIED = "identified", _("Said who they are")

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
    """Two customers who are probably one person; `customer` is the older. A pair that was dismissed is not proposed again."""

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
        Customer, models.CASCADE, related_name="+", verbose_name=_("likely the same")
    )
    reason = models.CharField(_("because of"), max_length=20, choices=Reason)
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
