"""Profiles worked out anew: of everyone at night, with models fitted first; of those to whom something happened, all day, with the
models and quintiles of the night.

A transaction writes some thousand profiles at most: until it ends, no reader of events gets past it (crm.events.transactions).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Self

import numpy as np
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.utils import timezone

from analytics.commerce import as_of
from analytics.models import ModelRun, ProfileRebuild
from analytics.people import facts, predictions, rfm
from analytics.people.predictions import Models
from analytics.people.rfm import Cuts
from crm import jobs
from crm.nudge import nudge
from customers import profiles
from customers.models import Customer

GROWN = 1.2
AT_ONCE = 20_000
"""People whose profiles are worked out as they change; where more change at once, everyone's are, a little later."""
CHUNK = 5_000
"""So many profiles are written in one transaction."""
MOST_ANNOUNCED = 20_000
"""When a rebuild changes more profiles than this, segments wait for their next refresh."""

_ASKED = "analytics:profiles:rebuild"

COLUMNS: dict[str, str] = {
    "favourite_category": "coalesce(favourite.category, '')",
    "favourite_brand": "coalesce(favourite.brand, '')",
    "most_viewed_category": "coalesce(viewed.category, '')",
    "last_interaction_type": "coalesce(newest.type, '')",
    "seconds_on_site": "visited.seconds",
    "satisfaction": "served.satisfaction",
    "response_rate": "answered.answers::float8 / nullif(answered.sent, 0)",
    "preferred_channel": "coalesce(answered.channel, '')",
    "best_hour": "best.hour",
    "engagement_score": f"round((100 * (1 - exp(-coalesce(engaged.points, 0) / {facts.ENGAGED_AT})))::numeric, 1)::float8",
    "recency_score": "scores.recency",
    "frequency_score": "scores.frequency",
    "monetary_score": "scores.monetary",
    "rfm_segment": rfm.segment("scores.recency", "scores.frequency"),
    "lifetime_value": "customer.total_spend + round(coalesce(predicted.value, 0)::numeric, 2)",
    "expected_orders": "predicted.orders",
    "alive_probability": "predicted.alive",
    "churn_risk": "predicted.risk",
}
"""The columns of CustomerProfile that are kept here, and where each comes from."""

_PARTS = (
    facts.FAVOURITE, facts.VISITED, facts.VIEWED, facts.SERVED, facts.ANSWERED, facts.HOURS, facts.BEST_HOUR, facts.ENGAGED,
)  # fmt: skip
_SELECT = f"""
    WITH {", ".join(_PARTS)},
    predicted AS (
        SELECT * FROM unnest(%(bought)s::bigint[], %(alive)s::float8[], %(orders)s::float8[], %(value)s::float8[], %(risk)s::float8[])
            AS prediction (customer_id, alive, orders, value, risk)
    ),
    scores AS (
        SELECT customer.id AS customer_id, {", ".join(f"{rfm.score(name)} AS {name}" for name in rfm.FIGURES)}
        FROM customers_customer customer WHERE %(has_cuts)s AND {rfm.HAS_BOUGHT} AND customer.id = ANY(%(people)s)
    )
    SELECT customer.id, {", ".join(COLUMNS.values())}
    FROM customers_customer customer
    LEFT JOIN favourite ON favourite.customer_id = customer.id
    LEFT JOIN visited ON visited.customer_id = customer.id
    LEFT JOIN viewed ON viewed.customer_id = customer.id
    LEFT JOIN served ON served.customer_id = customer.id
    LEFT JOIN answered ON answered.customer_id = customer.id
    LEFT JOIN best ON best.customer_id = customer.id
    LEFT JOIN engaged ON engaged.customer_id = customer.id
    LEFT JOIN scores ON scores.customer_id = customer.id
    LEFT JOIN predicted ON predicted.customer_id = customer.id
    LEFT JOIN LATERAL (
        SELECT type FROM customers_interaction interaction WHERE interaction.customer_id = customer.id
        ORDER BY occurred_at DESC LIMIT 1
    ) AS newest ON true
    WHERE customer.id = ANY(%(people)s)
""".replace("{of}", "customer_id = ANY(%(people)s)")


@dataclass(frozen=True, slots=True)
class Fitted:
    """What was fitted last; None and zeros where there was too little to go by."""

    models: Models
    cuts: Cuts | None
    hours: list[float]

    @classmethod
    def newest(cls) -> Self:
        newest = (ModelRun.objects.filter(kind=kind).first() for kind in ModelRun.Kind.values)
        runs = {run.kind: run for run in newest if run and run.parameters}
        quintiles, timing = runs.get(ModelRun.Kind.RFM), runs.get(ModelRun.Kind.TIMING)
        return cls(
            Models.of(runs.values(), as_of()),
            Cuts.read(quintiles.parameters) if quintiles else None,
            timing.parameters["hours"] if timing else [0.0] * 24,
        )


