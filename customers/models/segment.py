"""Segments: rules or a list, their members and sizes."""

from __future__ import annotations

from itertools import count
from typing import Any

from django.db import models
from django.db.models.functions import Now
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from crm.columns import OPTIONAL_TEXT
from customers.models.customer import Customer


def everyone() -> dict[str, Any]:
    return {"operator": "AND", "conditions": []}


class Segment(models.Model):
    """A named audience. `size` counts its members as of `refreshed_at`."""

    class Kind(models.TextChoices):
        DYNAMIC = "dynamic", _("Dynamic")
        STATIC = "static", _("Static")

    name = models.CharField(_("name"), max_length=200)
    slug = models.SlugField(_("slug"), max_length=200, db_index=False)
    description = models.TextField(_("description"), **OPTIONAL_TEXT)
    kind = models.CharField(
        _("kind"),
        max_length=10,
        choices=Kind,
        default=Kind.DYNAMIC,
        help_text=_("Dynamic segments follow their rules; static ones are lists."),
    )
    rules = models.JSONField(_("rules"), default=everyone, blank=True)
    members = models.ManyToManyField(
        Customer, through="SegmentMembership", related_name="segments", editable=False
    )
    size = models.PositiveIntegerField(_("size"), default=0, editable=False)
    refreshed_at = models.DateTimeField(_("refreshed"), null=True, editable=False)
    refresh_ms = models.PositiveIntegerField(_("refresh took"), null=True, editable=False)
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    class Meta:
        verbose_name = _("segment")
        verbose_name_plural = _("segments")
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["slug"], name="segment_slug_unique")]

    def __str__(self) -> str:
        return self.name


class SegmentMembership(models.Model):
    segment = models.ForeignKey(Segment, models.CASCADE, related_name="memberships", db_index=False)
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="memberships")
    entered_at = models.DateTimeField(_("since"), db_default=Now())

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        constraints = [
            models.UniqueConstraint(
                fields=["segment", "customer"], name="segment_membership_unique"
            )
        ]

    def __str__(self) -> str:
        return f"{self.segment_id}/{self.customer_id}"


class SegmentSize(models.Model):
    """The size of a segment from a moment on; written when it changes."""

    segment = models.ForeignKey(Segment, models.CASCADE, related_name="sizes", db_index=False)
    at = models.DateTimeField(_("from"))
    size = models.PositiveIntegerField(_("size"))

    class Meta:
        verbose_name = _("size of a segment")
        verbose_name_plural = _("sizes of segments")
        indexes = [models.Index(fields=["segment", "-at"], name="segment_size_newest")]

    def __str__(self) -> str:
        return f"{self.segment_id}: {self.size} ({self.at:%Y-%m-%d %H:%M})"


class SegmentTrigger(models.Model):
    """An action on the customer of each event that matches: re-evaluate, or change a static segment."""

    class Action(models.TextChoices):
        REEVALUATE = "reevaluate", _("Re-evaluate")
        ADD = "add", _("Add to the segment")
        REMOVE = "remove", _("Remove from the segment")

    segment = models.ForeignKey(
        Segment, models.CASCADE, related_name="triggers", verbose_name=_("segment")
    )
    event = models.CharField(
        _("event"), max_length=100, help_text=_("As on the timeline: order_placed, page_viewed, …")
    )
    where = models.JSONField(
        _("where"),
        default=list,
        blank=True,
        help_text=_("Conditions on the event's properties, all of which must hold; as in rules."),
    )
    action = models.CharField(_("action"), max_length=20, choices=Action)
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("trigger")
        verbose_name_plural = _("triggers")
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.event} → {self.get_action_display()}"


LONGEST = 200


def free_slug(name: str) -> str:
    """Return a slug of a name that no segment has yet: `big-spenders`, `big-spenders-2`."""
    stem = slugify(name)[: LONGEST - 10] or "segment"
    taken = set(Segment.objects.filter(slug__startswith=stem).values_list("slug", flat=True))
    return next(
        slug
        for number in count(1)
        if (slug := stem if number == 1 else f"{stem}-{number}") not in taken
    )
