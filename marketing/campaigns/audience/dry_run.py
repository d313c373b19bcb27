"""Who would get a campaign now, who would not and why: counted by the SELECT that the snapshot would write down."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.db import connection

from crm import masking
from customers.models import Customer
from marketing.campaigns.audience import customers
from marketing.campaigns.audience.recipients import recipients
from marketing.campaigns.plans import policy_of
from marketing.messages.recipients import with_due_times
from marketing.models import Campaign

SAMPLE = 10


class Person(NamedTuple):
    """Somebody of the audience, and the address that it would go to."""

    customer_id: int
    name: str
    address: str


@dataclass(frozen=True, slots=True)
class DryRun:
    """How many people a campaign is for, how many would get it, and why not the others.

    `delayed` of those who would get it are in quiet hours now. `variants` counts them by variant where there are any, "" being those
    who wait for the winner. `people` are the first of each reason, "" being those who would get it.
    """

    audience: int
    reachable: int
    delayed: int
    skipped: dict[str, int] = field(default_factory=dict)
    variants: dict[str, int] = field(default_factory=dict)
    people: dict[str, list[Person]] = field(default_factory=dict)


def dry_run(campaign: Campaign, *, sample: int = SAMPLE) -> DryRun:
    """Plan a run and send nothing; `sample` people of each reason are named. Raises as recipients()."""
    customers.refresh_segments_of(campaign)
    rows = _counted(campaign, sample)
    counts: dict[str, int] = {}
    variants: dict[str, int] = {}
    people: dict[str, list[Person]] = {}
    delayed = 0
    for reason, variant, number, waiting, first_of_reason in rows:
        counts[reason] = counts.get(reason, 0) + number
        delayed += waiting
        people.setdefault(reason, [_seen(*person) for person in first_of_reason])
        if reason == "":
            variants[variant] = number
    return DryRun(
        audience=sum(counts.values()),
        reachable=counts.get("", 0),
        delayed=delayed,
        skipped={reason: number for reason, number in counts.items() if reason},
        variants={} if set(variants) <= {""} else variants,
        people=people,
    )


def people(campaign: Campaign, reason: str, *, after: int = 0, limit: int = 100) -> list[Person]:
    """The people of one reason ("": who would get it) in the order of their ids, as of the last refresh of the segments."""
    planned = recipients(campaign)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT id, address FROM ({planned.sql}) AS planned
            WHERE reason = %s AND id > %s ORDER BY id LIMIT %s
            """,
            [*planned.parameters, reason, after, limit],
        )
        found = cursor.fetchall()
    named = Customer.objects.in_bulk([pk for pk, _address in found])
    return [
        Person(pk, named[pk].name, masking.seen(address, masking.address))
        for pk, address in found
        if pk in named
    ]


def _seen(pk: int, name: str, address: str) -> Person:
    return Person(pk, masking.seen(name, masking.name), masking.seen(address, masking.address))


def _counted(campaign: Campaign, sample: int) -> list[tuple[Any, ...]]:
    """(reason, variant, people, of them delayed, the first few of the reason), the most frequent first."""
    planned = with_due_times(recipients(campaign), policy_of(campaign))
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH planned AS MATERIALIZED ({planned.sql}), counted AS (
                SELECT reason, variant, count(*) AS people, count(due_at) AS delayed
                FROM planned GROUP BY reason, variant
            ), reasons AS (
                SELECT reason, sample.people FROM (SELECT DISTINCT reason FROM counted) AS found
                CROSS JOIN LATERAL (
                    SELECT jsonb_agg(jsonb_build_array(first.id, first.name, first.address) ORDER BY first.id) AS people
                    FROM (
                        SELECT customer.id, concat_ws(' ', nullif(first_name, ''), nullif(last_name, '')) AS name, address
                        FROM planned JOIN customers_customer AS customer ON customer.id = planned.id
                        WHERE planned.reason = found.reason ORDER BY customer.id LIMIT %s
                    ) AS first
                ) AS sample
            )
            SELECT reason, variant, counted.people, delayed, reasons.people FROM counted JOIN reasons USING (reason)
            ORDER BY counted.people DESC, reason, variant
            """,
            [*planned.parameters, sample],
        )
        return [(*row[:4], json.loads(row[4] or "[]")) for row in cursor.fetchall()]
