"""What a changed rule would do to a segment, before it is saved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef

from customers.models import Customer, Segment, SegmentMembership
from customers.segments.sql.compile import compile_rules
from customers.segments.sql.statement_timeout import patience

PATIENCE_MS = 1_500


@dataclass(frozen=True, slots=True)
class Effect:
    """How many people would come in, go out, and stay."""

    come: int
    go: int
    stay: int


def effect(segment: Segment, rules: dict[str, Any]) -> Effect:
    """Compare who matches the rules now with who is in the segment.

    Raises customers.segments.language.rules.RuleError, and customers.segments.sql.statement_timeout.TookTooLong after PATIENCE_MS a query.
    """
    matching = Customer.objects.filter(compile_rules(rules)).order_by()
    memberships = SegmentMembership.objects.filter(segment=segment)
    is_in = Exists(memberships.filter(customer=OuterRef("pk")))
    with patience(PATIENCE_MS):
        stay = matching.filter(is_in).count()
        come = matching.filter(~is_in).count()
        return Effect(come, memberships.count() - stay, stay)
