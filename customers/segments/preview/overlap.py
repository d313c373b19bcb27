"""Two segments side by side: who is in one of them alone, and who is in both."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection

from customers.models import Segment


@dataclass(frozen=True, slots=True)
class Overlap:
    """Numbers of people, as of each segment's last refresh."""

    only_first: int
    both: int
    only_second: int

    @property
    def either(self) -> int:
        return self.only_first + self.both + self.only_second


def overlap(first: Segment, second: Segment) -> Overlap:
    """Counts the members of both in one pass over their memberships."""
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
