"""People named one by one, in a pasted text or a file: whom each name means."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import connection

from crm.api import ids

SEPARATORS = re.compile(r"[\s,;]+")

_FOUND_SQL = """
    SELECT given.name, customer.id
    FROM unnest(%(names)s::text[]) AS given (name)
    JOIN customers_customer customer ON customer.external_id = given.name
    UNION
    SELECT given.name, customer.id
    FROM unnest(%(names)s::text[]) AS given (name)
    JOIN customers_customer customer ON lower(customer.email) = lower(given.name)
    UNION
    SELECT given.name, identity.customer_id
    FROM unnest(%(names)s::text[]) AS given (name)
    JOIN customers_identity identity ON identity.kind IN ('email', 'external_id')
        AND identity.value = CASE identity.kind WHEN 'email' THEN lower(given.name) ELSE given.name END
    UNION
    SELECT given.name, customer.id
    FROM unnest(%(public)s::text[], %(keys)s::bigint[]) AS given (name, id)
    JOIN customers_customer customer ON customer.id = given.id
"""


@dataclass(frozen=True, slots=True)
class Called:
    """The keys of those who are known, and the names that nobody has."""

    customer_ids: list[int]
    unknown: list[str]


def names_in(text: str) -> list[str]:
    """The names of a text, each once: split at white space, commas and semicolons, and without quotes around them."""
    parts = (part.strip("\"'<>") for part in SEPARATORS.split(text.replace("\0", "")))
    return list(dict.fromkeys(part for part in parts if part))


def call(names: Sequence[str]) -> Called:
    """Look people up by e-mail, external id or public id (`cus_…`), in one query. An e-mail is read in any case."""
    public = {name: pk for name in names if (pk := ids.decode("cus", name)) is not None}
    with connection.cursor() as cursor:
        cursor.execute(
            _FOUND_SQL,
            {"names": list(names), "public": list(public), "keys": list(public.values())},
        )
        found: Iterable[tuple[str, int]] = cursor.fetchall()
    by_name = dict(found)
    return Called(sorted(set(by_name.values())), [name for name in names if name not in by_name])
