"""Who a rule would be, before it is saved: how many, a few of them, and how long the database took."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.utils import timezone

from crm import estimated_counts
from crm.estimated_counts import Count
from customers.models import Customer
from customers.querysets import CustomerQuerySet
from customers.segments.language.ast import Rule
from customers.segments.language.rules import parse
from customers.segments.sql.compile import compile_rule
from customers.segments.sql.statement_timeout import TookTooLong, milliseconds_until, patience

SAMPLE = 10
EXACT_WITHIN = 0.12
"""Seconds for everything that is exact; what is estimated after that comes within as many again."""
ASKED = 2_000


@dataclass(frozen=True, slots=True)
class Preview:
    """`count` of `total` customers, some of whom are the `sample`; `ms` is what it took from question to answer."""

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

    Raises customers.segments.language.rules.RuleError.
    """
    started = time.monotonic()
    rule, now = parse(rules), timezone.now()
    people = Customer.objects.filter(compile_rule(rule, now)).order_by()
    total = estimated_counts.count(Customer.objects.only("pk"))
    try:
        counted, sample = _of_everyone(people, deadline=started + EXACT_WITHIN)
    except TookTooLong:
        counted, sample = _of_some(rule, now, total)
    return Preview(counted, total, sample, round((time.monotonic() - started) * 1000))


def _of_everyone(people: CustomerQuerySet, deadline: float) -> tuple[Count, list[Customer]]:
    """Raises TookTooLong at the deadline, a moment of time.monotonic()."""
    with patience(milliseconds_until(deadline)):
        counted = Count(people.count(), estimated=False)
    with patience(milliseconds_until(deadline)):
        return counted, list(people[:SAMPLE])


def _of_some(rule: Rule, now: datetime, total: Count) -> tuple[Count, list[Customer]]:
    """The share of those asked that matches, as if it were everybody's."""
    asked = _some_customers(total)
    found = Customer.objects.filter(compile_rule(rule, now, asked)).order_by()
    matching = list(found.values_list("pk", flat=True))
    share = len(matching) / max(len(asked), 1)
    sample = Customer.objects.filter(pk__in=matching[:SAMPLE]).order_by()
    return Count(round(share * total.number), estimated=True), list(sample)


def _some_customers(total: Count) -> list[int]:
    """The keys of about ASKED customers, from pages of the table picked at random."""
    percent = min(100 * ASKED / max(total.number, 1), 100)
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM customers_customer TABLESAMPLE SYSTEM (%s)", [percent])
        return [row[0] for row in cursor.fetchall()]
