"""Create, copy and delete campaigns that have not been sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import count
from typing import Any, TypeVar

from django.db import transaction
from django.db.models import Model
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.accounts.models import User
from marketing import events
from marketing.models import Campaign, CampaignTemplate
from marketing.schedule import delete_entry

M = TypeVar("M", bound=Model)

COPIED_AS_WELL = frozenset({"channel", "clock_time"})
"""Fields that are not edited themselves, but follow from what was edited."""


class HasSent(Exception):
    """The campaign has runs: it is part of the history and cannot be deleted."""


@transaction.atomic
def create(campaign: Campaign, *, by: User | None) -> Campaign:
    """Save a new campaign and announce it; the caller sets its segments afterwards."""
    campaign.created_by = by
    campaign.save()
    events.announce(events.CAMPAIGN_CREATED, campaign.pk)
    return campaign


@transaction.atomic
def duplicate(campaign: Campaign, *, by: User | None) -> Campaign:
    """Copy a campaign as a draft, without its results, its approval, or a time that has passed."""
    copy = _copy(campaign)
    copy.name = _free_name(campaign.name)
    if not copy.recurs and copy.scheduled_at and copy.scheduled_at <= timezone.now():
        copy.scheduled_at = copy.clock_time = None
    create(copy, by=by)
    copy.segments.set(campaign.segments.all())
    copy.exclude_segments.set(campaign.exclude_segments.all())
    for variant in campaign.variants.order_by("pk"):
        variant_copy = _copy(variant)
        variant_copy.campaign = copy
        variant_copy.save()
    return copy


@transaction.atomic
def set_variants(campaign: Campaign, given: Iterable[Mapping[str, Any]]) -> None:
    """Replace the campaign's variants by the given ones (name, template, weight 1 by default).

    A variant keeps its recipients by its name; a winner that is not among them is cleared.
    """
    wanted = list(given)
    names = [variant["name"] for variant in wanted]
    campaign.variants.exclude(name__in=names).delete()
    for variant in wanted:
        campaign.variants.update_or_create(
            name=variant["name"],
            defaults={"template": variant["template"], "weight": variant.get("weight", 1)},
        )
    if campaign.winner and campaign.winner not in names:
        campaign.winner, campaign.winner_why, campaign.winner_at = "", "", None
        campaign.save(update_fields=["winner", "winner_why", "winner_at"])


@transaction.atomic
def discard(campaign: Campaign) -> None:
    """Delete a campaign that was never launched, its schedule, and the templates of its messages. Raises HasSent."""
    if campaign.runs.exists():
        raise HasSent(_("A launched campaign cannot be deleted; cancel it instead."))
    variants = campaign.variants.values_list("template", flat=True)
    templates = {campaign.template_id, *variants}
    delete_entry(campaign)
    campaign.delete()
    # one that somebody edited since, which made a second version, stays
    CampaignTemplate.objects.filter(
        pk__in=templates, is_of_message=True, campaigns=None, variants=None
    ).exclude(versions__number__gt=1).delete()


def _copy(original: M) -> M:
    """Return a new row with the fields that users edit in this one."""
    edited = {
        field.attname: getattr(original, field.attname)
        for field in original._meta.concrete_fields
        if (field.editable and not field.primary_key) or field.name in COPIED_AS_WELL
    }
    return type(original)(**edited)


def _free_name(name: str) -> str:
    base = name[:190]
    names = (f"{base} ({number})" for number in count(2))
    return next(each for each in names if not Campaign.objects.filter(name=each).exists())
