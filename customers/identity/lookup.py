"""Ids as the outside writes them → the customer, also when a merge took the id over."""

from __future__ import annotations

from django.db.models import QuerySet

from crm import masking
from crm.api import ids
from customers.models import Customer, Identity, Merge


def named(name: str, customers: QuerySet[Customer] | None = None) -> Customer | None:
    """The customer of a public id (`cus_…`) or external id, of today or of before a merge; None for nobody."""
    customers = Customer.objects.all() if customers is None else customers
    pk = ids.decode("cus", name)
    if pk is not None:
        return customers.filter(pk=pk).first() or customers.filter(merges__in=_into(pk)).first()
    if "@" in name and masking.is_on():
        return None
    by_id = customers.filter(external_id=name).first()
    return (
        by_id
        or customers.filter(
            identities__kind=Identity.Kind.EXTERNAL_ID, identities__value=name
        ).first()
    )


def _into(duplicate: int) -> QuerySet[Merge]:
    return Merge.objects.filter(duplicate_id=duplicate, undone_at=None)
