"""Campaigns by their names: for descriptions of audiences that mention one, and for rules in which one is chosen."""

from __future__ import annotations

from django.db.models import Q

from crm.api import ids
from customers.segments import suggestions
from customers.segments.from_text import gazetteer
from customers.segments.suggestions import Suggestion
from marketing.models import Campaign

MOST = 2_000


def names() -> list[tuple[str, str]]:
    """(name, public id) of the newest campaigns."""
    newest = Campaign.objects.order_by("-pk").values_list("name", "pk")[:MOST]
    return [(name, ids.encode("cmp", pk)) for name, pk in newest]


def suggested(containing: str) -> list[Suggestion]:
    """The newest campaigns whose name contains a text, or the one of that public id, each with its state."""
    of_name = Q(name__icontains=containing)
    found = Campaign.objects.filter(of_name | Q(pk=ids.decode("cmp", containing))).order_by("-pk")
    return [
        Suggestion(ids.encode("cmp", each.pk), each.name, each.get_state_display())
        for each in found[: suggestions.MOST]
    ]


gazetteer.register("campaign", names)
suggestions.register("campaign", suggested)
