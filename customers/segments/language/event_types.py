"""Event types that rules can use: their properties, and the tables of their rows."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import (
    CharField,
    DecimalField,
    ExpressionWrapper,
    F,
    Func,
    QuerySet,
    TextField,
    Value,
)
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, NullIf
from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from crm.api import ids
from customers.models import Interaction, Order
from customers.segments.language import fields
from customers.segments.language.fields import Field, FieldType
from customers.segments.language.values import LONGEST_TEXT, storable
from customers.segments.lookups import json_values
from customers.timeline import types

LONGEST_NAME = 100
_NAME = re.compile(r"[^\W_][\w .:/$-]*")
TIMES = Field("count", FieldType.INTEGER, _("a number of times"))
TIME = "occurred_at"
"""The time of an event as a property, for what `within_days` cannot express, such as a calendar month."""
MOST_TYPES = 200
SAMPLE_OF_A_TYPE = 200


@dataclass(frozen=True)
class EventTable:
    """A table of events: its rows, their time, and for events with parts the properties of a part."""

    all: Callable[[], QuerySet[Any]]
    when: str
    json: str = ""
    parts: frozenset[str] = frozenset()
    whole_of: tuple[tuple[str, Combinable], ...] = ()

    def of_part(self, name: str) -> bool:
        return name in self.parts


@dataclass(frozen=True)
class EventType:
    """A type of event. `properties` are the known ones; on the timeline rules can use any other, too."""

    name: str
    label: str | Promise
    rows: EventTable
    properties: tuple[Field, ...] = ()
    corrected_by: str = ""
    """The type of events that correct its sums."""

    def find(self, name: str) -> Field | None:
        """Return a property by its name; None if the event cannot have it."""
        name = name.strip()
        if name == TIME:
            return Field(TIME, FieldType.DATE, _now("time"), expression=_column(self.rows.when))
        for each in self.properties:
            if each.name == name:
                return each
        if not self.rows.json or not name or len(name) > LONGEST_TEXT or not storable(name):
            return None
        return fields.free(name, self.rows.json, name)


def known() -> list[EventType]:
    """Return the event types that the product itself records."""
    return list(_known.values())


def find(name: str) -> EventType | None:
    """Return the event type of a name: a known one, or a custom one, perhaps without events yet; None if it is no name."""
    name = name.strip()
    if name in _known:
        return _known[name]
    if len(name) > LONGEST_NAME or not _NAME.fullmatch(name):
        return None
    return EventType(name, name.replace("_", " "), TIMELINE)


def figure(summed: Field | None) -> Field:
    """Return the figure of an event rule as a field: the number of events, or the sum of a property."""
    if summed is None:
        return TIMES
    held = FieldType.MONEY if summed.type is FieldType.MONEY else FieldType.NUMBER
    return Field(summed.name, held, _now("a sum of %s") % summed.label)


def in_use() -> list[EventType]:
    """Return the known types, then the custom types in the data, each with the properties of its newest events."""
    found = known()
    for name in types_on_the_timeline():
        if name not in _known and (event := find(name)):
            properties = tuple(each for key in keys_in_use(name) if (each := event.find(key)))
            found.append(EventType(event.name, event.label, event.rows, properties))
    return found


def types_on_the_timeline() -> list[str]:
    """Return the distinct types, by one step in the index for each."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH RECURSIVE found(type) AS (
                (SELECT type FROM customers_interaction ORDER BY type LIMIT 1)
                UNION ALL
                SELECT (SELECT type FROM customers_interaction WHERE type > found.type ORDER BY type LIMIT 1)
                FROM found WHERE found.type IS NOT NULL
            )
            SELECT type FROM found WHERE type IS NOT NULL LIMIT %s
            """,
            [MOST_TYPES],
        )
        return [row[0] for row in cursor.fetchall()]


def keys_in_use(type: str) -> list[str]:
    """Return the keys of the properties of the newest events of a type on the timeline, in alphabetical order."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT DISTINCT key FROM (
                SELECT properties FROM customers_interaction
                WHERE type = %s AND jsonb_typeof(properties) = 'object' ORDER BY occurred_at DESC LIMIT %s
            ) newest, jsonb_object_keys(properties) AS key
            ORDER BY key
            """,
            [type, SAMPLE_OF_A_TYPE],
        )
        return [row[0] for row in cursor.fetchall()]


def _column(path: str) -> Callable[[datetime], F]:
    return lambda now: F(path)


def _title(now: datetime) -> Func:
    product = NullIf(F("lines__product__name"), Value(""))
    given = NullIf(F("lines__name"), Value(""))
    return Coalesce(product, given, F("lines__product__sku"), output_field=TextField())


def _text(key: str) -> Callable[[datetime], Func]:
    return lambda now: Func(
        F("properties"),
        Value(key),
        function="jsonb_extract_path_text",
        output_field=CharField(),
    )


def _number(key: str) -> Callable[[datetime], Func]:
    return lambda now: json_values.amount(json_values.value_of("properties", key))


def _campaign(text: str) -> str:
    pk = int(text) if text.isdecimal() and len(text) < 19 else ids.decode("cmp", text)
    if pk is None:
        raise ValueError(_now("“%s” is no campaign's id, such as cmp_Uk5oVvVO.") % text[:60])
    return ids.encode("cmp", pk)


_OF_A_LINE = ExpressionWrapper(
    (F("lines__amount") - F("lines__refunded")) * F("rate"),
    DecimalField(max_digits=20, decimal_places=2),
)
ORDERS = EventTable(
    Order.objects.money,  # with refunds of unknown orders, which lower sums
    when="placed_at",
    parts=frozenset({"product", "sku", "category", "brand", "quantity"}),
    whole_of=(("amount", _OF_A_LINE),),
)
TIMELINE = EventTable(Interaction.objects.all, when="occurred_at", json="properties")

_CHANNEL = Field("channel", FieldType.TEXT, _("channel"), expression=_text("channel"))
_CAMPAIGN = Field(
    "campaign",
    FieldType.ID,
    _("campaign"),
    expression=_column("campaign_id"),
    clean=_campaign,
    stored=lambda text: ids.decode("cmp", text),
)
_LINK = Field("link", FieldType.TEXT, _("link"), expression=_text("link"))
_MESSAGE = (_CAMPAIGN, _CHANNEL)
_TAKEN_BACK = (
    Field("amount", FieldType.MONEY, _("amount"), expression=_number("net")),
    Field("order", FieldType.TEXT, _("order id"), expression=_text("order")),
    Field("store", FieldType.TEXT, _("store"), expression=_text("store")),
)
_REVENUE = Field("revenue", FieldType.MONEY, _("revenue"), expression=_number("revenue"))

_known = {
    each.name: each
    for each in (
        EventType(
            types.ORDER_PLACED,
            _("order"),
            ORDERS,
            (
                Field("amount", FieldType.MONEY, _("amount"), expression=_column("net")),
                Field("product", FieldType.TEXT, _("product"), expression=_title),
                Field("sku", FieldType.TEXT, _("SKU"), expression=_column("lines__product__sku")),
                Field(
                    "category",
                    FieldType.TEXT,
                    _("category"),
                    expression=_column("lines__product__category"),
                ),
                Field(
                    "brand", FieldType.TEXT, _("brand"), expression=_column("lines__product__brand")
                ),
                Field(
                    "quantity",
                    FieldType.NUMBER,
                    _("quantity"),
                    expression=_column("lines__quantity"),
                ),
                Field("store", FieldType.TEXT, _("store")),
                Field("order", FieldType.TEXT, _("order id"), expression=_column("external_id")),
            ),
        ),
        EventType(types.ORDER_REFUNDED, _("refund"), TIMELINE, _TAKEN_BACK),
        EventType(types.ORDER_CANCELLED, _("cancelled order"), TIMELINE, _TAKEN_BACK),
        EventType(
            types.PAGE_VIEWED,
            _("page view"),
            TIMELINE,
            (
                Field("url", FieldType.TEXT, _("address"), expression=_text("url")),
                Field("path", FieldType.TEXT, _("path"), expression=_text("path")),
                Field("title", FieldType.TEXT, _("title"), expression=_text("title")),
            ),
        ),
        EventType(types.MESSAGE_SENT, _("message sent"), TIMELINE, _MESSAGE),
        EventType(types.MESSAGE_DELIVERED, _("message delivered"), TIMELINE, _MESSAGE),
        EventType(types.MESSAGE_OPENED, _("message opened"), TIMELINE, _MESSAGE),
        EventType(types.MESSAGE_CLICKED, _("message clicked"), TIMELINE, (*_MESSAGE, _LINK)),
        EventType(
            types.MESSAGE_CONVERTED,
            _("purchase after a message"),
            TIMELINE,
            (*_MESSAGE, _REVENUE),
            corrected_by=types.MESSAGE_REVALUED,
        ),
        EventType(types.MESSAGE_BOUNCED, _("message bounced"), TIMELINE, _MESSAGE),
        EventType(types.MESSAGE_COMPLAINED, _("message reported as spam"), TIMELINE, _MESSAGE),
        EventType(
            types.MESSAGE_OPENED_BY_MACHINE,
            _("message opened by a bot"),
            TIMELINE,
            _MESSAGE,
        ),
        EventType(
            types.MESSAGE_CLICKED_BY_MACHINE,
            _("message clicked by a bot"),
            TIMELINE,
            (*_MESSAGE, _LINK),
        ),
        EventType(types.UNSUBSCRIBED, _("unsubscribe"), TIMELINE, (*_MESSAGE, _LINK)),
        EventType(
            types.SERVICE_CONTACT,
            _("contact with service"),
            TIMELINE,
            (
                Field("type", FieldType.TEXT, _("type"), expression=_text("type")),
                Field(
                    "satisfaction",
                    FieldType.NUMBER,
                    _("satisfaction"),
                    expression=_number("satisfaction"),
                ),
            ),
        ),
    )
}
