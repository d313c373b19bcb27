"""Profiles worked out anew: of everyone at night, with models fitted first; of those to whom something happened, all day, with the
models and quintiles of the night."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
from django.conf import settings
from django.core.cache import cache
from django.db import connection, transaction
from django.utils import timezone

from analytics.commerce import as_of
from analytics.models import ModelRun
from analytics.people import facts, predictions, rfm
from analytics.people.predictions import Models, Predictions
from analytics.people.rfm import Cuts
from customers import profiles
from customers.models import Customer

GROWN = 1.2
AT_ONCE = 20_000
"""People whose profiles are worked out as they change; where more change at once, everyone's are, a little later."""

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
    scores AS (
        SELECT customer.id AS customer_id, {", ".join(f"{rfm.score(name)} AS {name}" for name in rfm.FIGURES)}
        FROM customers_customer customer WHERE %(has_cuts)s AND {rfm.HAS_BOUGHT} AND {{customer}}
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
    LEFT JOIN analytics_predicted predicted ON predicted.customer_id = customer.id
    LEFT JOIN LATERAL (
        SELECT type FROM customers_interaction interaction WHERE interaction.customer_id = customer.id
        ORDER BY occurred_at DESC LIMIT 1
    ) AS newest ON true
    WHERE {{customer}}
"""
_PREDICTED = """
    DROP TABLE IF EXISTS pg_temp.analytics_predicted;
    CREATE TEMPORARY TABLE analytics_predicted
        (customer_id bigint, alive float8, orders float8, value float8, risk float8) ON COMMIT DROP
"""


def rebuild() -> int:
    """Fit the models and work out everyone's profile; returns how many changed."""
    cache.delete(_ASKED)
    until = as_of()
    cuts = rfm.find_cuts()
    runs = [*predictions.fit(until), _run_of_quintiles(cuts, until), _run_of_hours(until)]
    ModelRun.objects.bulk_create(runs)
    return _save(Models.of(runs, until), cuts, runs[-1].parameters["hours"], None)


def refresh(customer_ids: Sequence[int]) -> int:
    """Work out the profiles of these customers with what was fitted last; returns how many changed."""
    if not customer_ids:
        return 0
    newest = {kind: ModelRun.objects.filter(kind=kind).first() for kind in ModelRun.Kind.values}
    runs = {kind: run for kind, run in newest.items() if run and run.parameters}
    quintiles, timing = runs.get(ModelRun.Kind.RFM), runs.get(ModelRun.Kind.TIMING)
    return _save(
        Models.of(runs.values(), as_of()),
        Cuts.read(quintiles.parameters) if quintiles else None,
        timing.parameters["hours"] if timing else [0.0] * 24,
        customer_ids,
    )


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


def _save(
    models: Models, cuts: Cuts | None, hours: list[float], customer_ids: Sequence[int] | None
) -> int:
    predicted = predictions.predict(models, customer_ids)
    everyone = customer_ids is None
    select = _SELECT.replace("{customer}", "true" if everyone else "customer.id = ANY(%(people)s)")
    with transaction.atomic():
        _keep_for_now(predicted)
        return profiles.save_scores(
            list(COLUMNS),
            select.replace("{of}", "true" if everyone else "customer_id = ANY(%(people)s)"),
            {
                **_moment(),
                **rfm.parameters(cuts),
                "has_cuts": cuts is not None,
                "usual_hours": hours,
                "people": list(customer_ids or ()),
            },
        )


def _keep_for_now(predicted: Predictions) -> None:
    """Predictions as a table that goes with the transaction, so that all columns are written in one statement."""
    columns = (
        predicted.customers.tolist(),
        *(_known(each) for each in (predicted.alive, predicted.orders, predicted.value, predicted.risk)),
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_PREDICTED)
        with cursor.copy("COPY analytics_predicted FROM STDIN") as copy:
            for row in zip(*columns, strict=True):
                copy.write_row(row)
        cursor.execute("ANALYZE analytics_predicted")


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
