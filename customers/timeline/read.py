"""Read a customer's timeline page by page: interactions, consents and segments entered, newest first.

Each source is read by its index and the rows are merged, so that the ten-thousandth entry costs what the first does.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple

from django.db.models import Q, QuerySet
from django.utils.dateparse import parse_datetime
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from customers.models import Consent, Customer, Interaction, SegmentMembership
from customers.timeline import labels, types

LENGTH = 50

_MESSAGES = (
    *(types.MESSAGE_SENT, types.MESSAGE_DELIVERED, types.MESSAGE_BOUNCED),
    *(types.MESSAGE_OPENED, types.MESSAGE_CLICKED, types.MESSAGE_CONVERTED),
    *(types.UNSUBSCRIBED, types.CAMPAIGN_RESPONSE),
)
_TYPES: dict[str, tuple[str, ...]] = {
    "orders": (types.ORDER_PLACED, types.ORDER_REFUNDED, types.ORDER_CANCELLED),
    "messages": _MESSAGES,
    "site": (types.PAGE_VIEWED,),
    "service": (types.SERVICE_CONTACT,),
}
KINDS: dict[str, str | Promise] = {
    "": _("Everything"),
    "orders": _("Orders"),
    "messages": _("Messages"),
    "site": _("Site"),
    "service": _("Service"),
    "consent": _("Consent"),
    "segments": _("Segments"),
    "other": _("Other events"),
}
"""Kinds of entries that a timeline can be narrowed to."""


class _Place(NamedTuple):
    """The order of entries: by time, then by source, then by key."""

    at: datetime
    source: int
    pk: int

    @classmethod
    def read(cls, text: str) -> _Place | None:
        """Parse the text of Page.older; None for any other text."""
        at, _tilde, rest = text.partition("~")
        source, _tilde, pk = rest.partition("~")
        try:
            moment = parse_datetime(at)
        except ValueError:
            return None
        if moment is None or moment.tzinfo is None or not (source.isdecimal() and pk.isdecimal()):
            return None
        return cls(moment, int(source), min(int(pk), 2**63 - 1))

    def __str__(self) -> str:
        return f"{self.at.isoformat()}~{self.source}~{self.pk}"


@dataclass(frozen=True, slots=True)
class Page:
    """Entries, and the `before` of the next page; `older` is empty on the last."""

    entries: list[labels.Entry]
    older: str


@dataclass(frozen=True, slots=True)
class _Source:
    """Dated rows of a customer; `at` is their column of time, `describe` makes an entry of a row."""

    rows: Callable[[Customer, str], QuerySet[Any] | None]
    at: str
    describe: Callable[[Any], labels.Entry]


def _interactions(customer: Customer, kind: str) -> QuerySet[Interaction] | None:
    rows = Interaction.objects.filter(customer=customer)
    if kind == "other":
        return rows.exclude(type__in=[name for types in _TYPES.values() for name in types])
    if not kind:
        return rows
    return rows.filter(type__in=_TYPES[kind]) if kind in _TYPES else None


def _consents(customer: Customer, kind: str) -> QuerySet[Consent] | None:
    return Consent.objects.filter(customer=customer) if kind in ("", "consent") else None


def _memberships(customer: Customer, kind: str) -> QuerySet[SegmentMembership] | None:
    rows = SegmentMembership.objects.filter(customer=customer).select_related("segment")
    return rows if kind in ("", "segments") else None


_SOURCES = (
    _Source(_interactions, "occurred_at", labels.of_interaction),
    _Source(_consents, "decided_at", labels.of_consent),
    _Source(_memberships, "entered_at", labels.of_membership),
)


def _no_names(_ids: Collection[int]) -> Mapping[int, str]:
    return {}


_campaign_names: Callable[[Collection[int]], Mapping[int, str]] = _no_names


def name_campaigns_by(names_of: Callable[[Collection[int]], Mapping[int, str]]) -> None:
    """Name the campaigns of entries by a function of a higher app, from ids to names."""
    global _campaign_names
    _campaign_names = names_of


def read_page(
    customer: Customer,
    *,
    kind: str = "",
    until: datetime | None = None,
    before: str = "",
    length: int = LENGTH,
) -> Page:
    """Return the newest entries of a kind (of KINDS) before `until`, or the page after the one whose `older` is `before`.

    This takes one SQL query for each source, three at most, and one for the names of campaigns.
    """
    behind = _Place.read(before)
    found = heapq.merge(
        *(
            _read(number, source, customer, kind, until, behind, length + 1)
            for number, source in enumerate(_SOURCES)
        ),
        reverse=True,
        key=lambda each: each[0],
    )
    page = list(islice(found, length + 1))
    shown = page[:length]
    older = str(shown[-1][0]) if len(page) > length else ""
    entries = [entry for _place, entry in shown]
    of_campaigns = {each.campaign_id for each in entries if each.campaign_id}
    names = _campaign_names(of_campaigns) if of_campaigns else {}
    return Page(labels.named(entries, names), older)


def _read(
    number: int,
    source: _Source,
    customer: Customer,
    kind: str,
    until: datetime | None,
    behind: _Place | None,
    length: int,
) -> list[tuple[_Place, labels.Entry]]:
    rows = source.rows(customer, kind)
    if rows is None:
        return []
    if until:
        rows = rows.filter(**{f"{source.at}__lt": until})
    if behind:
        rows = rows.filter(_stands_behind(source.at, number, behind))
    return [
        (_Place(getattr(row, source.at), number, row.pk), source.describe(row))
        for row in rows.order_by(f"-{source.at}", "-pk")[:length]
    ]


def _stands_behind(at: str, number: int, place: _Place) -> Q:
    """Return conditions, of which the first one bounds the index scan."""
    reached = Q(**{f"{at}__lte": place.at})
    if number < place.source:
        return reached
    if number > place.source:
        return Q(**{f"{at}__lt": place.at})
    return reached & (Q(**{f"{at}__lt": place.at}) | Q(pk__lt=place.pk))
