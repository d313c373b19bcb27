"""Attribute the orders of some days to campaigns or channels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from analytics.attribution.credit import HALF_LIFE_DAYS, MODELS, Credit, attribute
from analytics.attribution.paths import Path, Paths
from analytics.attribution.timeline_paths import Dimension, PathQuery, Touch, paths
from analytics.background_cache import cached
from analytics.days import day_bounds
from customers.models.consent import Channel
from marketing.models import Campaign

RESAMPLES = 200
WINDOW = timedelta(days=30)
FRESH_FOR = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Attribution:
    """Credits by model, names by touchpoint, and the sums of all orders and of those without a touchpoint."""

    credits: dict[str, list[Credit]]
    names: dict[str, str]
    conversions: float
    value: float
    untouched: float
    untouched_value: float


def attribution(
    query: PathQuery,
    models: Sequence[str] = MODELS,
    *,
    half_life_days: float = HALF_LIFE_DAYS,
    order: int = 1,
    resamples: int = RESAMPLES,
) -> Attribution:
    """Attribute the orders by each model, reading the timeline once. Raises ValueError for an unknown model or order."""
    found = list(paths(query))
    touched = Paths.of(found)
    options: dict[str, Any] = {"half_life_days": half_life_days, "order": order}
    return Attribution(
        {model: attribute(touched, model, resamples=resamples, **options) for model in models},
        _names(touched.names, query.by),
        conversions=sum(each.conversions for each in found),
        value=sum(each.value for each in found),
        untouched=sum(each.conversions for each in _without_steps(found)),
        untouched_value=sum(each.value for each in _without_steps(found)),
    )


@cached(FRESH_FOR)
def attribution_of_days(
    first: date, last: date, by: str, touch: str, simulated: bool
) -> Attribution:
    """Attribute the orders of some days by all models, with the touches of 30 days before each and without intervals."""
    start, end = day_bounds(first, last)
    query = PathQuery(start, end, WINDOW, Dimension(by), Touch(touch), simulated)
    return attribution(query, resamples=0)


def _without_steps(found: Iterable[Path]) -> list[Path]:
    return [each for each in found if not each.steps]


def _names(touchpoints: Sequence[str], by: Dimension) -> dict[str, str]:
    """Return the names of touchpoints; a deleted campaign is named by its number."""
    if by is Dimension.CHANNEL:
        labels = dict(Channel.choices)
        return {each: str(labels.get(each, each)) for each in touchpoints}
    named = dict(Campaign.objects.filter(pk__in=touchpoints).values_list("pk", "name"))
    return {each: named.get(int(each), f"#{each}") for each in touchpoints}