def start_rebuild() -> ProfileRebuild | None:
    """Let workers rebuild all profiles, unless they do so already. Returns the rebuild under way."""
    ProfileRebuild.objects.bulk_create([ProfileRebuild()], ignore_conflicts=True)
    rebuild = ProfileRebuild.objects.filter(finished_at=None).first()
    if rebuild:
        jobs.start(rebuild)
    return rebuild


def rebuild_in_turns(rebuild: ProfileRebuild, turn: jobs.Turn) -> bool:
    """Fit the models in the first turn, and compute the profiles of all customers, chunk by chunk (crm.jobs)."""
    if not rebuild.total:
        cache.delete(_ASKED)
        _fit()
        turn.save(total=Customer.objects.count())
    fitted = Fitted.newest()
    while people := _next(rebuild.position):
        rebuild.changed += _save(fitted, people, announce=rebuild.changed < MOST_ANNOUNCED)
        rebuild.position = people[-1]
        rebuild.done += len(people)
        turn.save(position=rebuild.position, done=rebuild.done, changed=rebuild.changed)
        if turn.is_over:
            return True
    nudge("analytics.tasks.refresh_dashboards")
    return False


def rebuild() -> int:
    """Rebuild all profiles here and now; returns how many changed."""
    rebuild = start_rebuild()
    if rebuild is None:
        return 0
    jobs.run(rebuild)
    rebuild.refresh_from_db()
    return rebuild.changed


def refresh(customer_ids: Sequence[int]) -> int:
    """Work out the profiles of these customers with what was fitted last; returns how many changed."""
    return _save(Fitted.newest(), customer_ids) if customer_ids else 0


def follow(customer_ids: Sequence[int]) -> None:
    """Keep the profiles of customers who changed: at once, or where they are many by the next rebuild of all."""
    if len(customer_ids) > AT_ONCE:
        cache.set(_ASKED, True, timeout=None)
    else:
        refresh(customer_ids)


def is_stale() -> bool:
    """Whether many changed at once, or so many more bought than when quintiles were last found that those mean little."""
    if cache.get(_ASKED):
        return True
    newest = ModelRun.objects.filter(kind=ModelRun.Kind.RFM).first()
    known = newest.customers if newest else 0
    return Customer.objects.filter(order_count__gt=0).count() > known * GROWN


def _next(position: int) -> list[int]:
    after = Customer.objects.filter(pk__gt=position).order_by("pk")
    return list(after.values_list("pk", flat=True)[:CHUNK])


def _fit() -> None:
    until = as_of()
    ModelRun.objects.bulk_create(
        [*predictions.fit(until), _run_of_quintiles(rfm.find_cuts(), until), _run_of_hours(until)]
    )


def _run_of_quintiles(cuts: Cuts | None, until: date) -> ModelRun:
    return ModelRun(
        kind=ModelRun.Kind.RFM,
        data_until=until,
        customers=Customer.objects.filter(order_count__gt=0).count(),
        parameters=cuts.as_json() if cuts else {},
    )


def _run_of_hours(until: date) -> ModelRun:
    return ModelRun(
        kind=ModelRun.Kind.TIMING, data_until=until, parameters={"hours": _usual_hours()}
    )


def _save(fitted: Fitted, customer_ids: Sequence[int], *, announce: bool = True) -> int:
    """Returns how many changed."""
    predicted = predictions.predict(fitted.models, customer_ids)
    return profiles.save_scores(
        list(COLUMNS),
        _SELECT,
        {
            **_moment(),
            **rfm.parameters(fitted.cuts),
            "has_cuts": fitted.cuts is not None,
            "usual_hours": fitted.hours,
            "people": list(customer_ids),
            "bought": predicted.customers.tolist(),
            "alive": _known(predicted.alive),
            "orders": _known(predicted.orders),
            "value": _known(predicted.value),
            "risk": _known(predicted.risk),
        },
        announce=announce,
    )


def _known(values: np.ndarray) -> list[float | None]:
    return [None if each != each else each for each in np.round(values, 6).tolist()]


def _usual_hours() -> list[float]:
    """Of all opens, the part in each hour of the reader's day."""
    with connection.cursor() as cursor:
        cursor.execute(f"WITH {facts.HOURS} {facts.USUAL_HOURS}".replace("{of}", "true"), _moment())
        hours: list[float] = cursor.fetchone()[0]
    return hours


def _moment() -> dict[str, Any]:
    return {"now": timezone.now(), "zone": settings.TIME_ZONE}
