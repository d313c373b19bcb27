"""Count customers for rules before they are saved, and for two segments side by side."""

from __future__ import annotations

import json
import math
import random
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Self

from django.db import connection
from django.db.models import Exists, Max, Min, OuterRef
from django.utils import timezone

from crm import estimated_counts, masking
from crm.api import places
from crm.estimated_counts import Count
from crm.statement_timeout import QueryTimeout, milliseconds_until, statement_timeout
from customers.models import Customer, Segment, SegmentMembership
from customers.segments.language.ast import Rule
from customers.segments.language.rules import parse
from customers.segments.sql.behaviour import IsAmong
from customers.segments.sql.compile import compile_rule, compile_rules

SAMPLE = 10
EXACT_TO = 200_000
"""Of so many customers every count is exact."""
LONGEST_MS = 20_000
"""No statement of a preview takes longer."""
EXACT_WITHIN = 0.12
"""Seconds for the exact answer about more customers; an estimate takes at most as long again."""
SAMPLED = 4_000
MOST_DRAWN = 20 * SAMPLED
CHUNK = 10_000
STEP = 1.0
"""Seconds of one step of a count in steps."""


@dataclass(frozen=True, slots=True)
class Progress:
    """A count in steps: of `checked` customers, with keys up to `after`, `matching` match, the `first` of them by key."""

    after: int = 0
    checked: int = 0
    matching: int = 0
    first: tuple[int, ...] = ()

    def as_text(self) -> str:
        """Return the text that the page sends back with the next step."""
        return json.dumps([self.after, self.checked, self.matching, self.first])

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Parse as_text(). Raises ValueError."""
        match json.loads(text):
            case [int(after), int(checked), int(matching), list(first)]:
                return cls(after, checked, matching, tuple(int(key) for key in first[:SAMPLE]))
        raise ValueError(text)


@dataclass(frozen=True, slots=True)
class Preview:
    """How many customers match, of how many in `total`, with a `sample`; `ms` is the time the answer took.

    An estimate has a `margin`: with 95 % confidence the exact count is at most so far away. With `progress` the count goes on.
    """

    count: Count
    total: Count
    sample: list[Customer]
    ms: int
    margin: int | None = None
    progress: Progress | None = None

    @property
    def percentage(self) -> float:
        """Return the share of all customers, with one decimal."""
        return _percent(self.count.number, self.total.number)

    @property
    def checked_percentage(self) -> float:
        """Return the share of the customers that the count in steps has checked."""
        return _percent(self.progress.checked if self.progress else 0, self.total.number)


def preview(rules: dict[str, Any], *, exact: bool = False) -> Preview:
    """Count and sample the customers who match now. Raises RuleError, and QueryTimeout for rules that take too long.

    The count is exact with `exact`, up to EXACT_TO customers, and where it takes less than EXACT_WITHIN; else it is an estimate.
    """
    question = _Question.of(rules)
    if exact or not question.total.estimated:
        return question.count()
    try:
        return question.count(within=EXACT_WITHIN)
    except QueryTimeout:
        return question.estimate()


def start_preview(rules: dict[str, Any]) -> Preview:
    """Return a preview at once; where the exact count takes longer, it has `progress`. Raises RuleError."""
    if masking.is_on():  # steps would show how the number grows
        return preview(rules)
    question = _Question.of(rules)
    try:
        return question.count(within=EXACT_WITHIN)
    except QueryTimeout:
        answer = (
            question.estimate()
            if question.total.estimated
            else question.answer(0, [], estimated=True)
        )
        return replace(answer, progress=Progress())


def continue_preview(rules: dict[str, Any], progress: Progress) -> Preview:
    """Count for the time of a STEP more; the last step's preview is exact, and has no `progress`. Raises RuleError."""
    if masking.is_on():
        return preview(rules)
    question = _Question.of(rules)
    customers = Customer.objects.order_by("pk").values_list("pk", flat=True)
    while keys := list(customers.filter(pk__gt=progress.after)[:CHUNK]):
        with statement_timeout(LONGEST_MS):
            matching = list(customers.filter(compile_rule(question.rule, question.now, keys)))
        progress = Progress(
            after=keys[-1],
            checked=progress.checked + len(keys),
            matching=progress.matching + len(matching),
            first=(*progress.first, *matching)[:SAMPLE],
        )
        if time.monotonic() > question.asked_at + STEP:
            sample = _customers(progress.first)
            return replace(
                question.answer(progress.matching, sample, estimated=True), progress=progress
            )
    everyone = replace(question, total=Count(progress.checked, estimated=False))
    return everyone.answer(progress.matching, _customers(progress.first))


