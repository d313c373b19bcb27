"""Assign customers to the holdout group, the test audience and the variants.

A bucket is the first 32 bits of MD5 of a salt and the customer's ID, as a fraction: uniform, the same on every machine and version, and
independent between salts. So an assignment need not be stored.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Any

from marketing.models import Campaign, CampaignRun

WinnerBy = Campaign.WinnerBy

_RANGE = 2**32

_EARLIER_VARIANT = """
    LEFT JOIN LATERAL (
        SELECT earlier.variant FROM marketing_campaignexecution AS earlier
        JOIN marketing_campaignrun AS run ON run.id = earlier.run_id
        WHERE earlier.customer_id = person.id AND run.campaign_id = %s AND earlier.variant = ANY(%s)
        ORDER BY earlier.id DESC LIMIT 1
    ) AS kept ON true
"""


@dataclass(frozen=True, slots=True)
class WeightedVariant:
    """The name and the weight of a variant."""

    name: str
    weight: int


@dataclass(frozen=True, slots=True)
class Assignment:
    """The variant of the customer in the row `person`, as SQL; "" is none (yet). `join` adds the variants of earlier runs."""

    sql: str = "''"
    parameters: tuple[Any, ...] = ()
    join: str = ""
    join_parameters: tuple[Any, ...] = ()

    @classmethod
    def of(cls, campaign: Campaign, run: CampaignRun | None = None) -> Assignment:
        """Assign the variants of the run, or of the campaign while there is none.

        A customer keeps the variant of an earlier run. Else it is the winner where there is one; else, in the test audience, one by
        weight. The other customers wait.
        """
        variants = variants_of(run or campaign)
        if not variants:
            return cls()
        drawn, parameters = _drawn(campaign, variants)
        names = [variant.name for variant in variants]
        if campaign.winner in names:
            drawn, parameters = "%s", (campaign.winner,)
        earlier = campaign.runs.filter(number__lt=run.number) if run else campaign.runs.all()
        if not earlier.exists():
            return cls(drawn, parameters)
        sql = f"coalesce(kept.variant, {drawn})"
        return cls(sql, parameters, _EARLIER_VARIANT, (campaign.pk, names))


def variants_of(owner: Campaign | CampaignRun) -> list[WeightedVariant]:
    """Return the variants in the order of their creation."""
    rows = owner.variants.order_by("pk").values_list("name", "weight")
    return [WeightedVariant(*row) for row in rows]


def shares(variants: Sequence[WeightedVariant]) -> dict[str, float]:
    """Return the share of the test audience for each variant by name; they add up to 1."""
    total = sum(variant.weight for variant in variants)
    return {variant.name: variant.weight / total for variant in variants}


def decides_at(
    campaign: Campaign, variants: Sequence[WeightedVariant], now: datetime
) -> datetime | None:
    """Return until when, at most, a run that starts now waits for the winner; None without a test."""
    if not variants or not _has_test(campaign):
        return None
    if campaign.winner in {variant.name for variant in variants}:
        return None
    return now + timedelta(hours=float(campaign.winner_after_hours))


def salt(purpose: str, campaign_id: int) -> str:
    """Return the salt that makes the buckets of one purpose in one campaign independent of all others."""
    return f"{purpose}:{campaign_id}:"


def bucket_sql(customer_id: str) -> str:
    """Return the bucket of a customer, from 0 up to 1, as SQL with the salt as its one parameter."""
    return f"(('x' || substr(md5(%s || {customer_id}), 1, 8))::bit(32)::bigint / {_RANGE}.0)"


def bucket(salt: str, customer_id: int) -> float:
    """Return the bucket of a customer, the same as bucket_sql() does."""
    digest = hashlib.md5(f"{salt}{customer_id}".encode(), usedforsecurity=False)
    return int(digest.hexdigest()[:8], 16) / _RANGE


def _drawn(campaign: Campaign, variants: Sequence[WeightedVariant]) -> tuple[str, tuple[Any, ...]]:
    total = sum(variant.weight for variant in variants)
    bounds = [below / total for below in accumulate(variant.weight for variant in variants)]
    bucket_of_person = bucket_sql("person.id")
    sql = f"(%s::text[])[1 + width_bucket({bucket_of_person}::float8, %s::float8[])]"
    parameters: tuple[Any, ...] = (
        [variant.name for variant in variants],
        salt("variant", campaign.pk),
        bounds[:-1],
    )
    if not _has_test(campaign):
        return sql, parameters
    return (
        f"CASE WHEN {bucket_of_person} < %s THEN {sql} ELSE '' END",
        (salt("test", campaign.pk), campaign.test_share / 100, *parameters),
    )


def _has_test(campaign: Campaign) -> bool:
    return campaign.winner_by != WinnerBy.NOTHING and campaign.test_share < 100
