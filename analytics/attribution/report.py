"""Who is owed the orders of some time: each model's credits, by campaign or channel."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from analytics.attribution.credit import HALF_LIFE_DAYS, MODELS, Credit, attribute
from analytics.attribution.paths import Journey, Journeys
from analytics.attribution.timeline import By, Question, Touch, journeys
from analytics.background_cache import keep
from analytics.commerce import day_bounds
from customers.models.consent import Channel
from marketing.models import Campaign

RESAMPLES = 200
WINDOW = timedelta(days=30)
FRESH = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Attribution:
    """`credits` by model. `conversions` and `value` are of all orders, `untouched` of those that no message came before."""

    credits: dict[str, list[Credit]]
    names: dict[str, str]
    conversions: float
    value: float
    untouched: float
    untouched_value: float


def attribution(
    question: Question,
    models: Sequence[str] = MODELS,
    *,
    half_life_days: float = HALF_LIFE_DAYS,
    order: int = 1,
    resamples: int = RESAMPLES,
) -> Attribution:
    """Share out the orders by each of the models, from one reading of the timeline. Raises ValueError for an unknown model or order."""
    found = list(journeys(question))
    touched = Journeys.of(found)
    options: dict[str, Any] = {"half_life_days": half_life_days, "order": order}
    return Attribution(
        {model: attribute(touched, model, resamples=resamples, **options) for model in models},
        _names(touched.names, question.by),
        conversions=sum(each.conversions for each in found),
        value=sum(each.value for each in found),
        untouched=sum(each.conversions for each in _without_steps(found)),
        untouched_value=sum(each.value for each in _without_steps(found)),
    )


@keep(FRESH)
def of_days(first: date, last: date, by: str, touch: str, simulated: bool) -> Attribution:
    """By all models, of the orders of some days and the touches of the 30 days before each; without bounds, and kept."""
    start, end = day_bounds(first, last)
    question = Question(start, end, WINDOW, By(by), Touch(touch), simulated)
    return attribution(question, resamples=0)


def _without_steps(found: Iterable[Journey]) -> list[Journey]:
    return [each for each in found if not each.steps]


def _names(touchpoints: Sequence[str], by: By) -> dict[str, str]:
    """What people call the touchpoints; campaigns that are gone keep their number."""
    if by is By.CHANNEL:
        labels = dict(Channel.choices)
        return {each: str(labels.get(each, each)) for each in touchpoints}
    named = dict(Campaign.objects.filter(pk__in=touchpoints).values_list("pk", "name"))
    return {each: named.get(int(each), f"#{each}") for each in touchpoints}
