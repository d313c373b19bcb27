"""Campaigns by their names, for descriptions of audiences that mention one."""

from __future__ import annotations

from crm.api import ids
from customers.segments.text import gazetteer
from marketing.models import Campaign

MOST = 2_000


def names() -> list[tuple[str, str]]:
    """(name, public id) of the newest campaigns."""
    newest = Campaign.objects.order_by("-pk").values_list("name", "pk")[:MOST]
    return [(name, ids.encode("cmp", pk)) for name, pk in newest]


gazetteer.register("campaign", names)
