"""The audience snapshot of a batch against one handwritten INSERT … SELECT."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator

from django.db import connection

from benchmarks import Result, Scale, newsletter, seconds
from benchmarks.population import populate
from marketing import campaigns
from marketing.campaigns import runs
from marketing.models import Campaign, CampaignRun

BUYERS = {
    "operator": "AND",
    "conditions": [{"field": "total_spend", "operator": ">=", "value": 100}],
}
REPEATS = 5
BY_HAND = """
    INSERT INTO marketing_campaignexecution (run_id, customer_id, address, state, skip_reason)
    SELECT %s, customer.id, coalesce(customer.email, ''),
        CASE reason WHEN '' THEN 'pending' ELSE 'skipped' END, reason
    FROM customers_customer customer CROSS JOIN LATERAL (
        SELECT CASE
            WHEN coalesce(customer.email, '') = '' THEN 'no_address'
            WHEN 'email' = ANY (customer.opted_out_channels) OR customer.paused_until > now() THEN 'not_subscribed'
            WHEN EXISTS (SELECT FROM customers_suppression suppressed
                WHERE suppressed.channel = 'email' AND lower(suppressed.address) = lower(customer.email)) THEN 'suppressed'
            ELSE '' END
    ) AS found (reason)
    WHERE customer.total_spend >= 100
    ORDER BY customer.id
"""


def run(scale: Scale) -> Iterator[Result]:
    populate(scale)
    campaign = newsletter.make_campaign("snapshot", port=9)
    campaign.rules = BUYERS
    campaign.save()
    ours, theirs = [], []
    for _repeat in range(REPEATS):
        # in turns, so that what else the machine does falls on both
        seconds_by_hand, people = _measured(campaign, _take_by_hand)
        our_seconds, ours_too = _measured(campaign, _take)
        assert people == ours_too
        theirs.append(seconds_by_hand)
        ours.append(our_seconds)
    yield Result(
        "campaign snapshot",
        people / statistics.median(ours),
        people / statistics.median(theirs),
        0.8,
    )
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE customers_product RESTART IDENTITY CASCADE")
    newsletter.empty()


def _measured(campaign: Campaign, take: Callable[[CampaignRun], None]) -> tuple[float, int]:
    """Return the seconds and the recipients of a call, and roll it back."""
    run = campaigns.launch(campaign)
    took = seconds(lambda: take(run))
    people = run.executions.count()
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE marketing_campaignexecution CASCADE")
    CampaignRun.objects.all().delete()
    Campaign.objects.update(state=Campaign.State.DRAFT)
    campaign.refresh_from_db()
    return took, people


def _take(run: CampaignRun) -> None:
    while runs.fill(run):
        pass


def _take_by_hand(run: CampaignRun) -> None:
    with connection.cursor() as cursor:
        cursor.execute(BY_HAND, [run.pk])
