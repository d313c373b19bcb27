"""The audience of a campaign: its customers, their skip reasons and variants, and the numbers of a dry run."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Exists, OuterRef

from crm import masking
from crm.api import places
from customers.consent import has_no_address, is_suppressed, is_unwanted
from customers.models import Customer, Segment, SegmentMembership
from customers.models.consent import Channel
from customers.querysets import CustomerQuerySet
from customers.segments import matching, refresh
from marketing.campaigns.assignment import Assignment, bucket_sql, salt, variants_of
from marketing.messages import (
    ADDRESS_FIELDS,
    FENCE,
    Layer,
    Policy,
    Recipients,
    frequency_caps,
    judged,
    quiet_windows,
    with_due_times,
)
from marketing.models import Campaign, CampaignExecution, CampaignRun, FrequencyRule

SAMPLE = 10
CHUNK = 20_000
"""Customers judged by one query in the search for a recipient."""


class NoAudience(ValueError):
    """The campaign has neither segments nor an audience filter, which does not mean all customers."""


class AudienceMember(NamedTuple):
    """A customer of the audience, and the address that the message would go to."""

    customer_id: int
    name: str
    address: str


@dataclass(frozen=True, slots=True)
class DryRun:
    """Numbers of customers: in the audience, reachable, and skipped by reason.

    `delayed` of the recipients are in quiet hours now. `variants` counts the recipients by variant where there are any; "" is those
    who wait for the winner. `samples` are the first customers of each reason; "" is the recipients.
    """

    audience: int
    reachable: int
    delayed: int
    skipped: dict[str, int] = field(default_factory=dict)
    variants: dict[str, int] = field(default_factory=dict)
    samples: dict[str, list[AudienceMember]] = field(default_factory=dict)


def customers_of(campaign: Campaign) -> CustomerQuerySet:
    """Return the customers in any segment of the campaign, within its filter, and in no excluded segment.

    Segments are as of their last refresh. Without segments and filter, a triggered campaign is for all customers. A social post has no
    recipients. Raises NoAudience, NoPlace in a request, and RuleError for an invalid filter.
    """
    places.count()
    if campaign.channel == Channel.SOCIAL:
        return Customer.objects.filter(pk__lt=0)  # none() has no SQL to build on
    included = list(campaign.segments.all())
    if not included and campaign.rules is None and not campaign.is_fed:
        raise NoAudience
    customers = Customer.objects.present() if campaign.rules is None else matching(campaign.rules)
    if included:
        customers = customers.filter(_in_any(included))
    if excluded := list(campaign.exclude_segments.all()):
        customers = customers.filter(~_in_any(excluded))
    return customers


def refresh_segments_of(campaign: Campaign) -> None:
    """Refresh the dynamic segments of the campaign."""
    for segment in {*campaign.segments.all(), *campaign.exclude_segments.all()}:
        if segment.kind == Segment.Kind.DYNAMIC:
            refresh(segment)


def policy_of(campaign: Campaign, run: CampaignRun | None = None) -> Policy:
    """Return the policy of a campaign, or of a run that freezes whether it is simulated."""
    channel = campaign.channel
    return Policy(
        channel=channel,
        topic=campaign.topic_slug,
        send_once_key=campaign.send_once_key,
        caps=() if campaign.exempt_from_caps else frequency_caps(channel),
        quiet=() if campaign.exempt_from_quiet_hours else quiet_windows(channel),
        simulated=run.simulated if run else campaign.sender.simulated,
    )


def recipients(
    campaign: Campaign,
    run: CampaignRun | None = None,
    *,
    after: int = 0,
    limit: int | None = None,
    among: Sequence[int] | None = None,
) -> Recipients:
    """Return the audience as one SELECT with skip reasons and variants, which a run enqueues and a dry run counts.

    It holds the customers with ids above `after`, the first `limit` of them, or those `among` these ids. With a run, customers whose
    address has a message of it are duplicates, and the variants are those of the run. Raises as customers_of(), and KeyError for a
    channel that has no address on the customer.
    """
    audience = customers_of(campaign).filter(pk__gt=after)
    if among is not None:
        audience = audience.filter(pk__in=list(among))
    chosen = judged(policy_of(campaign, run), audience, batch=run, limit=limit)
    if campaign.holdout_percent:
        chosen = chosen.under(_holdout(campaign))
    return chosen.under(_variants(campaign, run))


def dry_run(campaign: Campaign, *, sample: int = SAMPLE) -> DryRun:
    """Count the audience by skip reason without sending, with `sample` customers of each. Raises as recipients()."""
    refresh_segments_of(campaign)
    counts: dict[str, int] = {}
    variants = {variant.name: 0 for variant in variants_of(campaign)}
    samples: dict[str, list[AudienceMember]] = {}
    delayed = 0
    for reason, variant, number, waiting, first in _counted(campaign, sample):
        counts[reason] = counts.get(reason, 0) + number
        delayed += waiting
        samples.setdefault(reason, [_masked(*each) for each in first])
        if reason == "" and (variant or variants):
            variants[variant] = number
    for reason in [each for each in samples if masking.people(counts[each]) is None]:
        del samples[reason]  # the rows would count themselves
    return DryRun(
        audience=sum(counts.values()),
        reachable=counts.get("", 0),
        delayed=delayed,
        skipped={reason: number for reason, number in counts.items() if reason},
        variants=variants,
        samples=samples,
    )


def skipped_for_one_reason(campaign: Campaign) -> tuple[str, int] | None:
    """Return the one reason for which all customers of the audience would be skipped, and their number.

    None where the audience has a recipient, several reasons, or no customer. Raises as recipients().
    """
    if _surely_has_recipient(campaign) or _only_reason(campaign) is None:
        return None
    refresh_segments_of(campaign)
    return _only_reason(campaign)


def _surely_has_recipient(campaign: Campaign) -> bool:
    """Return whether a customer of the audience may receive it whatever came before; one query answers that for most campaigns."""
    if not campaign.exempt_from_caps and FrequencyRule.objects.filter(active=True).exists():
        return False
    channel, address = campaign.channel, ADDRESS_FIELDS[campaign.channel]
    willing = customers_of(campaign).filter(
        ~has_no_address(address),
        ~is_unwanted(channel, campaign.topic_slug),
        ~is_suppressed(channel, address),
    )
    return willing.exists()


def _only_reason(campaign: Campaign) -> tuple[str, int] | None:
    """Return the one skip reason of the audience and its size as of the last refresh of segments; None where there is no such reason."""
    total, last, reasons = 0, 0, set[str]()
    while True:
        planned = recipients(campaign, after=last, limit=CHUNK)
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT count(*), max(id), array_agg(DISTINCT reason) FROM ({planned.sql}) AS planned",
                planned.parameters,
            )
            number, last, found = cursor.fetchone()
        reasons.update(found or ())
        total += number
        if "" in reasons or len(reasons) > 1:
            return None
        if number < CHUNK:
            return (reasons.pop(), total) if reasons else None


def audience_with(
    campaign: Campaign, reason: str, *, after: int = 0, limit: int = 100
) -> list[AudienceMember]:
    """Return the customers with one skip reason in the order of their ids; "" is the recipients."""
    chosen = recipients(campaign)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT id, address FROM ({chosen.sql}) AS chosen
            WHERE reason = %s AND id > %s ORDER BY id LIMIT %s
            """,
            [*chosen.parameters, reason, after, limit],
        )
        found = cursor.fetchall()
    customers = Customer.objects.in_bulk([pk for pk, _address in found])
    return [
        AudienceMember(pk, customers[pk].name, masking.seen(address, masking.address))
        for pk, address in found
        if pk in customers
    ]


