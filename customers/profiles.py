"""Write computed scores to the profiles of customers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection, transaction

from crm.events.outbox import emit
from customers.timeline import types

IDS_AN_EVENT = 1_000


@transaction.atomic
def save_scores(
    columns: Sequence[str], select: str, parameters: Mapping[str, Any], *, announce: bool = True
) -> int:
    """Write the rows of a query, `customer_id` and then the columns, to profiles; returns how many changed.

    Unchanged rows are not written. Segments whose rules read profiles are updated for changed customers: at once with
    `announce`, or with their next refresh.
    """
    names = ", ".join(columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO customers_customerprofile AS profile (customer_id, {names}, computed_at)
            SELECT scored.*, now() FROM ({select}) AS scored ORDER BY 1
            ON CONFLICT (customer_id) DO UPDATE SET
                {", ".join(f"{name} = excluded.{name}" for name in columns)}, computed_at = now()
            WHERE ({", ".join(f"profile.{name}" for name in columns)})
                IS DISTINCT FROM ({", ".join(f"excluded.{name}" for name in columns)})
            RETURNING customer_id
            """,
            parameters,
        )
        changed = [row[0] for row in cursor.fetchall()]
    if announce:
        for start in range(0, len(changed), IDS_AN_EVENT):
            emit(
                types.CUSTOMERS_SCORED,
                data={"customers": changed[start : start + IDS_AN_EVENT]},
            )
    return len(changed)
