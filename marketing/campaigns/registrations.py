"""Register campaigns with the rooms below: batches, jobs, events, segments and audience descriptions."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from django.db.models import Q

from crm import jobs
from crm.api import ids
from customers import timeline
from customers.segments import (
    MOST_SUGGESTIONS,
    Suggestion,
    register_labels,
    register_names,
    register_suggestions,
    register_users,
    slugs_in,
)
from marketing.campaigns import preflight, runs
from marketing.messages import batches
from marketing.models import Campaign, Preflight

MOST = 2_000


def register() -> None:
    """Register campaigns, once when the app starts."""
    batches.register_owner(runs)
    register_users(campaigns_with_segment)
    register_names("campaign", names)
    timeline.name_campaigns_by(names_of)
    register_suggestions("campaign", suggested)
    register_labels("campaign", labels)
    jobs.register(Preflight, preflight.work, refusals=(ValueError, KeyError))


def campaigns_with_segment(slug: str) -> list[Campaign]:
    """Return the campaigns still to be sent whose audience filter uses a segment."""
    over = (Campaign.State.COMPLETED, Campaign.State.CANCELLED)
    with_rules = Campaign.objects.exclude(rules=None).exclude(state__in=over)
    return [each for each in with_rules if slug in slugs_in(each.rules)]


def names_of(ids_: Collection[int]) -> dict[int, str]:
    """Return the names of campaigns by their primary key."""
    return dict(Campaign.objects.filter(pk__in=ids_).values_list("pk", "name"))


def names() -> list[tuple[str, str]]:
    """Return (name, public id) of the newest campaigns."""
    newest = Campaign.objects.order_by("-pk").values_list("name", "pk")[:MOST]
    return [(name, ids.encode("cmp", pk)) for name, pk in newest]


def labels(public_ids: Sequence[str]) -> dict[str, str]:
    """Return the names of campaigns by their public ids."""
    keys = [ids.decode("cmp", each) for each in public_ids]
    named = Campaign.objects.filter(pk__in=[key for key in keys if key]).values_list("pk", "name")
    return {ids.encode("cmp", pk): name for pk, name in named}


def suggested(containing: str) -> list[Suggestion]:
    """Suggest the newest campaigns whose name contains a text, or the one with that public id."""
    of_name = Q(name__icontains=containing)
    found = Campaign.objects.filter(of_name | Q(pk=ids.decode("cmp", containing))).order_by("-pk")
    return [
        Suggestion(ids.encode("cmp", each.pk), each.name, each.get_state_display())
        for each in found[:MOST_SUGGESTIONS]
    ]
