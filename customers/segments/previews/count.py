"""Count customers for rules before they are saved, and for two segments side by side."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Exists, OuterRef
from django.utils import timezone

from crm import estimated_counts
from crm.estimated_counts import Count
from crm.statement_timeout import QueryTimeout, milliseconds_until, statement_timeout
from customers.models import Customer, Segment, SegmentMembership
from customers.querysets import CustomerQuerySet
from customers.segments.language.ast import Rule
from customers.segments.language.rules import parse
from customers.segments.sql.compile import compile_rule, compile_rules

SAMPLE = 10
EXACT_WITHIN = 0.12
"""Seconds for the exact answer; an estimate takes at most as long again."""
SAMPLED = 2_000


@dataclass(frozen=True, slots=True)
class Preview:
    """How many customers match, of how many in `total`, with a `sample`; `ms` is the time the answer took."""

    count: Count
    total: Count
    sample: list[Customer]
    ms: int

    @property
    def percentage(self) -> float:
        """Return the share of all customers, with one decimal."""
        if not self.total.number:
            return 0.0
        return round(min(100 * self.count.number / self.total.number, 100), 1)


def preview(rules: dict[str, Any]) -> Preview:
    """Count and sample the customers who match now; where that takes too long, estimate from a sample. Raises RuleError."""
    started = time.monotonic()
    rule, now = parse(rules), timezone.now()
    people = Customer.objects.filter(compile_rule(rule, now)).order_by()
    total = estimated_counts.count(Customer.objects.only("pk"))
    try:
        counted, sample = _of_everyone(people, deadline=started + EXACT_WITHIN)
    except QueryTimeout:
        counted, sample = _of_some(rule, now, total)
    return Preview(counted, total, sample, round((time.monotonic() - started) * 1000))


def _of_everyone(people: CustomerQuerySet, deadline: float) -> tuple[Count, list[Customer]]:
    """Return the exact count and sample. Raises QueryTimeout at the deadline, a moment of time.monotonic()."""
    with statement_timeout(milliseconds_until(deadline)):
        counted = Count(people.count(), estimated=False)
    with statement_timeout(milliseconds_until(deadline)):
        return counted, list(people[:SAMPLE])


def _of_some(rule: Rule, now: datetime, total: Count) -> tuple[Count, list[Customer]]:
    """Return the estimate: the share of a random sample that matches, times all customers."""
    asked = _some_customers(total)
    found = Customer.objects.filter(compile_rule(rule, now, asked)).order_by()
    matching = list(found.values_list("pk", flat=True))
    share = len(matching) / max(len(asked), 1)
    sample = Customer.objects.filter(pk__in=matching[:SAMPLE]).order_by()
    return Count(round(share * total.number), estimated=True), list(sample)


def _some_customers(total: Count) -> list[int]:
    """Return the keys of about SAMPLED customers, from random pages of the table."""
    percent = min(100 * SAMPLED / max(total.number, 1), 100)
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM customers_customer TABLESAMPLE SYSTEM (%s)", [percent])
        return [row[0] for row in cursor.fetchall()]


DIFF_TIMEOUT_MS = 1_500


@dataclass(frozen=True, slots=True)
class MembershipDiff:
    """Numbers of customers that a change of rules affects."""

    entering: int
    leaving: int
    staying: int


def membership_diff(segment: Segment, rules: dict[str, Any]) -> MembershipDiff:
    """Compare the customers who match the rules with the members of the segment. Raises RuleError and QueryTimeout."""
    matching = Customer.objects.filter(compile_rules(rules)).order_by()
    memberships = SegmentMembership.objects.filter(segment=segment)
    is_in = Exists(memberships.filter(customer=OuterRef("pk")))
    with statement_timeout(DIFF_TIMEOUT_MS):
        staying = matching.filter(is_in).count()
        entering = matching.filter(~is_in).count()
        return MembershipDiff(entering, memberships.count() - staying, staying)


@dataclass(frozen=True, slots=True)
class Overlap:
    """Numbers of customers in one of two segments or both, as of each segment's last refresh."""

    only_first: int
    both: int
    only_second: int

    @property
    def either(self) -> int:
        return self.only_first + self.both + self.only_second


def overlap(first: Segment, second: Segment) -> Overlap:
    """Count the members of two segments in one pass over their memberships."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT count(*) FILTER (WHERE in_first AND NOT in_second),
                   count(*) FILTER (WHERE in_first AND in_second),
                   count(*) FILTER (WHERE in_second AND NOT in_first)
            FROM (
                SELECT bool_or(segment_id = %(first)s) AS in_first, bool_or(segment_id = %(second)s) AS in_second
                FROM customers_segmentmembership
                WHERE segment_id IN (%(first)s, %(second)s)
                GROUP BY customer_id
            ) AS people
            """,
            {"first": first.pk, "second": second.pk},
        )
        only_first, both, only_second = cursor.fetchone()
    return Overlap(only_first, both, only_second)
