"""Find customers by a list of names from a text or file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import connection

from crm import masking
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
class Lookup:
    """The keys of the customers found, and the names of none."""

    customer_ids: list[int]
    unknown: list[str]


def split_names(text: str) -> list[str]:
    """Split a text at white space, commas and semicolons; return each name once, without quotes."""
    parts = (part.strip("\"'<>") for part in SEPARATORS.split(text.replace("\0", "")))
    return list(dict.fromkeys(part for part in parts if part))


def find_customers(names: Sequence[str]) -> Lookup:
    """Find customers by e-mail (in any case), external id or public id (`cus_…`), in one query.

    Where personal data is masked, an address finds nobody.
    """
    visible = [name for name in names if masking.seen(name, masking.identifier) == name]
    public = {name: pk for name in visible if (pk := ids.decode("cus", name)) is not None}
    with connection.cursor() as cursor:
        cursor.execute(
            _FOUND_SQL,
            {"names": visible, "public": list(public), "keys": list(public.values())},
        )
        found: Iterable[tuple[str, int]] = cursor.fetchall()
    by_name = dict(found)
    return Lookup(sorted(set(by_name.values())), [name for name in names if name not in by_name])