def _in_any(segments: Iterable[Segment]) -> Exists:
    return Exists(
        SegmentMembership.objects.filter(customer=OuterRef("pk"), segment__in=list(segments))
    )


def _holdout(campaign: Campaign) -> Layer:
    """Skip the holdout group of the eligible customers, the same ones in every run."""
    return Layer(
        f"""
        SELECT id, address, zone, variant, CASE
            WHEN reason = '' AND {bucket_sql("person.id")} < %s THEN '{CampaignExecution.SkipReason.HOLDOUT}'
            ELSE reason END AS reason
        FROM {{people}} {FENCE}
        """,
        before=[salt("holdout", campaign.pk), campaign.holdout_percent / 100],
    )


def _variants(campaign: Campaign, run: CampaignRun | None) -> Layer:
    assignment = Assignment.of(campaign, run)
    return Layer(
        f"""
        SELECT person.id, address, zone, reason,
               CASE reason WHEN '' THEN {assignment.sql} ELSE '' END AS variant
        FROM {{people}} {assignment.join} {FENCE}
        """,
        before=assignment.parameters,
        after=assignment.join_parameters,
    )


def _masked(pk: int, name: str, address: str) -> AudienceMember:
    return AudienceMember(
        pk, masking.seen(name, masking.name), masking.seen(address, masking.address)
    )


def _counted(campaign: Campaign, sample: int) -> list[tuple[Any, ...]]:
    """Return rows (reason, variant, customers, delayed, the first of the reason), the largest first."""
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
