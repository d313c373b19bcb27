"""What a rule can ask about a customer. A field is one entry here; apps above add theirs with `register`."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import DateField, Expression, F, Func, IntegerField, Q, TextField, Value
from django.db.models.functions import Concat, NullIf, Trim
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from customers.ingest import clean
from customers.models import Customer
from customers.models.consent import ADDRESS_FIELDS
from customers.segments.language.operators import Type
from customers.segments.sql import comparisons
from customers.segments.sql.json_values import value_of
from customers.segments.sql.list_fields import (
    InSegment,
    Interested,
    Members,
    Purchased,
    Reachable,
    Tagged,
)

ATTRIBUTE = "attributes."
"""`attributes.income` asks about the free attribute "income"."""


@dataclass(frozen=True)
class Field:
    """One field: how it is called, what it holds and where it comes from.

    `expression` gives the SQL expression as of a moment (NULL for no value); without one the field is the customer's column of
    that name. A list has `members` instead. `clean` turns a given text into the one that rules keep, or raises ValueError, and
    `stored` that one into what the column holds. `compare` makes the condition where there is a quicker one than on the
    expression. `is_day` marks dates of the calendar, as against points in time.
    """

    name: str
    type: Type
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
        """The key of a free attribute, or "" for a field of the registry."""
        return self.name.removeprefix(ATTRIBUTE) if self.name.startswith(ATTRIBUTE) else ""


_fields: dict[str, Field] = {}
_names: dict[str, str] = {}


def register(*fields: Field) -> None:
    """Make fields known to rules, by their names and synonyms."""
    for each in fields:
        _fields[each.name] = each
        _names.update({_folded(name): each.name for name in (each.name, *each.synonyms)})


def find(name: str) -> Field | None:
    """The field of that name or synonym, however it is cased (`totalSpends` is `total_spend`); None for an unknown one."""
    if name.startswith(ATTRIBUTE) and len(name) > len(ATTRIBUTE):
        return free(name, "attributes", name.removeprefix(ATTRIBUTE))
    return _fields.get(_names.get(_folded(name), ""))


def free(name: str, column: str, key: str) -> Field:
    """A key of a JSON column as a field: what type it has is seen from its values."""
    return Field(
        name, Type.ANY, key.replace("_", " "), expression=lambda now: value_of(column, key)
    )


def closest(name: str) -> str:
    """The known name that `name` is probably a slip of, or ""."""
    near = difflib.get_close_matches(_folded(name), _names, n=1, cutoff=0.75)
    return _names[near[0]] if near else ""


def known() -> list[Field]:
    """All fields of the registry, in the order in which they were made known."""
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
    Field("email", Type.TEXT, _("e-mail")),
    Field("first_name", Type.TEXT, _("first name")),
    Field("last_name", Type.TEXT, _("last name")),
    Field("name", Type.TEXT, _("name"), expression=_full_name),
    Field("phone", Type.TEXT, _("phone")),
    Field("city", Type.TEXT, _("city")),
    Field("region", Type.TEXT, _("region")),
    Field("country", Type.TEXT, _("country"), clean=clean.country),
    Field("language", Type.TEXT, _("language")),
    Field("timezone", Type.TEXT, _("time zone")),
    Field("external_id", Type.TEXT, _("external id")),
    Field("source", Type.TEXT, _("source")),
    Field(
        "lifecycle_status",
        Type.CHOICE,
        _("lifecycle status"),
        choices=dict(Customer.Lifecycle.choices),
    ),
    Field(
        "total_spend",
        Type.MONEY,
        _("total spend"),
        synonyms=("total_spends", "total_spent"),
    ),
    Field("average_order_value", Type.MONEY, _("average order value")),
    Field("order_count", Type.INTEGER, _("orders"), synonyms=("orders", "total_purchases")),
    Field("visit_count", Type.INTEGER, _("visits"), synonyms=("visits",)),
    Field("age", Type.INTEGER, _("age"), expression=_age, compare=_is_aged),
    Field("date_of_birth", Type.DATE, _("date of birth"), is_day=True),
    Field("registered_at", Type.DATE, _("registration date")),
    Field(
        "last_order_at", Type.DATE, _("last order"), synonyms=("last_order", "last_purchase_date")
    ),
    Field("last_visit_at", Type.DATE, _("last visit"), synonyms=("last_visit",)),
    Field("last_interaction_at", Type.DATE, _("last interaction")),
    Field("tags", Type.LIST, _("tags"), members=Tagged()),
    Field(
        "purchased_categories",
        Type.LIST,
        _("purchased categories"),
        members=Purchased("product__category"),
    ),
    Field(
        "purchased_products",
        Type.LIST,
        _("purchased products"),
        members=Purchased("product__name", "product__sku", "name"),
    ),
    Field(
        "subscribed",
        Type.LIST,
        _("subscribed"),
        members=Reachable(),
        choices={channel: channel.label for channel in ADDRESS_FIELDS},
    ),
    Field("interests", Type.LIST, _("interests"), members=Interested()),
    Field("segment", Type.LIST, _("segment"), members=InSegment()),
)

_KEPT_BY_ANALYTICS: tuple[tuple[str, Type, str | Promise], ...] = (
    ("lifetime_value", Type.MONEY, _("lifetime value")),
    ("engagement_score", Type.NUMBER, _("engagement")),
    ("churn_risk", Type.NUMBER, _("churn risk")),
    ("satisfaction", Type.NUMBER, _("satisfaction")),
    ("recency_score", Type.INTEGER, _("recency score")),
    ("frequency_score", Type.INTEGER, _("frequency score")),
    ("monetary_score", Type.INTEGER, _("monetary score")),
    ("rfm_segment", Type.TEXT, _("RFM segment")),
    ("preferred_channel", Type.TEXT, _("preferred channel")),
    ("favourite_category", Type.TEXT, _("favourite category")),
    ("favourite_brand", Type.TEXT, _("favourite brand")),
)
register(
    *(
        Field(name, held, label, expression=_profile(name))
        for name, held, label in _KEPT_BY_ANALYTICS
    )
)
