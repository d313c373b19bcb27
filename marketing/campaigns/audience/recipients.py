"""What a run would do about each person of its audience: the one SELECT that the snapshot writes down and a dry run counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils import timezone

from marketing.campaigns import bucketing
from marketing.campaigns.audience import customers
from marketing.campaigns.variants import Assignment
from marketing.messages import due, eligibility
from marketing.messages.eligibility import SkipReason
from marketing.models import Campaign, CampaignRun

ONE_PERSON_EACH = frozenset({"email", "external_id"})
"""Columns in which the schema lets no two customers have the same address."""


FENCE = "OFFSET 0"
"""Keeps PostgreSQL from merging a layer into the next, where its reason would be worked out anew wherever it is looked at."""


@dataclass(frozen=True, slots=True)
class Recipients:
    """SQL with its parameters, of rows (customer_id, address, reason, variant, not_before), a person each.

    `reason` is a skip reason or "". `not_before` is when the message may leave: the end of quiet hours or, for whom the test of variants
    decides first (variant ""), the time of that; NULL is at once.
    """

    sql: str
    parameters: tuple[Any, ...]


def recipients(
    campaign: Campaign,
    run: CampaignRun | None = None,
    *,
    after: int = 0,
    limit: int | None = None,
    among: Sequence[int] | None = None,
) -> Recipients:
    """What becomes of the people with ids above `after`, the first `limit` of them, or of those `among` these ids, as of the last refresh
    of the segments.

    With a run, people whose address a message of it goes to already are duplicates, and the variants are those of the run. Raises as
    audience.customers_of(), and KeyError for a channel that has no address on the customer.
    """
    simulated = run.simulated if run else campaign.sender.simulated
    parts = [
        _people(campaign, after, limit, among, simulated=simulated),
        _without_duplicates(campaign, run),
        _without_holdout(campaign),
        _with_variants(campaign, run),
        _with_times(campaign, run),
    ]
    sql, parameters = "", ()
    for part in filter(None, parts):
        sql, parameters = part.around(sql, parameters)
    return Recipients(sql, parameters)


@dataclass(frozen=True, slots=True)
class _Layer:
    """A SELECT over the one before it, which stands where `{people}` does; its own parameters stand before and after those."""

    sql: str
    before: Sequence[Any] = ()
    after: Sequence[Any] = ()

    def around(self, inner: str, parameters: Sequence[Any]) -> tuple[str, tuple[Any, ...]]:
        sql = self.sql.replace("{people}", f"({inner}) AS person")
        return sql, (*self.before, *parameters, *self.after)


def _people(
    campaign: Campaign,
    after: int,
    limit: int | None,
    among: Sequence[int] | None,
    *,
    simulated: bool,
) -> _Layer:
    """Who it is for, and whom consent, suppression, send-once keys and caps leave out."""
    policy = eligibility.policy_of(campaign, simulated=simulated)
    column = customers.ADDRESS_FIELDS[campaign.channel]
    people = customers.customers_of(campaign).filter(pk__gt=after)
    if among is not None:
        people = people.filter(pk__in=list(among))
    rows = people.annotate(reason=eligibility.skip_reason(policy, address=column))
    chosen = rows.order_by() if limit is None else rows.order_by("pk")[:limit]
    select, parameters = chosen.values_list(
        "pk", column, "timezone", "reason"
    ).query.sql_with_params()
    return _Layer(
        f"""
        SELECT id, coalesce(address, '') AS address, zone, reason
        FROM ({select}) AS chosen (id, address, zone, reason) {FENCE}
        """,
        parameters,
    )


def _without_duplicates(campaign: Campaign, run: CampaignRun | None) -> _Layer | None:
    """Of those who can be written to and share an address, the one with the lowest id gets it."""
    if customers.ADDRESS_FIELDS[campaign.channel] in ONE_PERSON_EACH:
        return None
    return _Layer(
        f"""
        SELECT id, person.address, zone, CASE
            WHEN reason = '' AND (taken.address IS NOT NULL OR place > 1) THEN '{SkipReason.DUPLICATE_ADDRESS}'
            ELSE reason END AS reason
        FROM (
            SELECT *, row_number() OVER (PARTITION BY reason, lower(address) ORDER BY id) AS place FROM {{people}}
        ) AS person
        LEFT JOIN (
            SELECT DISTINCT lower(address) AS address FROM marketing_campaignexecution
            WHERE run_id = %s AND (state <> 'skipped' OR skip_reason = '{SkipReason.HOLDOUT}')
        ) AS taken ON taken.address = lower(person.address)
        """,
        after=[run.pk if run else None],
    )


def _without_holdout(campaign: Campaign) -> _Layer | None:
    """Of those who would get it, the same people every time: what they do then compares with what the others do."""
    if not campaign.holdout_percent:
        return None
    return _Layer(
        f"""
        SELECT id, address, zone, CASE
            WHEN reason = '' AND {bucketing.sql("person.id")} < %s THEN '{SkipReason.HOLDOUT}'
            ELSE reason END AS reason
        FROM {{people}} {FENCE}
        """,
        before=[bucketing.salt("holdout", campaign.pk), campaign.holdout_percent / 100],
    )


def _with_variants(campaign: Campaign, run: CampaignRun | None) -> _Layer:
    assignment = Assignment.of(campaign, run)
    return _Layer(
        f"""
        SELECT person.id, address, zone, reason,
               CASE reason WHEN '' THEN {assignment.sql} ELSE '' END AS variant
        FROM {{people}} {assignment.join} {FENCE}
        """,
        before=assignment.parameters,
        after=assignment.join_parameters,
    )


def _with_times(campaign: Campaign, run: CampaignRun | None) -> _Layer:
    """Nobody is woken, and whom the test decides about waits for it."""
    decides_at = run.decides_at if run else None
    until_decided = "CASE variant WHEN '' THEN %s::timestamptz END"
    spans = due.of(campaign)
    if not spans:
        return _Layer(_times(until_decided), before=[decides_at])
    over_in = due.everywhere(spans, timezone.now())
    return _Layer(
        _times(
            f"greatest(CASE WHEN clock.zone IS NULL THEN %s ELSE clock.over_at END, {until_decided})",
            "LEFT JOIN unnest(%s::text[], %s::timestamptz[]) AS clock (zone, over_at) ON clock.zone = person.zone",
        ),
        before=[over_in[settings.TIME_ZONE], decides_at],
        after=[list(over_in), list(over_in.values())],
    )


def _times(not_before: str, join: str = "") -> str:
    return f"""
        SELECT person.id AS customer_id, address, reason, variant,
               CASE reason WHEN '' THEN {not_before} END AS not_before
        FROM {{people}} {join}
    """
