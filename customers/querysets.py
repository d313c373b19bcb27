"""Search customers by names, addresses and ids."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from crm import masking
from crm.api import ids
from customers import clean

if TYPE_CHECKING:
    from customers.models import Customer, Order  # noqa: F401


WORDS = ("email", "external_id", "first_name", "last_name")

_PHONE = re.compile(r"(?:\+|00)?[\d\s()./-]+")
LEAST_DIGITS = 4


class CustomerQuerySet(models.QuerySet["Customer"]):
    def present(self) -> CustomerQuerySet:
        """Return the customers who are not erased: no list, segment or number of customers has the others."""
        return self.filter(erased_at=None)

    def search(self, text: str) -> CustomerQuerySet:
        """Return customers that match a text.

        Every word begins the e-mail, the external id, the first or the last name, or the text begins the phone, however it is spaced, or
        it is an id: `cus_…`, or one of before a merge. Where personal data is hidden, `cus_…` alone. This causes an SQL query.
        """
        text = text.replace("\x00", "").strip()
        if not text:
            return self
        if masking.is_on():
            return self.filter(pk=ids.decode("cus", text))
        found = Q()
        if not text.isascii() and "@" in (address := clean.comparable(text)):
            text = address
        for word in text.lower().split():
            found &= Q(*((f"{field}_begins__startswith", word) for field in WORDS), _connector=Q.OR)
        begins = {f"{field}_begins": Lower(field) for field in WORDS}
        return self.alias(**begins).filter(found | _phone_begins(text) | self._led_to(text))

    def _led_to(self, text: str) -> Q:
        """Match by keys rather than a subquery, with which PostgreSQL would scan every customer."""
        known = self.model._base_manager.filter(
            identities__kind__in=("external_id", "email"),
            identities__value__in={text, text.lower()},
        )
        keys = Q(pk__in=list(known.values_list("pk", flat=True)))
        public = ids.decode("cus", text)
        return keys if public is None else keys | Q(pk=public)


def _phone_begins(text: str) -> Q:
    """Match phones that begin with these digits, with or without a +."""
    digits = re.sub(r"\D", "", text)
    if not _PHONE.fullmatch(text) or len(digits) < LEAST_DIGITS:
        return Q(pk__in=[])
    return Q(phone__startswith=f"+{digits.removeprefix('00')}")


class OrderQuerySet(models.QuerySet["Order"]):
    def purchases(self) -> OrderQuerySet:
        """Return the orders alone."""
        return self.filter(kind="order")

    def refunds(self) -> OrderQuerySet:
        """Return refunds, cancellations and returns."""
        return self.exclude(kind="order")

    def money(self) -> OrderQuerySet:
        """Return the rows with money of their own: orders, and refunds of unknown orders."""
        return self.filter(refund_of=None)
