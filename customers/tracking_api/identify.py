"""Whose a message is: by user id, else by the e-mail or phone of an identify call, else by an anonymous id that is known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from django.db import connection

from customers.identity import Name
from customers.ingest import Row
from customers.models import Customer, Identity
from customers.tracking_api.calls import Call, CallType

ANONYMOUS = Identity.Kind.ANONYMOUS


class Link(NamedTuple):
    """An anonymous id said to be somebody's; a decisive one (identify, alias) wins over what was known."""

    name: Name
    is_decisive: bool


def name_of(message: Call, row: Row | None) -> Name | None:
    """The name that a message gives its person, with the row of an identify call; None if it is an anonymous id alone."""
    if message.user_id:
        return Name(Identity.Kind.EXTERNAL_ID, message.user_id)
    if message.kind is CallType.IDENTIFY and row:
        for kind in (Identity.Kind.EMAIL, Identity.Kind.PHONE):
            if row.get(kind.value):
                return Name(kind, row[kind.value])
    return None


def links_of(messages: Sequence[tuple[Call, Name | None]]) -> dict[str, Link]:
    """Anonymous id → whose the messages say it is; the last decisive one, else the last, wins."""
    links: dict[str, Link] = {}
    for message, name in messages:
        if name is None:
            continue
        is_alias = message.kind is CallType.ALIAS
        anonymous_ids = {message.anonymous_id, message.other_id if is_alias else ""} - {""}
        is_decisive = message.kind in {CallType.IDENTIFY, CallType.ALIAS}
        for anonymous_id in anonymous_ids:
            if is_decisive or not (anonymous_id in links and links[anonymous_id].is_decisive):
                links[anonymous_id] = Link(name, is_decisive)
    return links


def news(links: Mapping[str, Link], known: Mapping[Name, int]) -> dict[str, Link]:
    """The links that were not known, or that contradict what was known and are decisive; a user id is no anonymous id."""
    return {
        anonymous_id: link
        for anonymous_id, link in links.items()
        if Name(Identity.Kind.EXTERNAL_ID, anonymous_id) not in known
        and (
            (owner := known.get(Name(ANONYMOUS, anonymous_id))) is None
            or (link.is_decisive and known.get(link.name) != owner)
        )
    }


def ids_of(customer_ids: Iterable[int]) -> dict[int, Row]:
    """Customer → the part of a row that finds them: their external id, else their e-mail."""
    found = Customer.objects.filter(pk__in=set(customer_ids)).values_list(
        "pk", "external_id", "email"
    )
    return {
        pk: {"external_id": external_id} if external_id else {"email": email}
        for pk, external_id, email in found
    }


def remember(owners: Mapping[str, int]) -> None:
    """Let anonymous ids lead to these customers from now on."""
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
