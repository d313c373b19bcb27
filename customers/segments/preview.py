"""Who a rule would be, before it is saved: how many, a few of them, and how long the database took."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from django.db import OperationalError, connection, transaction
from psycopg.errors import QueryCanceled

from crm import counts
from crm.counts import Count
from customers.models import Customer
from customers.querysets import CustomerQuerySet
from customers.segments.compile import compile_rules

SAMPLE = 10
PATIENCE_MS = 300


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
    """Look up who matches now. Raises customers.segments.rules.RuleError."""
    people = Customer.objects.filter(compile_rules(rules)).order_by()
    started = time.perf_counter()
    counted = _count_with_patience(people)
    sample = list(people[:SAMPLE])
    ms = round((time.perf_counter() - started) * 1000)
    return Preview(counted, counts.count(Customer.objects.all()), sample, ms)


def _count_with_patience(people: CustomerQuerySet) -> Count:
    """Exact where that takes no longer than a person waits, else the planner's estimate."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('statement_timeout')")
            before = cursor.fetchone()[0]
            _set_timeout(f"{PATIENCE_MS}ms")
            number = people.count()
            _set_timeout(before)
            return Count(number, estimated=False)
    except OperationalError as error:
        if not isinstance(error.__cause__, QueryCanceled):
            raise
        return counts.count(people, exact_to=0)


def _set_timeout(value: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', %s, true)", [value])