@dataclass(frozen=True, slots=True)
class _Question:
    """Rules, as asked at a moment of time.monotonic(), and all customers."""

    rule: Rule
    now: datetime
    asked_at: float
    total: Count

    @classmethod
    def of(cls, rules: dict[str, Any]) -> Self:
        asked_at, rule = time.monotonic(), parse(rules)
        total = estimated_counts.count(Customer.objects.only("pk"), exact_to=EXACT_TO)
        return cls(rule, timezone.now(), asked_at, total)

    def count(self, within: float | None = None) -> Preview:
        """Return the exact answer. Raises QueryTimeout after `within` seconds, or LONGEST_MS for a statement."""
        people = Customer.objects.filter(compile_rule(self.rule, self.now)).order_by()
        deadline = None if within is None else self.asked_at + within
        with _deadline(deadline):
            matching = people.count()
        with _deadline(deadline):
            sample = list(people[:SAMPLE])
        if deadline is None and self.total.estimated:
            everyone = Count(Customer.objects.present().count(), estimated=False)
            return replace(self, total=everyone).answer(matching, sample)
        return self.answer(matching, sample)

    def estimate(self) -> Preview:
        """Return the share of random customers that matches, times all customers."""
        asked = _random_customers(self.total)
        found = Customer.objects.filter(compile_rule(self.rule, self.now, asked)).order_by()
        with statement_timeout(LONGEST_MS):
            matching = list(found.values_list("pk", flat=True))
        share, margin = _share_and_margin(len(matching), len(asked))
        return self.answer(
            round(share * self.total.number),
            _customers(matching[:SAMPLE]),
            estimated=True,
            margin=math.ceil(margin * self.total.number),
        )

    def answer(
        self,
        matching: int,
        sample: list[Customer],
        *,
        estimated: bool = False,
        margin: int | None = None,
    ) -> Preview:
        ms = round((time.monotonic() - self.asked_at) * 1000)
        shown = masking.people(matching)
        if shown is None:
            sample = []
        return Preview(Count(shown or 0, estimated), self.total, sample, ms, margin)


def _deadline(moment: float | None) -> AbstractContextManager[None]:
    """Return a block that raises QueryTimeout at a moment of time.monotonic(), or after LONGEST_MS."""
    return statement_timeout(LONGEST_MS if moment is None else milliseconds_until(moment))


def _customers(keys: Sequence[int]) -> list[Customer]:
    return list(Customer.objects.filter(pk__in=keys).order_by())


def _random_customers(total: Count) -> list[int]:
    """Return about SAMPLED keys of customers, drawn at random between the first and the last."""
    ends = Customer.objects.aggregate(first=Min("pk"), last=Max("pk"))
    possible = range(ends["first"], ends["last"] + 1)
    wanted = min(MOST_DRAWN, round(SAMPLED * max(len(possible) / total.number, 1)))
    drawn = random.sample(possible, min(wanted, len(possible)))
    return list(Customer.objects.filter(IsAmong("pk", drawn)).values_list("pk", flat=True))


def _share_and_margin(matching: int, asked: int) -> tuple[float, float]:
    """Return a share and the distance to the farther end of its Wilson interval (1927), at 95 %."""
    if not asked:
        return 0.0, 1.0
    share, z = matching / asked, 1.96
    center = (share + z * z / (2 * asked)) / (1 + z * z / asked)
    half = z / (1 + z * z / asked) * math.sqrt(share * (1 - share) / asked + (z / asked / 2) ** 2)
    return share, max(center + half - share, share - center + half)


def _percent(part: int, whole: int) -> float:
    return round(min(100 * part / whole, 100), 1) if whole else 0.0


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
    """Count the members of two segments in one pass over their memberships. Raises NoPlace."""
    places.count()
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
