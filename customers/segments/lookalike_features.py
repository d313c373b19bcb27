"""Features of customers for lookalikes, read in one query."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from django.db import connection
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

BEHAVIOUR_DAYS = 180

NUMBERS: dict[str, str | Promise] = {
    "spend": _("total spend"),
    "orders": _("orders"),
    "average": _("average order value"),
    "days_since_order": _("days since the last order"),
    "visits": _("visits"),
    "days_since_visit": _("days since the last visit"),
    "days_known": _("days since registration"),
    "age": _("age"),
    "engagement": _("engagement"),
    "satisfaction": _("satisfaction"),
    "opened": _("messages opened in half a year"),
    "clicked": _("messages clicked in half a year"),
    "viewed": _("pages viewed in half a year"),
}
"""Amounts; the model compares their logarithm: the tenth order says more than the hundredth."""

WORDS: dict[str, str | Promise] = {
    "country": _("country"),
    "city": _("city"),
    "language": _("language"),
    "source": _("source"),
    "rfm": _("RFM segment"),
    "channel": _("preferred channel"),
    "interest": _("interest"),
    "category": _("bought from"),
}
"""Texts and lists of texts: each value is a feature that a customer has or has not."""

_COLUMNS = (*NUMBERS, *WORDS)
_SQL = f"""
    SELECT customer.id,
           customer.total_spend::float, customer.order_count, customer.average_order_value::float,
           EXTRACT(EPOCH FROM now() - customer.last_order_at)::float / 86400,
           customer.visit_count,
           EXTRACT(EPOCH FROM now() - customer.last_visit_at)::float / 86400,
           EXTRACT(EPOCH FROM now() - customer.registered_at)::float / 86400,
           EXTRACT(YEAR FROM age(customer.date_of_birth))::float,
           profile.engagement_score, profile.satisfaction,
           coalesce(did.opened, 0), coalesce(did.clicked, 0), coalesce(did.viewed, 0),
           customer.country, customer.city, customer.language, customer.source,
           profile.rfm_segment, profile.preferred_channel,
           interested.names, bought.names
    FROM customers_customer customer
    LEFT JOIN customers_customerprofile profile ON profile.customer_id = customer.id
    LEFT JOIN (
        SELECT customer_id,
               count(*) FILTER (WHERE type = 'message_opened') AS opened,
               count(*) FILTER (WHERE type = 'message_clicked') AS clicked,
               count(*) FILTER (WHERE type = 'page_viewed') AS viewed
        FROM customers_interaction
        WHERE customer_id = ANY(%(ids)s) AND type IN ('message_opened', 'message_clicked', 'page_viewed')
          AND occurred_at > now() - interval '{BEHAVIOUR_DAYS} days'
        GROUP BY customer_id
    ) did ON did.customer_id = customer.id
    LEFT JOIN (
        SELECT customer_id, array_agg(DISTINCT category) AS names
        FROM customers_customerinterest WHERE customer_id = ANY(%(ids)s) GROUP BY customer_id
    ) interested ON interested.customer_id = customer.id
    LEFT JOIN (
        SELECT placed.customer_id, array_agg(DISTINCT product.category) AS names
        FROM customers_order placed
        JOIN customers_orderline line ON line.order_id = placed.id
        JOIN customers_product product ON product.id = line.product_id
        WHERE placed.customer_id = ANY(%(ids)s) AND placed.kind = 'order' AND product.category <> ''
        GROUP BY placed.customer_id
    ) bought ON bought.customer_id = customer.id
    WHERE customer.id = ANY(%(ids)s)
"""


class CustomerFeatures(NamedTuple):
    """Features by name: `orders` is the logarithm of a number, `country=FR` is 1.0 if it holds."""

    pk: int
    features: dict[str, float]


def features_of(ids: Sequence[int]) -> Iterator[CustomerFeatures]:
    """Yield the features of customers by key, in no order. Runs one query."""
    with connection.cursor() as cursor:
        cursor.execute(_SQL, {"ids": list(ids)})
        for pk, *values in cursor:
            yield CustomerFeatures(pk, _features(dict(zip(_COLUMNS, values, strict=True))))


def label(feature: str) -> str:
    """Return the label of a feature: "orders", "country: FR", "days since the last order: none"."""
    name, _equals, value = feature.partition("=")
    known = str(NUMBERS.get(name) or WORDS[name])
    return f"{known}: {value}" if value else known


def _features(row: dict[str, Any]) -> dict[str, float]:
    found: dict[str, float] = {}
    for name in NUMBERS:
        value = row[name]
        found[name if value is not None else f"{name}={_unknown()}"] = (
            math.log1p(max(value, 0)) if value is not None else 1.0
        )
    for name in WORDS:
        values = row[name] if isinstance(row[name], list) else [row[name]]
        found.update({f"{name}={value}": 1.0 for value in values if value})
    return found


def _unknown() -> str:
    return "none"
