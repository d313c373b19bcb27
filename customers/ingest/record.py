"""The timeline's one door: what a customer did or received, many rows at a time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from customers import events
from customers.models import Interaction

NOT_BY_THE_CUSTOMER = frozenset(
    {events.MESSAGE_SENT, events.MESSAGE_DELIVERED, events.MESSAGE_BOUNCED}
)
"""What was done to the customer: it stands on the timeline and says nothing about how recently they were active."""


@dataclass(frozen=True, slots=True)
class NewInteraction:
    """One row for the timeline. `simulated` among the properties marks what no real person did."""

    customer_id: int
    type: str
    occurred_at: datetime
    properties: dict[str, Any] = field(default_factory=dict)
    campaign_id: int | None = None
    execution_id: int | None = None

    @property
    def is_activity(self) -> bool:
        return self.type not in NOT_BY_THE_CUSTOMER and not self.properties.get("simulated")


def record_interactions(interactions: Sequence[NewInteraction]) -> None:
    """Append to the timeline and raise `last_interaction_at`, and for page views `last_visit_at`, of those who did something.

    Runs in the caller's transaction, or in one of its own.
    """
    if not interactions:
        return
    with transaction.atomic():
        Interaction.objects.bulk_create(
            [
                Interaction(
                    customer_id=each.customer_id,
                    type=each.type,
                    occurred_at=each.occurred_at,
                    properties=each.properties,
                    campaign_id=each.campaign_id,
                    execution_id=each.execution_id,
                )
                for each in interactions
            ]
        )
        done = [each for each in interactions if each.is_activity]
        _raise("last_interaction_at", done)
        _raise("last_visit_at", [each for each in done if each.type == events.PAGE_VIEWED])


def _raise(column: str, done: Iterable[NewInteraction]) -> None:
    newest: dict[int, datetime] = {}
    for each in done:
        newest[each.customer_id] = max(
            each.occurred_at, newest.get(each.customer_id, each.occurred_at)
        )
    if not newest:
        return
    with connection.cursor() as cursor:
        # locked in the order of ids, so that two batches over the same people never wait for each other
        cursor.execute(
            f"""
            WITH newest AS (SELECT * FROM unnest(%s::bigint[], %s::timestamptz[]) AS n(id, at)),
            behind AS (
                SELECT customer.id, newest.at
                FROM customers_customer customer JOIN newest USING (id)
                WHERE customer.{column} IS NULL OR customer.{column} < newest.at
                ORDER BY customer.id
                FOR NO KEY UPDATE OF customer
            )
            UPDATE customers_customer customer SET {column} = greatest(customer.{column}, behind.at)
            FROM behind WHERE customer.id = behind.id
            """,
            [list(newest), list(newest.values())],
        )
