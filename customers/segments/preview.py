"""Who a rule would be, before it is saved: how many, a few of them, and how long the database took."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.utils import timezone

from crm import counts
from crm.counts import Count
from customers.models import Customer
from customers.segments.compile import compile_rule
from customers.segments.patience import TookTooLong, patience
from customers.segments.rules import parse

SAMPLE = 10
PATIENCE_MS = 150
ASKED = 3_000


@dataclass(frozen=True, slots=True)
class Preview:
    """`count` of `total` customers, some of whom are the `sample`; `ms` is what the queries took together."""

    count: Count
    total: Count
    sample: list[Customer]
    ms: int

    @property
    def percentage(self) -> float:
        """Of all customers, with one decimal."""
        if not self.total.number:
            return 0.0
        return round(min(100 * self.count.number / self.total.number, 100), 1)


def preview(rules: dict[str, Any]) -> Preview:
    """Look up who matches now; where that would take longer than a person waits, estimate it from some people.

    Raises customers.segments.rules.RuleError.
    """
    rule, now = parse(rules), timezone.now()
    people = Customer.objects.filter(compile_rule(rule, now)).order_by()
    total = counts.count(Customer.objects.all())
    started = time.perf_counter()
    try:
        with patience(PATIENCE_MS):
            counted = Count(people.count(), estimated=False)
            sample = list(people[:SAMPLE])
    except TookTooLong:
        asked = _some_customers(total)
        found = Customer.objects.filter(compile_rule(rule, now, asked)).order_by()
        share = found.count() / max(len(asked), 1)
        counted = Count(round(share * total.number), estimated=True)
        sample = list(found[:SAMPLE])
    ms = round((time.perf_counter() - started) * 1000)
    return Preview(counted, total, sample, ms)


def _some_customers(total: Count) -> list[int]:
    """The keys of about ASKED customers, from pages of the table picked at random."""
    percent = min(100 * ASKED / max(total.number, 1), 100)
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM customers_customer TABLESAMPLE SYSTEM (%s)", [percent])
        return [row[0] for row in cursor.fetchall()]
