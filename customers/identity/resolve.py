"""Whose a row is: what a source calls a customer → our key."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connection
from django.utils.translation import gettext as _

from crm.api import ids

# as order_sql._FOUND
_FIND = """
    SELECT key, owner
    FROM unnest(%s::text[], %s::bigint[]) AS wanted(key, pk)
    LEFT JOIN customers_customer named ON named.external_id = key
    LEFT JOIN customers_identity identity ON identity.kind = 'external_id' AND identity.value = key
    LEFT JOIN customers_customer ours ON ours.id = pk
    LEFT JOIN customers_merge merged ON merged.duplicate_id = pk AND merged.undone_at IS NULL
    LEFT JOIN customers_customer addressed ON lower(addressed.email) = lower(key)
    LEFT JOIN customers_identity was_addressed ON was_addressed.kind = 'email' AND was_addressed.value = lower(key)
    CROSS JOIN LATERAL coalesce(
        named.id, identity.customer_id, ours.id, merged.survivor_id, addressed.id, was_addressed.customer_id
    ) AS owner
    WHERE owner IS NOT NULL
"""


def find(names: Iterable[str]) -> dict[str, int]:
    """The customers with these external ids, public ids or e-mail addresses, of today or before a merge; who is not known is left out."""
    wanted = sorted(set(names))
    with connection.cursor() as cursor:
        cursor.execute(_FIND, [wanted, [ids.decode("cus", name) for name in wanted]])
        return dict(cursor.fetchall())


def unknown(name: str) -> str:
    """The reason for which a row of nobody is refused."""
    return _("There is no customer “%s”. Bring the customers in first.") % name
