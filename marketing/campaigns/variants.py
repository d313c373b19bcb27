"""Which variant a person gets: drawn once by a lot that is always the same, and kept in every later run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Any

from marketing.campaigns import bucketing
from marketing.models import Campaign, CampaignRun

WinnerBy = Campaign.WinnerBy


@dataclass(frozen=True, slots=True)
class Weighted:
    """A variant's name and weight."""

    name: str
    weight: int


@dataclass(frozen=True, slots=True)
class Assignment:
    """The variant of the person called `person`, as SQL; "" is none (yet). `join` brings what earlier runs gave them."""

    sql: str = "''"
    parameters: tuple[Any, ...] = ()
    join: str = ""
    join_parameters: tuple[Any, ...] = ()

    @classmethod
    def of(cls, campaign: Campaign, run: CampaignRun | None = None) -> Assignment:
        """Of the variants of the run, or of the campaign while there is none: what the person had before; else the winner where there
        is one; else, for the test share, a variant by weight. The others wait.
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
        return cls(f"coalesce(kept.variant, {drawn})", parameters, _KEPT, (campaign.pk, names))


_KEPT = """
    LEFT JOIN LATERAL (
        SELECT earlier.variant FROM marketing_campaignexecution AS earlier
        JOIN marketing_campaignrun AS run ON run.id = earlier.run_id
        WHERE earlier.customer_id = person.id AND run.campaign_id = %s AND earlier.variant = ANY(%s)
        ORDER BY earlier.id DESC LIMIT 1
    ) AS kept ON true
"""


def variants_of(owner: Campaign | CampaignRun) -> list[Weighted]:
    """The variants in the order in which they were made."""
    rows = owner.variants.order_by("pk").values_list("name", "weight")
    return [Weighted(*row) for row in rows]


def shares(variants: Sequence[Weighted]) -> dict[str, float]:
    """The part of the test that each variant gets, by name; they add up to 1."""
    total = sum(variant.weight for variant in variants)
    return {variant.name: variant.weight / total for variant in variants}


def decides_at(campaign: Campaign, variants: Sequence[Weighted], now: datetime) -> datetime | None:
    """Until when, at most, those beyond the test share wait in a run that starts now; None when nobody has to."""
    if not variants or campaign.winner_by == WinnerBy.NOTHING or campaign.test_share >= 100:
        return None
    if campaign.winner in {variant.name for variant in variants}:
        return None
    return now + timedelta(hours=float(campaign.winner_after_hours))


def _drawn(campaign: Campaign, variants: Sequence[Weighted]) -> tuple[str, tuple[Any, ...]]:
    total = sum(variant.weight for variant in variants)
    bounds = [below / total for below in accumulate(variant.weight for variant in variants)]
    drawn = bucketing.sql("person.id")
    sql = f"(%s::text[])[1 + width_bucket({drawn}::float8, %s::float8[])]"
    parameters: tuple[Any, ...] = (
        [variant.name for variant in variants],
        bucketing.salt("variant", campaign.pk),
        bounds[:-1],
    )
    if not _rest_waits(campaign):
        return sql, parameters
    return (
        f"CASE WHEN {bucketing.sql('person.id')} < %s THEN {sql} ELSE '' END",
        (bucketing.salt("test", campaign.pk), campaign.test_share / 100, *parameters),
    )


def _rest_waits(campaign: Campaign) -> bool:
    return campaign.winner_by != WinnerBy.NOTHING and campaign.test_share < 100
