"""Messages that wait for their people's own time of day."""

from __future__ import annotations

import json

from django.db import connection

from marketing.models import CampaignRun
from marketing.schedule import local_time


def set_due(run: CampaignRun, *, after: int, until: int) -> None:
    """Let the messages to these customers (by id) wait until a clock in the customer's zone shows the time of the run.

    The campaign's zone stands in for a zone that is missing or unknown.
    """
    assert run.due_at is not None
    moments = local_time.everywhere(run.due_at)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE marketing_campaignexecution AS message
            SET next_attempt_at = greatest(
                message.next_attempt_at, coalesce(%s::jsonb ->> customer.timezone, %s)::timestamptz
            )
            FROM customers_customer AS customer
            WHERE customer.id = message.customer_id AND message.run_id = %s
              AND customer.id > %s AND customer.id <= %s AND message.state = 'pending'
            """,
            [json.dumps(moments), moments[run.campaign.timezone], run.pk, after, until],
        )
