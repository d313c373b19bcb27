"""Compute profiles: of all customers at night with newly fitted models, and of changed customers all day with those models.

A transaction writes at most CHUNK profiles: until it ends, no reader of events gets past it (crm.events.columns).
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Self

import numpy as np
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.utils import timezone

from analytics.days import as_of
from analytics.models import ModelRun, ProfileRebuild
from analytics.people import predictions, profile_sql, rfm
from analytics.people.predictions import Models
from analytics.people.rfm import Cuts
from crm import jobs
from crm.nudge import nudge
from customers import profiles
from customers.models import Customer

STALE_GROWTH = 1.2
MAX_UPDATED = 20_000
"""If more customers change at once, all profiles are rebuilt instead."""
CHUNK = 2_000
MAX_ANNOUNCED = 20_000
"""If a rebuild changes more profiles, segments wait for their next refresh."""

_REBUILD_REQUESTED = "analytics:profiles:rebuild"

COLUMNS: dict[str, str] = {
    "favourite_category": "coalesce(favourite.category, '')",
    "favourite_brand": "coalesce(favourite.brand, '')",
    "most_viewed_category": "coalesce(viewed.category, '')",
    "last_interaction_type": "coalesce(newest.type, '')",
    "seconds_on_site": "visited.seconds",
    "average_time_on_site": "visited.average",
    "satisfaction": "served.satisfaction",
    "response_rate": "answered.answers::float8 / nullif(answered.sent, 0)",
    "preferred_channel": "coalesce(answered.channel, '')",
    "best_hour": "best.hour",
    "engagement_score": f"round((100 * (1 - exp(-coalesce(engaged.points, 0) / {profile_sql.ENGAGED_AT})))::numeric, 1)::float8",
    "recency_score": "scores.recency",
    "frequency_score": "scores.frequency",
    "monetary_score": "scores.monetary",
    "rfm_segment": rfm.segment("scores.recency", "scores.frequency"),
    "lifetime_value": "customer.total_spend + round(coalesce(predicted.value, 0)::numeric, 2)",
    "expected_orders": "predicted.orders",
    "alive_probability": "predicted.alive",
    "churn_risk": "predicted.risk",
}
"""The columns of CustomerProfile that analytics writes, and the SQL of each."""

_PARTS = (
    profile_sql.FAVOURITE,
    profile_sql.VISITED,
    profile_sql.VIEWED,
    profile_sql.SERVED,
    profile_sql.ANSWERED,
    profile_sql.HOURS,
    profile_sql.BEST_HOUR,
    profile_sql.ENGAGED,
)
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
    WHERE customer.id = ANY(%(people)s) AND customer.erased_at IS NULL
""".replace("{of}", "customer_id = ANY(%(people)s)")


@dataclass(frozen=True, slots=True)
class Fitted:
    """The newest models; None and zeros without enough data."""

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
    """Start a rebuild of all profiles by the workers, unless one is under way; return it."""
    ProfileRebuild.objects.bulk_create([ProfileRebuild()], ignore_conflicts=True)
    rebuild = ProfileRebuild.objects.filter(finished_at=None).first()
    if rebuild:
        jobs.start(rebuild)
    return rebuild


def rebuild_in_turns(rebuild: ProfileRebuild, turn: jobs.Turn) -> bool:
    """Fit the models in the first turn, and compute the profiles of all customers, chunk by chunk (crm.jobs)."""
    if not rebuild.total:
        cache.delete(_REBUILD_REQUESTED)
        _fit()
        turn.save(total=Customer.objects.present().count())
    fitted = Fitted.newest()
    while people := _next(rebuild.position):
        rebuild.changed += _save(fitted, people, announce=rebuild.changed < MAX_ANNOUNCED)
        rebuild.position = people[-1]
        rebuild.done += len(people)
        turn.save(position=rebuild.position, done=rebuild.done, changed=rebuild.changed)
        if turn.is_over():
            return True
    nudge("analytics.tasks.refresh_dashboards")
    return False


def rebuild() -> int:
    """Rebuild all profiles in this process; return how many changed."""
    rebuild = start_rebuild()
    if rebuild is None:
        return 0
    jobs.run(rebuild)
    rebuild.refresh_from_db()
    return rebuild.changed


def refresh(customer_ids: Sequence[int]) -> int:
    """Recompute the profiles of these customers with the newest models; return how many changed."""
    return _save(Fitted.newest(), customer_ids) if customer_ids else 0


def follow(customer_ids: Sequence[int]) -> None:
    """Update the profiles of changed customers, or request a rebuild if there are more than MAX_UPDATED."""
    if len(customer_ids) > MAX_UPDATED:
        cache.set(_REBUILD_REQUESTED, True, timeout=None)
    else:
        refresh(customer_ids)


def is_stale() -> bool:
    """Return whether a rebuild was requested, or the number of buyers grew by STALE_GROWTH since the last one."""
    if cache.get(_REBUILD_REQUESTED):
        return True
    newest = ModelRun.objects.filter(kind=ModelRun.Kind.RFM).first()
    known = newest.customers if newest else 0
    return Customer.objects.present().filter(order_count__gt=0).count() > known * STALE_GROWTH


def _next(position: int) -> list[int]:
    after = Customer.objects.present().filter(pk__gt=position).order_by("pk")
    return list(after.values_list("pk", flat=True)[:CHUNK])


def _fit() -> None:
    until = as_of()
    ModelRun.objects.bulk_create(
        [
            *predictions.fit_models(until),
            _run_of_quintiles(rfm.find_cuts(), until),
            _run_of_hours(until),
        ]
    )


def _run_of_quintiles(cuts: Cuts | None, until: date) -> ModelRun:
    return ModelRun(
        kind=ModelRun.Kind.RFM,
        data_until=until,
        customers=Customer.objects.present().filter(order_count__gt=0).count(),
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
    """Return the fraction of all opens in each hour of the customer's day."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH {profile_sql.HOURS} {profile_sql.USUAL_HOURS}".replace("{of}", "true"), _moment()
        )
        hours: list[float] = cursor.fetchone()[0]
    return hours


def _moment() -> dict[str, Any]:
    return {"now": timezone.now(), "zone": settings.TIME_ZONE, "zones": _zones()}


@functools.cache
def _zones() -> list[str]:
    """Return the zones that the database knows; each time it lists them, it reads hundreds of files."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT array_agg(name) FROM pg_timezone_names")
        zones: list[str] = cursor.fetchone()[0]
    return zones
