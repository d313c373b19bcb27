"""The recipients of a campaign: the one SELECT that a run enqueues and a dry run counts."""

from __future__ import annotations

from collections.abc import Sequence

from marketing.campaigns import bucketing
from marketing.campaigns.audience import customers
from marketing.campaigns.plans import policy_of
from marketing.campaigns.variants import Assignment
from marketing.messages.eligibility import SkipReason
from marketing.messages.recipients import FENCE, Layer, Recipients, judged
from marketing.models import Campaign, CampaignRun


def recipients(
    campaign: Campaign,
    run: CampaignRun | None = None,
    *,
    after: int = 0,
    limit: int | None = None,
    among: Sequence[int] | None = None,
) -> Recipients:
    """Return the customers with ids above `after`, the first `limit` of them, or those `among` these ids, with skip reasons and variants.

    Segments are as of their last refresh. With a run, customers whose address has a message of it are duplicates, and the variants are
    those of the run. Raises as audience.customers_of(), and KeyError for a channel that has no address on the customer.
    """
    audience = customers.customers_of(campaign).filter(pk__gt=after)
    if among is not None:
        audience = audience.filter(pk__in=list(among))
    chosen = judged(policy_of(campaign, run), audience, batch=run, limit=limit)
    if campaign.holdout_percent:
        chosen = chosen.under(_holdout(campaign))
    return chosen.under(_variants(campaign, run))


def _holdout(campaign: Campaign) -> Layer:
    """Skip the holdout group of the eligible customers: the same ones in every run, to compare what they do."""
    return Layer(
        f"""
        SELECT id, address, zone, variant, CASE
            WHEN reason = '' AND {bucketing.sql("person.id")} < %s THEN '{SkipReason.HOLDOUT}'
            ELSE reason END AS reason
        FROM {{people}} {FENCE}
        """,
        before=[bucketing.salt("holdout", campaign.pk), campaign.holdout_percent / 100],
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
