"""Find the customer of a call: by user id, by e-mail or phone of an identify call, or by a known anonymous id."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from django.db import connection

from customers.identity import Name
from customers.ingest import Row
from customers.models import Customer, Identity
from customers.tracking_api.calls import Call, CallType, Trust

ANONYMOUS = Identity.Kind.ANONYMOUS


class Link(NamedTuple):
    """A name for an anonymous id; a decisive one (identify, alias) wins in its batch, and if it is trusted replaces a known one."""

    name: Name
    is_decisive: bool
    is_trusted: bool


def name_of(message: Call, row: Row | None) -> Name | None:
    """Return the name in a call, with the row of an identify call; None for an anonymous id alone."""
    if message.user_id:
        return Name(Identity.Kind.EXTERNAL_ID, message.user_id)
    if message.kind is CallType.IDENTIFY and row:
        for kind in (Identity.Kind.EMAIL, Identity.Kind.PHONE):
            if row.get(kind.value):
                return Name(kind, row[kind.value])
    return None


def links_of(messages: Sequence[tuple[Call, Name | None]]) -> dict[str, Link]:
    """Return anonymous id → the name that calls give it; the last decisive one wins, else the last."""
    links: dict[str, Link] = {}
    for message, name in messages:
        if name is None:
            continue
        is_alias = message.kind is CallType.ALIAS
        anonymous_ids = {message.anonymous_id, message.other_id if is_alias else ""} - {""}
        is_decisive = message.kind in {CallType.IDENTIFY, CallType.ALIAS}
        for anonymous_id in anonymous_ids:
            if is_decisive or not (anonymous_id in links and links[anonymous_id].is_decisive):
                links[anonymous_id] = Link(name, is_decisive, message.trust is not Trust.BROWSER)
    return links


def news(links: Mapping[str, Link], known: Mapping[Name, int]) -> dict[str, Link]:
    """Return links that are new, or that replace different known ones. A user id is never an anonymous id."""
    return {
        anonymous_id: link
        for anonymous_id, link in links.items()
        if Name(Identity.Kind.EXTERNAL_ID, anonymous_id) not in known
        and (
            (owner := known.get(Name(ANONYMOUS, anonymous_id))) is None
            or (link.is_decisive and link.is_trusted and known.get(link.name) != owner)
        )
    }


def ids_of(customer_ids: Iterable[int]) -> dict[int, Row]:
    """Return customer id → the part of a row that finds the customer: external id, else e-mail."""
    found = Customer.objects.filter(pk__in=set(customer_ids)).values_list(
        "pk", "external_id", "email"
    )
    return {
        pk: {"external_id": external_id} if external_id else {"email": email}
        for pk, external_id, email in found
    }


def remember(owners: Mapping[str, int]) -> None:
    """Save which customer each anonymous id leads to."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO customers_identity (customer_id, kind, value)
            SELECT customer_id, 'anonymous', value
            FROM unnest(%s::bigint[], %s::text[]) AS given(customer_id, value) ORDER BY value
            ON CONFLICT (kind, value) WHERE kind <> 'phone' DO UPDATE SET customer_id = excluded.customer_id
            """,
            [list(owners.values()), list(owners)],
        )
