"""What the columns of a source can be, how each is cleaned, and which column is probably which field."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from customers.ingest import clean, consents

ATTRIBUTE = "attributes."
"""`attributes.income` keeps a column among the free attributes, under that name."""


REMEMBERED = 65_536


class Field:
    """A field of a source: its label, its cleaner, and the names of columns that probably mean it."""

    def __init__(
        self, label: str | Promise, clean: Callable[[object], Any], synonyms: tuple[str, ...] = ()
    ) -> None:
        self.label = label
        self.synonyms = synonyms
        self._clean = clean
        self._clean_text = lru_cache(maxsize=REMEMBERED)(clean)

    def clean(self, value: object) -> Any:
        """The value that is meant; ValueError for none. Text is remembered, because files say the same again and again."""
        return self._clean_text(value) if type(value) is str else self._clean(value)


class Refused(ValueError):
    """A row that cannot be taken; `field` is the culprit, or empty where it is the whole row."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field

    def __str__(self) -> str:
        message = super().__str__()
        return f"{self.field}: {message}" if self.field else message


def _line(longest: int) -> Callable[[object], str]:
    return lambda value: clean.text(value, longest=longest)


CUSTOMER: dict[str, Field] = {
    "external_id": Field(
        _("External id"),
        _line(200),
        ("id", "customer", "customer_id", "user_id", "household_id", "client_id", "member_id"),
    ),
    "email": Field(_("E-mail"), clean.email, ("email_address", "mail")),
    "phone": Field(_("Phone"), _line(64), ("phone_number", "mobile", "cell", "tel", "telephone")),
    "name": Field(_("Full name"), _line(400), ("full_name", "customer_name")),
    "first_name": Field(_("First name"), _line(200), ("given_name", "forename")),
    "last_name": Field(_("Last name"), _line(200), ("surname", "family_name")),
    "date_of_birth": Field(_("Date of birth"), clean.day, ("dob", "birthday", "birth_date")),
    "city": Field(_("City"), _line(200), ("town",)),
    "region": Field(_("Region"), _line(200), ("state", "province")),
    "country": Field(_("Country"), clean.country, ("country_code",)),
    "language": Field(_("Language"), _line(20), ("lang", "locale")),
    "timezone": Field(_("Time zone"), clean.timezone, ("tz",)),
    "source": Field(_("Source"), _line(100), ("lead_source", "acquisition_source")),
    "lifecycle_status": Field(_("Lifecycle status"), clean.lifecycle, ("lifecycle", "status")),
    "tags": Field(_("Tags"), clean.tags, ("tag", "labels")),
    "registered_at": Field(
        _("Registered"),
        clean.moment,
        ("registered", "registration_date", "created_at", "signup_date", "joined", "join_date"),
    ),
    "total_spend": Field(
        _("Total spend so far"),
        clean.amount,
        ("total_spends", "total_spent", "spend", "lifetime_value", "ltv"),
    ),
    "order_count": Field(
        _("Orders so far"), clean.count, ("orders", "total_orders", "number_of_orders")
    ),
    "visit_count": Field(_("Visits so far"), clean.count, ("visits", "total_visits")),
    "last_visit_at": Field(_("Last visit"), clean.moment, ("last_visit", "last_seen")),
    "subscribed": Field(
        _("Wants e-mail (yes or no)"),
        clean.boolean,
        ("email_opt_in", "opt_in", "newsletter", "accepts_marketing", "email_consent"),
    ),
    "email_opt_out": Field(
        _("Wants no e-mail (yes or no)"), clean.boolean, ("opt_out", "unsubscribed")
    ),
    "consent": Field(
        _("Wants (email, sms:offers, -push)"), consents.wishes, ("consents", "permissions")
    ),
}

PRODUCT: dict[str, Field] = {
    "sku": Field(_("SKU"), _line(200), ("id", "product", "product_id", "item_id", "article")),
    "name": Field(_("Name"), _line(300), ("product_name", "title", "description", "product_type")),
    "department": Field(_("Department"), _line(200)),
    "category": Field(_("Category"), _line(200), ("product_category",)),
    "brand": Field(_("Brand"), _line(200)),
    "price": Field(_("Price"), clean.amount, ("unit_price", "list_price")),
}

