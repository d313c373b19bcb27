"""A campaign once more, as a draft."""

from __future__ import annotations

from itertools import count
from typing import TypeVar

from django.db import transaction
from django.db.models import Model
from django.utils import timezone

from crm.accounts.models import User
from marketing.campaigns import drafts
from marketing.models import Campaign

M = TypeVar("M", bound=Model)

AS_WELL = frozenset({"channel", "clock_time"})
"""What nobody edits and is part of what was written all the same."""


@transaction.atomic
def duplicate(campaign: Campaign, *, by: User | None) -> Campaign:
    """A draft that says the same to the same people in the same rhythm; without what came of it, an approval, or a time that has passed."""
    copy = _copy(campaign)
    copy.name = _free_name(campaign.name)
    if not copy.recurs and copy.scheduled_at and copy.scheduled_at <= timezone.now():
        copy.scheduled_at = copy.clock_time = None
    drafts.create(copy, by=by)
    copy.segments.set(campaign.segments.all())
    copy.exclude_segments.set(campaign.exclude_segments.all())
    for variant in campaign.variants.order_by("pk"):
        its_copy = _copy(variant)
        its_copy.campaign = copy
        its_copy.save()
    return copy


def _copy(original: M) -> M:
    """A new row of what people wrote in this one."""
    written = {
        field.attname: getattr(original, field.attname)
        for field in original._meta.concrete_fields
        if (field.editable and not field.primary_key) or field.name in AS_WELL
    }
    return type(original)(**written)


def _free_name(name: str) -> str:
    base = name[:190]
    names = (f"{base} ({number})" for number in count(2))
    return next(each for each in names if not Campaign.objects.filter(name=each).exists())
