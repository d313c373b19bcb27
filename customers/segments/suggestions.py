"""Suggest values for rules from the data, the most frequent first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from babel import Locale
from django.db import connection
from django.db.models import Count, F, Q, QuerySet
from django.utils.translation import get_language, ngettext, to_locale

from crm import masking
from crm.adminkit.display import people
from crm.statement_timeout import QueryTimeout, statement_timeout
from customers.models import Customer, Product, Segment
from customers.segments.language import event_types, personal
from customers.segments.language.fields import ATTRIBUTE, find
from customers.timeline import types

MOST_SUGGESTIONS = 20
ROWS_READ = 20_000
TIMEOUT_MS = 800

_OF_PRODUCTS = {"product": "name", "sku": "sku", "category": "category", "brand": "brand"}


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A value of a rule, its label, and a hint such as its frequency."""

    value: str
    label: str
    hint: str = ""


_providers: dict[str, Callable[[str], list[Suggestion]]] = {}


def suggest_values(name: str, containing: str) -> list[Suggestion]:
    """Return values of a field that contain a text; for "attributes." the names of free attributes. None after a timeout."""
    field = find(name)
    if masking.is_on() and field and personal.is_personal(field):
        return []
    try:
        with statement_timeout(TIMEOUT_MS):
            if name == ATTRIBUTE:
                return _frequent("jsonb_object_keys(attributes)", [], containing)
            if field is None or field.choices:
                return []
            if field.attribute:
                return _frequent("attributes ->> %s", [field.attribute], containing)
            return _of_registry(field.name, containing)
    except QueryTimeout:
        return []


def suggest_property_values(event: str, name: str, containing: str) -> list[Suggestion]:
    """Return values of a property of an event type that contain a text."""
    found = event_types.find(event)
    if masking.is_on() and (found is None or personal.is_personal_property(found, name)):
        return []
    try:
        with statement_timeout(TIMEOUT_MS):
            if name in _providers:
                return _providers[name](containing)
            if event == types.ORDER_PLACED and name in _OF_PRODUCTS:
                return _products(_OF_PRODUCTS[name], containing)
            return _frequent(
                "properties ->> %s",
                [name],
                containing,
                source="(SELECT * FROM customers_interaction WHERE type = %s)",
                source_parameters=[event],
            )
    except QueryTimeout:
        return []


def register_suggestions(name: str, provider: Callable[[str], list[Suggestion]]) -> None:
    """Add a function of an app above that returns suggestions for an event property, such as campaigns."""
    _providers[name] = provider


def _of_registry(name: str, containing: str) -> list[Suggestion]:
    if name == "segment":
        return _segments(containing)
    if name == "country":
        return _countries(containing)
    if name in {"purchased_categories", "interests", "favourite_category"}:
        return _products("category", containing)
    if name == "favourite_brand":
        return _products("brand", containing)
    if name == "purchased_products":
        return _products("name", containing)
    column = {each.name: each for each in Customer._meta.concrete_fields}.get(name)
    if column is None or column.get_internal_type() not in {"CharField", "TextField", "ArrayField"}:
        return []
    quoted = connection.ops.quote_name(column.attname)
    return _frequent(
        f"unnest({quoted})" if column.get_internal_type() == "ArrayField" else quoted,
        [],
        containing,
    )


def _frequent(
    expression: str,
    parameters: list[str],
    containing: str,
    *,
    source: str = "customers_customer",
    source_parameters: list[str] | None = None,
) -> list[Suggestion]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT value, count(*)
            FROM (
                SELECT value FROM (SELECT {expression} AS value FROM {source} AS looked_at) AS every
                WHERE value <> '' AND strpos(lower(value), lower(%s)) > 0
                LIMIT %s
            ) AS found
            GROUP BY value ORDER BY count(*) DESC, value LIMIT %s
            """,
            [*parameters, *(source_parameters or []), containing, ROWS_READ, MOST_SUGGESTIONS],
        )
        return [Suggestion(value, value, people(times)) for value, times in cursor.fetchall()]


def _segments(containing: str) -> list[Suggestion]:
    found = Segment.objects.filter(Q(name__icontains=containing) | Q(slug__icontains=containing))
    return [
        Suggestion(
            segment.slug,
            segment.name,
            ngettext("%s person", "%s people", segment.size) % people(segment.size),
        )
        for segment in found[:MOST_SUGGESTIONS]
    ]


def _countries(containing: str) -> list[Suggestion]:
    names = Locale.parse(to_locale(get_language() or "en")).territories
    wanted = containing.lower()
    counted = _frequent("country", [], "")
    called = [
        Suggestion(each.value, names.get(each.value, each.value), each.hint) for each in counted
    ]
    return [each for each in called if wanted in each.label.lower() or wanted == each.value.lower()]


def _products(column: str, containing: str) -> list[Suggestion]:
    found: QuerySet[Product, tuple[str, int]] = (
        Product.objects.filter(**{f"{column}__icontains": containing})
        .exclude(**{column: ""})
        .values_list(column)
        .annotate(times=Count("pk"))
        .order_by("-times", F(column))[:MOST_SUGGESTIONS]
    )
    return [Suggestion(value, value) for value, _times in found]
