"""The timeline's one door: what a customer did or received, many rows at a time."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from customers import events

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
        _append(interactions)
        done = [each for each in interactions if each.is_activity]
        _raise("last_interaction_at", done)
        _raise("last_visit_at", [each for each in done if each.type == events.PAGE_VIEWED])


def _append(interactions: Sequence[NewInteraction]) -> None:
    """One statement for all. Whoever was merged since the caller looked is followed to the survivor."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO customers_interaction (customer_id, type, occurred_at, properties, campaign_id, execution_id)
            SELECT coalesce(merged.survivor_id, new.customer_id), type, occurred_at, properties, campaign_id, execution_id
            FROM unnest(%s::bigint[], %s::text[], %s::timestamptz[], %s::jsonb[], %s::bigint[], %s::bigint[])
                WITH ORDINALITY AS new(customer_id, type, occurred_at, properties, campaign_id, execution_id, place)
            LEFT JOIN customers_merge merged ON merged.duplicate_id = new.customer_id AND merged.undone_at IS NULL
            ORDER BY place
            """,
            [
                [each.customer_id for each in interactions],
                [each.type for each in interactions],
                [each.occurred_at for each in interactions],
                [json.dumps(each.properties) for each in interactions],
                [each.campaign_id for each in interactions],
                [each.execution_id for each in interactions],
            ],
        )


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
