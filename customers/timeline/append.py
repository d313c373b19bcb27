"""Append events to the timeline, many rows at a time."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection

from customers.timeline import types


@dataclass(frozen=True, slots=True)
class NewInteraction:
    """A row to append. `simulated` among its properties marks an event that no real person caused.

    What a workflow records is no activity of the customer.
    """

    customer_id: int
    type: str
    occurred_at: datetime
    properties: dict[str, Any] = field(default_factory=dict)
    campaign_id: int | None = None
    execution_id: int | None = None
    by_the_customer: bool = True

    @property
    def is_activity(self) -> bool:
        return (
            self.by_the_customer
            and self.type not in types.NOT_BY_THE_CUSTOMER
            and not self.properties.get("simulated")
        )


def append_sql(rows: str) -> str:
    """Return SQL that appends the rows of a query with this name, for a larger statement.

    The query has the columns customer_id, type, occurred_at, properties, campaign_id and execution_id. The customers' `last_interaction_at`
    does not change.
    """
    return f"""
        INSERT INTO customers_interaction (customer_id, type, occurred_at, properties, campaign_id, execution_id)
        SELECT customer_id, type, occurred_at, properties, campaign_id, execution_id FROM {rows}
    """


_NEW = """
    WITH new AS MATERIALIZED (
        SELECT coalesce(merged.survivor_id, given.customer_id) AS customer_id,
               type, occurred_at, properties, campaign_id, execution_id, is_activity, place
        FROM ROWS FROM (
            jsonb_to_recordset(%s::jsonb) AS (
                customer_id bigint, type text, occurred_at timestamptz, properties jsonb,
                campaign_id bigint, execution_id bigint, is_activity boolean
            )
        ) WITH ORDINALITY AS
            given(customer_id, type, occurred_at, properties, campaign_id, execution_id, is_activity, place)
        -- a customer merged since the caller looked is followed to the survivor
        LEFT JOIN customers_merge merged ON merged.duplicate_id = given.customer_id AND merged.undone_at IS NULL
    )
"""
_INSERT = f"{append_sql('new')} ORDER BY place"
_APPEND = _NEW + _INSERT
_APPEND_AND_RAISE = f"""
    {_NEW}, appended AS ({_INSERT}), newest AS (
        SELECT customer_id AS id, max(occurred_at) AS active_at,
               max(occurred_at) FILTER (WHERE type = '{types.PAGE_VIEWED}') AS visited_at
        FROM new WHERE is_activity GROUP BY customer_id
    ), behind AS (
        -- locked in the order of ids, so that two batches over the same people never wait for each other
        SELECT customer.id, active_at, visited_at
        FROM customers_customer customer JOIN newest USING (id)
        WHERE greatest(last_interaction_at, active_at) IS DISTINCT FROM last_interaction_at
           OR greatest(last_visit_at, visited_at) IS DISTINCT FROM last_visit_at
        ORDER BY customer.id
        FOR NO KEY UPDATE OF customer
    )
    UPDATE customers_customer customer SET
        last_interaction_at = greatest(customer.last_interaction_at, active_at),
        last_visit_at = greatest(customer.last_visit_at, visited_at)
    FROM behind WHERE customer.id = behind.id
"""


def record_interactions(interactions: Sequence[NewInteraction]) -> None:
    """Append rows to the timeline, and raise `last_interaction_at` (for page views `last_visit_at`) of active customers.

    This is one statement, in the caller's transaction or one of its own.
    """
    if not interactions:
        return
    rows = [
        {
            "customer_id": each.customer_id,
            "type": each.type,
            "occurred_at": each.occurred_at.isoformat(),
            "properties": each.properties,
            "campaign_id": each.campaign_id,
            "execution_id": each.execution_id,
            "is_activity": each.is_activity,
        }
        for each in interactions
    ]
    anybody_active = any(each.is_activity for each in interactions)
    with connection.cursor() as cursor:
        cursor.execute(_APPEND_AND_RAISE if anybody_active else _APPEND, [json.dumps(rows)])
