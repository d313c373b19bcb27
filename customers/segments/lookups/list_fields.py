"""List fields of a customer: conditions that are never NULL and never double a row."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import or_
from typing import Protocol

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.lookups import Overlap
from django.db.models import Exists, F, Func, OuterRef, Q, QuerySet, TextField, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, Lower
from django.db.models.lookups import In

from customers.consent import has_no_address, is_suppressed, is_unwanted
from customers.models import Customer, CustomerInterest, Order, OrderLine, SegmentMembership
from customers.models.consent import ADDRESS_FIELDS, Channel

MOST_SHOWN = 100
TEXTS: ArrayField = ArrayField(TextField())


class Members(Protocol):
    """A list of values that belongs to a customer."""

    def of(self, customer: Customer) -> list[str]:
        """Return at most MOST_SHOWN values of one customer's list."""

    def has_any(self, values: Sequence[str]) -> Q:
        """Match customers whose list has at least one of the values."""

    def is_set(self) -> Q:
        """Match customers whose list is not empty."""


class Tagged:
    """The customer's tags; case is ignored."""

    def of(self, customer: Customer) -> list[str]:
        return list(customer.tags)

    def has_any(self, values: Sequence[str]) -> Q:
        wanted = Func(
            *(Lower(Value(value)) for value in values),
            template="ARRAY[%(expressions)s]",
            output_field=TEXTS,
        )
        return Q(Overlap(_folded(F("tags")), wanted))

    def is_set(self) -> Q:
        return ~Q(tags=[])


class Purchased:
    """Values of the columns of the customer's order lines; case is ignored."""

    def __init__(self, *columns: str) -> None:
        self.columns = columns

    def of(self, customer: Customer) -> list[str]:
        held = OrderLine.objects.filter(
            order__customer=customer, order__kind=Order.Kind.ORDER
        ).values_list(*self.columns)
        rows = held.distinct()[:MOST_SHOWN]
        return sorted({next(filter(None, row)) for row in rows if any(row)})

    def has_any(self, values: Sequence[str]) -> Q:
        wanted = [Lower(Value(value)) for value in values]
        found = reduce(or_, (Q(In(Lower(column), wanted)) for column in self.columns))
        return Q(Exists(self._lines().filter(found)))

    def is_set(self) -> Q:
        named = reduce(or_, (Q(**{f"{column}__gt": ""}) for column in self.columns))
        return Q(Exists(self._lines().filter(named)))

    def _lines(self) -> QuerySet[OrderLine]:
        return OrderLine.objects.filter(
            order__customer=OuterRef("pk"), order__kind=Order.Kind.ORDER
        )


class Interested:
    """Categories of interest, from any source."""

    def of(self, customer: Customer) -> list[str]:
        held = CustomerInterest.objects.filter(customer=customer).values_list("category", flat=True)
        return list(held.order_by("category").distinct()[:MOST_SHOWN])

    def has_any(self, values: Sequence[str]) -> Q:
        wanted = In(Lower("category"), [Lower(Value(value)) for value in values])
        return Q(Exists(self._interests().filter(wanted)))

    def is_set(self) -> Q:
        return Q(Exists(self._interests()))

    def _interests(self) -> QuerySet[CustomerInterest]:
        return CustomerInterest.objects.filter(customer=OuterRef("pk"))


class Reachable:
    """Channels that reach the customer now: there is an address, consent, and no suppression."""

    def of(self, customer: Customer) -> list[str]:
        themselves = Customer.objects.filter(pk=customer.pk)
        return [
            channel.value
            for channel in ADDRESS_FIELDS
            if themselves.filter(self._reached_by(channel)).exists()
        ]

    def has_any(self, values: Sequence[str]) -> Q:
        return reduce(or_, (self._reached_by(Channel(value)) for value in values))

    def is_set(self) -> Q:
        return self.has_any(list(ADDRESS_FIELDS))

    def _reached_by(self, channel: Channel) -> Q:
        address = ADDRESS_FIELDS[channel]
        return (
            ~has_no_address(address) & ~is_unwanted(channel) & ~Q(is_suppressed(channel, address))
        )


class InSegment:
    """Segments of the customer, as of their last refresh."""

    def of(self, customer: Customer) -> list[str]:
        held = customer.memberships.order_by("segment__slug")
        return list(held.values_list("segment__slug", flat=True))

    def has_any(self, values: Sequence[str]) -> Q:
        return Q(Exists(self._memberships().filter(segment__slug__in=values)))

    def is_set(self) -> Q:
        return Q(Exists(self._memberships()))

    def _memberships(self) -> QuerySet[SegmentMembership]:
        return SegmentMembership.objects.filter(customer=OuterRef("pk"))


def _folded(texts: Combinable) -> Cast:
    """Return an array in lower case, for both sides of a comparison: the database alone decides what lower case is."""
    return Cast(Lower(Cast(texts, TextField())), TEXTS)