ORDER: dict[str, Field] = {
    "order_id": Field(
        _("Order id"), _line(200), ("id", "basket_id", "order", "order_number", "transaction_id")
    ),
    "customer_id": Field(
        _("Customer: external id or e-mail"),
        _line(320),
        ("customer", "household_id", "user_id", "client_id", "member_id", "email", "external_id"),
    ),
    "placed_at": Field(
        _("Placed"),
        clean.moment,
        ("order_date", "date", "ordered_at", "created_at", "purchased_at", "transaction_timestamp"),
    ),
    "store": Field(_("Store"), _line(100), ("store_id", "shop")),
    "currency": Field(_("Currency"), clean.currency),
    "sku": Field(_("SKU of the line"), _line(200), ("product_id", "product", "item_id", "article")),
    "name": Field(_("Name of the line"), _line(300), ("product_name", "item", "item_name")),
    "quantity": Field(_("Quantity of the line"), clean.quantity, ("qty", "units")),
    "amount": Field(
        _("Amount of the line"),
        clean.amount,
        ("sales_value", "line_amount", "line_total", "price", "total"),
    ),
    "discount": Field(
        _("Discount of the line"), clean.amount, ("coupon_discount", "line_discount", "coupon_disc")
    ),
    "order_amount": Field(_("Amount of the order"), clean.amount, ("order_total", "order_value")),
}

FIELDS: dict[str, dict[str, Field]] = {"customers": CUSTOMER, "products": PRODUCT, "orders": ORDER}

REJECTED_COLUMNS = ("rejected_line", "rejected_reason")
"""What a file of rejected rows has beside the columns of the file that they came from; ignored when it is mended and brought in."""

REQUIRED: dict[str, tuple[tuple[str, ...], ...]] = {
    "customers": (("external_id", "email"),),
    "products": (("sku",),),
    "orders": (("order_id",), ("customer_id",), ("placed_at",), ("amount", "order_amount")),
}
"""Of each group, a file must have at least one."""


def guess_mapping(kind: str, header: Iterable[str]) -> dict[str, str]:
    """Column → field by its name or a synonym, else → `attributes.` and the name. Each field is given once, in the header's order."""
    columns = list(header)
    mapping = dict.fromkeys(columns, "")
    free = set(FIELDS[kind])
    for names_of in (_own_name, _all_names):
        known = {name: field for field in FIELDS[kind] for name in names_of(kind, field)}
        for column in columns:
            field = known.get(_folded(column), "")
            if not mapping[column] and field in free:
                mapping[column] = field
                free.remove(field)
    return {
        column: field
        or ("" if column in REJECTED_COLUMNS else f"{ATTRIBUTE}{_attribute_name(column)}")
        for column, field in mapping.items()
    }


def check_mapping(kind: str, mapping: Mapping[str, str], header: Iterable[str]) -> None:
    """Raise Refused where the mapping names a column or field that there is not, a field twice, or lacks what the kind needs."""
    columns = set(header)
    given: dict[str, str] = {}
    for column, field in mapping.items():
        if column not in columns:
            raise Refused(str(_("The file has no column “%s”.") % column))
        if field and not field.startswith(ATTRIBUTE) and field not in FIELDS[kind]:
            known = ", ".join(FIELDS[kind])
            raise Refused(
                str(
                    _("There is no field “%(field)s”; known are %(known)s.")
                    % {"field": field, "known": known}
                )
            )
        if field and field in given:
            raise Refused(
                str(
                    _("Both “%(one)s” and “%(other)s” are mapped to %(field)s.")
                    % {"one": given[field], "other": column, "field": field}
                )
            )
        given[field] = column
    for group in REQUIRED[kind]:
        if not given.keys() & set(group):
            raise Refused(str(_("No column is mapped to %s.") % _(" or ").join(group)))


def _own_name(kind: str, field: str) -> list[str]:
    return [_folded(field)]


def _all_names(kind: str, field: str) -> list[str]:
    return [_folded(name) for name in (field, *FIELDS[kind][field].synonyms)]


def _folded(name: str) -> str:
    """`totalSpends`, `Total spends` and `total_spends` are one name."""
    return re.sub(r"[\W_]", "", name.casefold())


def _attribute_name(column: str) -> str:
    return re.sub(r"\W+", "_", column.strip()).strip("_").lower()[:100] or "column"
