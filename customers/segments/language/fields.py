"""Fields of a customer that rules can compare, by type, and the operators of each type."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db.models import DateField, Expression, F, Func, IntegerField, Q, TextField, Value
from django.db.models.functions import Concat, NullIf, Trim
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from customers import clean
from customers.models import Customer
from customers.models.consent import ADDRESS_FIELDS
from customers.segments.lookups import comparisons
from customers.segments.lookups.json_values import value_of
from customers.segments.lookups.list_fields import (
    InSegment,
    Interested,
    Members,
    Purchased,
    Reachable,
    Tagged,
)


class FieldType(StrEnum):
    TEXT = "text"
    CHOICE = "choice"
    NUMBER = "number"
    MONEY = "money"
    INTEGER = "integer"
    DATE = "date"
    LIST = "list"
    ID = "id"
    ANY = "any"


NUMERIC = ("=", "!=", ">", ">=", "<", "<=", "between")
TEXTUAL = ("=", "!=", "contains", "not_contains", "starts_with", "ends_with", "in", "not_in")
RELATIVE = ("in_last_days", "inactive_days", "anniversary_in_days")
TEMPORAL = ("before", "after", "on", "between", *RELATIVE)
LISTED = ("contains", "contains_any", "contains_all", "contains_none")
ALIKE = ("=", "!=", "in", "not_in")
PRESENCE = ("is_set", "is_not_set")

OPERATORS: dict[FieldType, tuple[str, ...]] = {
    FieldType.TEXT: TEXTUAL + PRESENCE,
    FieldType.CHOICE: TEXTUAL + PRESENCE,
    FieldType.NUMBER: NUMERIC + PRESENCE,
    FieldType.MONEY: NUMERIC + PRESENCE,
    FieldType.INTEGER: NUMERIC + PRESENCE,
    FieldType.DATE: TEMPORAL + PRESENCE,
    FieldType.LIST: LISTED + PRESENCE,
    FieldType.ID: ALIKE + PRESENCE,
    FieldType.ANY: tuple(dict.fromkeys(NUMERIC + TEXTUAL + TEMPORAL + LISTED + PRESENCE)),
}

POSITIVE_OF: dict[str, str] = {
    "!=": "=",
    "not_contains": "contains",
    "not_in": "in",
    "contains_none": "contains_any",
    "is_not_set": "is_set",
}
"""A negative operator matches exactly the customers its positive one does not, so also customers without a value."""

ATTRIBUTE = "attributes."
"""`attributes.income` is the free attribute "income"."""


@dataclass(frozen=True)
class Field:
    """A field: its name, its type and where its value comes from.

    `expression` returns the SQL expression as of a moment (NULL for no value); without one the field is the customer's column of
    that name. A list has `members` instead. `clean` turns a given text into the one that rules store, or raises ValueError, and
    `stored` turns that one into the column's value. `compare` returns a condition that is quicker than one on the expression.
    `is_day` marks calendar dates, as opposed to points in time.
    """

    name: str
    type: FieldType
    label: str | Promise
    synonyms: tuple[str, ...] = ()
    expression: Callable[[datetime], Expression | F] | None = None
    members: Members | None = None
    choices: Mapping[str, str | Promise] = field(default_factory=dict)
    clean: Callable[[str], str] | None = None
    stored: Callable[[str], object] | None = None
    compare: Callable[[str, Any, datetime], Q] | None = None
    is_day: bool = False

    def at(self, now: datetime) -> Expression | F:
        return self.expression(now) if self.expression else F(self.name)

    @property
    def attribute(self) -> str:
        """Return the key of a free attribute, or "" for a registered field."""
        return self.name.removeprefix(ATTRIBUTE) if self.name.startswith(ATTRIBUTE) else ""


_fields: dict[str, Field] = {}
_names: dict[str, str] = {}


def register(*fields: Field) -> None:
    """Add fields to the rule language, by their names and synonyms."""
    for each in fields:
        _fields[each.name] = each
        _names.update({_folded(name): each.name for name in (each.name, *each.synonyms)})


def find(name: str) -> Field | None:
    """Return the field of a name or synonym, in any case (`totalSpends` is `total_spend`), or None."""
    if name.startswith(ATTRIBUTE) and len(name) > len(ATTRIBUTE):
        return free(name, "attributes", name.removeprefix(ATTRIBUTE))
    return _fields.get(_names.get(_folded(name), ""))


def free(name: str, column: str, key: str) -> Field:
    """Return a key of a JSON column as a field: its values decide its type."""
    return Field(
        name, FieldType.ANY, key.replace("_", " "), expression=lambda now: value_of(column, key)
    )


def closest(name: str) -> str:
    """Return the known name that `name` is probably a misspelling of, or ""."""
    near = difflib.get_close_matches(_folded(name), _names, n=1, cutoff=0.75)
    return _names[near[0]] if near else ""


def known() -> list[Field]:
    """Return all registered fields, in the order of their registration."""
    return list(_fields.values())


def _folded(name: str) -> str:
    return re.sub(r"[\W_]", "", name.casefold())


def _full_name(now: datetime) -> Expression:
    joined = Concat("first_name", Value(" "), "last_name", output_field=TextField())
    return NullIf(Trim(joined), Value(""), output_field=TextField())


def _profile(name: str) -> Callable[[datetime], Expression | F]:
    return lambda now: F(f"profile__{name}")


def _age(now: datetime) -> Expression:
    today = Value(
        timezone.localdate(now, timezone.get_default_timezone()), output_field=DateField()
    )
    return Func(
        today,
        F("date_of_birth"),
        template="EXTRACT(YEAR FROM age(%(expressions)s))",
        output_field=IntegerField(),
    )


def _is_aged(operator: str, years: Any, now: datetime) -> Q:
    today = timezone.localdate(now, timezone.get_default_timezone())
    return comparisons.years_since(F("date_of_birth"), operator, years, today)


register(
    Field("email", FieldType.TEXT, _("e-mail")),
    Field("first_name", FieldType.TEXT, _("first name")),
    Field("last_name", FieldType.TEXT, _("last name")),
    Field("name", FieldType.TEXT, _("name"), expression=_full_name),
    Field("phone", FieldType.TEXT, _("phone")),
    Field("city", FieldType.TEXT, _("city")),
    Field("region", FieldType.TEXT, _("region")),
    Field("country", FieldType.TEXT, _("country"), clean=clean.country),
    Field("language", FieldType.TEXT, _("language")),
    Field("timezone", FieldType.TEXT, _("time zone")),
    Field("external_id", FieldType.TEXT, _("external id")),
    Field("source", FieldType.TEXT, _("source")),
    Field(
        "lifecycle_status",
        FieldType.CHOICE,
        _("lifecycle status"),
        choices=dict(Customer.Lifecycle.choices),
    ),
    Field(
        "total_spend",
        FieldType.MONEY,
        _("total spend"),
        synonyms=("total_spends", "total_spent"),
    ),
    Field("average_order_value", FieldType.MONEY, _("average order value")),
    Field("order_count", FieldType.INTEGER, _("orders"), synonyms=("orders", "total_purchases")),
    Field("visit_count", FieldType.INTEGER, _("visits"), synonyms=("visits",)),
    Field("age", FieldType.INTEGER, _("age"), expression=_age, compare=_is_aged),
    Field("date_of_birth", FieldType.DATE, _("date of birth"), is_day=True),
    Field("registered_at", FieldType.DATE, _("registration date")),
    Field(
        "last_order_at",
        FieldType.DATE,
        _("last order"),
        synonyms=("last_order", "last_purchase_date"),
    ),
    Field("last_visit_at", FieldType.DATE, _("last visit"), synonyms=("last_visit",)),
    Field("last_interaction_at", FieldType.DATE, _("last interaction")),
    Field("tags", FieldType.LIST, _("tags"), members=Tagged()),
    Field(
        "purchased_categories",
        FieldType.LIST,
        _("purchased categories"),
        members=Purchased("product__category"),
    ),
    Field(
        "purchased_products",
        FieldType.LIST,
        _("purchased products"),
        members=Purchased("product__name", "product__sku", "name"),
    ),
    Field(
        "subscribed",
        FieldType.LIST,
        _("subscribed"),
        members=Reachable(),
        choices={channel: channel.label for channel in ADDRESS_FIELDS},
    ),
    Field("interests", FieldType.LIST, _("interests"), members=Interested()),
    Field("segment", FieldType.LIST, _("segment"), members=InSegment()),
)

_FROM_PROFILES: tuple[tuple[str, FieldType, str | Promise, tuple[str, ...]], ...] = (
    ("lifetime_value", FieldType.MONEY, _("lifetime value"), ("customer_lifetime_value",)),
    ("engagement_score", FieldType.NUMBER, _("engagement"), ()),
    ("churn_risk", FieldType.NUMBER, _("churn risk"), ("churn_risk_score",)),
    ("satisfaction", FieldType.NUMBER, _("satisfaction"), ("satisfaction_score",)),
    ("recency_score", FieldType.INTEGER, _("recency score"), ()),
    ("frequency_score", FieldType.INTEGER, _("frequency score"), ()),
    ("monetary_score", FieldType.INTEGER, _("monetary score"), ()),
    ("rfm_segment", FieldType.TEXT, _("RFM segment"), ()),
    (
        "preferred_channel",
        FieldType.TEXT,
        _("preferred channel"),
        ("preferred_marketing_channel",),
    ),
    ("best_hour", FieldType.INTEGER, _("best send time (hour)"), ()),
    ("favourite_category", FieldType.TEXT, _("favourite category"), ("favorite_category",)),
    ("favourite_brand", FieldType.TEXT, _("favourite brand"), ("favorite_brand",)),
    (
        "most_viewed_category",
        FieldType.TEXT,
        _("most viewed category"),
        ("most_viewed_product_category",),
    ),
    ("last_interaction_type", FieldType.TEXT, _("type of the last interaction"), ()),
    ("seconds_on_site", FieldType.INTEGER, _("seconds on the site"), ()),
    (
        "average_time_on_site",
        FieldType.NUMBER,
        _("average seconds per visit"),
        ("average_time_spent_on_site",),
    ),
    ("response_rate", FieldType.NUMBER, _("response rate"), ("campaign_response_rate",)),
    ("alive_probability", FieldType.NUMBER, _("probability of being a customer"), ()),
    ("expected_orders", FieldType.NUMBER, _("expected orders"), ()),
)
register(
    *(
        Field(name, held, label, synonyms, expression=_profile(name))
        for name, held, label, synonyms in _FROM_PROFILES
    )
)
