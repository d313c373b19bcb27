"""Names → customers: external ids, public ids (`cus_…`) and e-mail addresses, current or from before a merge."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from django.db import connection
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from crm import masking
from crm.api import ids
from customers import clean
from customers.models import Customer, Identity

Kind = Identity.Kind
_AT = re.compile("[@\uff20]")


class Name(NamedTuple):
    """A kind and a value of Identity."""

    kind: str
    value: str


_BY_ID = (
    "LEFT JOIN customers_customer named ON named.external_id = name",
    "LEFT JOIN customers_identity earlier ON earlier.kind = 'external_id' AND earlier.value = name",
    "LEFT JOIN customers_customer numbered ON numbered.id = number",
    "LEFT JOIN customers_merge merged ON merged.duplicate_id = number AND merged.undone_at IS NULL",
)
_BY_EMAIL = (
    "LEFT JOIN customers_customer addressed ON lower(addressed.email) = lower(name)",
    "LEFT JOIN customers_identity formerly ON formerly.kind = 'email' AND formerly.value = lower(name)",
)
_ID_OWNERS = ("numbered.id", "merged.survivor_id", "named.id", "earlier.customer_id")
"""A public id first: else an external id that is written like the public id of another customer would stand for that customer."""
_EMAIL_OWNERS = ("addressed.id", "formerly.customer_id")

_BY_IDENTITY = """
    WITH wanted AS MATERIALIZED (
        SELECT kind, array_agg(value) AS names FROM unnest(%s::text[], %s::text[]) AS given(kind, value) GROUP BY kind
    )
    SELECT kind, value, customer_id FROM customers_identity
    WHERE kind = 'external_id' AND value = ANY((SELECT names FROM wanted WHERE kind = 'external_id')::text[])
    UNION ALL
    SELECT kind, value, customer_id FROM customers_identity
    WHERE kind = 'email' AND value = ANY((SELECT names FROM wanted WHERE kind = 'email')::text[])
    UNION ALL
    SELECT kind, value, customer_id FROM customers_identity
    WHERE kind = 'anonymous' AND value = ANY((SELECT names FROM wanted WHERE kind = 'anonymous')::text[])
    UNION ALL
    SELECT 'phone', value, min(customer_id) FROM customers_identity
    WHERE kind = 'phone' AND value = ANY((SELECT names FROM wanted WHERE kind = 'phone')::text[])
    GROUP BY value HAVING count(*) = 1
"""
"""A branch for each kind, and arrays: PostgreSQL reads the index on (kind, value), however many names there are."""


def owners_sql(names: str, *, emails: bool = True) -> str:
    """Return SQL of (name, customer_id) for a query of (name, number).

    `number` is the key in a public id, or NULL. `customer_id` is NULL for unknown names.
    """
    joins = "\n".join((*_BY_ID, *(_BY_EMAIL if emails else ())))
    owners = ", ".join((*_ID_OWNERS, *(_EMAIL_OWNERS if emails else ())))
    return f"SELECT name, coalesce({owners}) AS customer_id FROM ({names}) wanted {joins}"


def find(names: Iterable[str], *, emails: bool = True) -> dict[str, int]:
    """Return name → customer id for external ids, public ids and, with `emails`, addresses. Unknown names are absent.

    Raises PermissionDenied for an address of a user who would see it masked.
    """
    names = list(names)
    if any(masking.seen(name, masking.identifier) != name for name in names):
        masking.refuse()
    spelled = {
        name: clean.comparable(name) if emails and _AT.search(name) else name for name in names
    }
    wanted = sorted({*spelled, *spelled.values()})
    given = "SELECT * FROM unnest(%s::text[], %s::bigint[]) AS given(name, number)"
    with connection.cursor() as cursor:
        cursor.execute(
            owners_sql(given, emails=emails), [wanted, [ids.decode("cus", name) for name in wanted]]
        )
        found = {name: owner for name, owner in cursor.fetchall() if owner is not None}
    owners = {name: found.get(name, found.get(stored)) for name, stored in spelled.items()}
    return {name: owner for name, owner in owners.items() if owner is not None}


def find_one(name: str, customers: QuerySet[Customer] | None = None) -> Customer | None:
    """Return the customer with this public id or external id, among `customers` if given.

    Where personal data is hidden, an external id that is an address finds nobody.
    """
    if masking.seen(name, masking.identifier) != name:
        return None
    customers = Customer.objects.all() if customers is None else customers
    pk = find([name.replace("\0", "")], emails=False).get(name)
    return customers.filter(pk=pk).first() if pk else None


def find_by_identity(names: Iterable[Name]) -> dict[Name, int]:
    """Return name → customer id for names of a known kind. A phone finds a customer only if no other has it."""
    wanted = set(names)
    if not wanted:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            _BY_IDENTITY, [[name.kind for name in wanted], [name.value for name in wanted]]
        )
        return {Name(kind, value): customer_id for kind, value, customer_id in cursor.fetchall()}


def unknown(name: str) -> str:
    """Return the reason why a row of an unknown customer is rejected."""
    return _("There is no customer “%s”. Import the customers first.") % name
