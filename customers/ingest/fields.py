"""The fields that columns of a file can map to, and how each is cleaned."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, time
from functools import lru_cache, partial
from itertools import repeat
from typing import Any, NamedTuple

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from customers import clean
from customers.clean import dates, is_null, numbers
from customers.ingest import consent_words, order_words, service_words
from customers.ingest.column_formats import IDS, ColumnFormat
from customers.models import Customer, CustomerInterest
from customers.models.consent import Channel

ATTRIBUTE = "attributes."
"""`attributes.income` stores a column among the free attributes, under that name."""
ATTRIBUTES = "attributes"
"""The field of a column of whole objects of attributes."""

REMEMBERED = 65_536
LONGEST_TOPIC = 100

_NUMBERS = (clean.amount, clean.any_amount, clean.quantity, clean.count, clean.score)

_CAMEL = re.compile(r"([a-z0-9])([A-Z])")
_NOT_WORDS = re.compile(r"[\W_]+")
_ACCENTS = re.compile("[\u0300-\u036f]")
_MARKS = {
    "✓": "yes",
    "✔": "yes",
    "☑": "yes",
    "✅": "yes",
    "✗": "no",
    "✘": "no",
    "☐": "no",
    "❌": "no",
}
_DASHES = re.compile(r"[\s\-\u2010-\u2015.,;|/\[\]{}\"']*")
_WHOLE = re.compile(r"^([01])[.,]0+$")
_AROUND_WHOLE = re.compile(r"^\s*'|[.,]0+\s*$")
_EPOCH = re.compile(r"\d{10}|\d{13}")
_LIST_MARKS = str.maketrans({**dict.fromkeys(";|", ","), **dict.fromkeys("[]{}\"'", " ")})


class Text:
    """Cleans text of at most `longest` characters."""

    def __init__(self, longest: int) -> None:
        self.longest = longest

    def __call__(self, value: object) -> str:
        return clean.text(value, longest=self.longest)

    def clean_column(self, cells: Sequence[str]) -> list[str | None]:
        if max(map(len, cells)) <= self.longest and "".join(cells).isprintable():
            return [cell.strip() or None for cell in cells]
        return [None if is_empty(cell) else self(cell) or None for cell in cells]


class Code(Text):
    """Cleans ids of things; a rounded number is invalid. In a column of `are_whole`, `17850.0` and `'17850` are 17850."""

    def __init__(self, longest: int, *, are_whole: bool = False) -> None:
        super().__init__(longest)
        self.are_whole = are_whole

    def __call__(self, value: object) -> str:
        return clean.code(self._plain(value), longest=self.longest)

    def clean_column(self, cells: Sequence[str]) -> list[str | None]:
        if self.are_whole or self._has_invalid(cells):
            return [None if is_empty(cell) else self(cell) or None for cell in cells]
        return super().clean_column(cells)

    def _plain(self, value: object) -> object:
        return _AROUND_WHOLE.sub("", value) if self.are_whole and isinstance(value, str) else value

    def _has_invalid(self, cells: Sequence[str]) -> bool:
        return any("+" in cell and clean.is_rounded(cell) for cell in cells)


class Identifier(Code):
    """Cleans ids of customers; a placeholder is invalid."""

    def __call__(self, value: object) -> str:
        return clean.identifier(self._plain(value), longest=self.longest)

    def _has_invalid(self, cells: Sequence[str]) -> bool:
        return any(map(clean.is_placeholder, filter(None, set(cells))))


class NameOfCustomer(Identifier):
    """Cleans an external id, a public id or an e-mail address, whose domain becomes ASCII."""

    def __call__(self, value: object) -> str:
        name = super().__call__(value)
        return clean.comparable(name) if "@" in name and not name.isascii() else name

    def clean_column(self, cells: Sequence[str]) -> list[str | None]:
        if all(map(str.isascii, cells)):
            return super().clean_column(cells)
        return [None if is_empty(cell) else self(cell) or None for cell in cells]


class Field:
    """A field: its label, its cleaner, and the names of columns that probably mean it.

    In a file, an invalid cell of a field that `rejects` rejects its row; others become an attribute of the row.
    """

    def __init__(
        self,
        label: str | Promise,
        clean: Callable[..., Any],
        synonyms: tuple[str, ...] = (),
        *,
        rejects: bool = False,
    ) -> None:
        self.label = label
        self.synonyms = synonyms
        self.rejects = rejects
        self._clean = clean
        self._clean_text = _remembering(clean)
        self._write_text = lru_cache(maxsize=REMEMBERED)(lambda text: _written(clean(text)))

    def clean(self, value: object) -> Any:
        """Return the cleaned value, or None; raises ValueError. Results for text are cached, because sources repeat themselves."""
        try:
            return self._clean_text(value) if type(value) is str else self._clean(value)
        except ValueError as error:
            if is_null(value) and not (isinstance(error, clean.Placeholder) and _is_word(value)):
                return None
            raise

    def clean_column(self, cells: Sequence[str]) -> list[Any]:
        """Clean many cells, None for empty ones. Raises ValueError for an invalid cell."""
        if isinstance(self._clean, Text):
            return self._clean.clean_column(cells)
        clean = self._clean_text
        try:
            return [clean(cell) if cell and not cell.isspace() else None for cell in cells]
        except ValueError:  # perhaps a cell that stands for no value
            return [self.clean(cell) if cell and not cell.isspace() else None for cell in cells]

    def write_column(self, cells: Sequence[str], empty: str = "") -> list[str]:
        """Return what clean_column() returns, as text for COPY. Raises ValueError for an amount of another currency, which text loses."""
        if isinstance(self._clean, Text):
            return [cell or empty for cell in self._clean.clean_column(cells)]
        write = self._write_text
        try:
            return [write(cell) if cell and not cell.isspace() else empty for cell in cells]
        except ValueError:
            return [
                empty if value is None else _written(value) for value in self.clean_column(cells)
            ]

    def read_as(self, how: ColumnFormat) -> Field:
        """Return the same field for a column that writes its values in this format."""
        if self._clean in DATED and how.dates:
            return self._with(partial(self._clean, order=how.dates))
        if self._clean in _NUMBERS and how.decimal_sign:
            return self._with(partial(self._clean, decimal_sign=how.decimal_sign))
        if isinstance(self._clean, Code) and how.ids:
            return self._with(type(self._clean)(self._clean.longest, are_whole=True))
        if self._clean is _attribute and how.type:
            return self._with(partial(_attribute, how=how))
        return self

    @property
    def format_parts(self) -> tuple[str, ...]:
        """Return the parts of a ColumnFormat that decide how the field is read."""
        if self._clean is _attribute:
            return ("dates", "decimal_sign", "type")
        if isinstance(self._clean, Code):
            return IDS
        return ("dates",) * (self._clean in DATED) + ("decimal_sign",) * (self._clean in _NUMBERS)

    def _with(self, clean: Callable[..., Any]) -> Field:
        return Field(self.label, clean, self.synonyms, rejects=self.rejects)


def _remembering(clean: Callable[..., Any]) -> Callable[[str], Any]:
    """Return the cleaner with a memory of its results; those of dates hold for the order in which they were read."""
    remembered = lru_cache(maxsize=REMEMBERED)(clean)
    if clean in DATED:
        stated = dates.STATED_ORDER
        return lambda text: remembered(text, order=stated.get() or settings.DATE_ORDER)
    return remembered


class Refused(ValueError):
    """A row that cannot be written; `field` is the invalid one, or empty for the whole row."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field

    def __str__(self) -> str:
        message = super().__str__()
        return f"{self.field}: {message}" if self.field else message


class UnclearDates(Refused):
    """No date of `columns` shows whether its day or its month comes first, and no setting states it."""

    def __init__(self, columns: str) -> None:
        self.columns = columns
        said = _("No date of %s shows whether its day or its month comes first.") % columns
        super().__init__(f"{said} {_('Choose day_first or month_first.')}", "dates")

    def asked(self, choices: str) -> str:
        """Return the question with the label of the list that answers it."""
        said = _("No date of %s shows whether its day or its month comes first.") % self.columns
        return f"{said} {_('Choose what “%s”.') % choices}"


class Statement(NamedTuple):
    """A statement of a cell about consent: wanted or not, its time, and whether it reports an opt-out; None states nothing."""

    wanted: bool | None
    at: datetime | None = None
    is_opt_out: bool = False


def words_of(text: str) -> str:
    """Return the words of a header or cell: `HasOptedOut_ofEmail` → `has opted out of email`."""
    spaced = _CAMEL.sub(r"\1 \2", text)
    plain = unicodedata.normalize("NFKD", spaced.casefold())
    return _NOT_WORDS.sub(" ", _ACCENTS.sub("", plain)).strip()


_SAYS_NOTHING = Statement(None)


def clean_wants(value: object, order: str = "") -> Statement:
    """Read a cell of a column that states a consent: yes, no, a status or the date of the consent. Raises ValueError."""
    return _stated(value, order, yes=Statement(True), no=Statement(False), dated=True)


def clean_refuses(value: object, order: str = "") -> Statement:
    """Read a cell of a column that states an opt-out: yes, no, a reason or its date. Raises ValueError."""
    opted_out = Statement(False, is_opt_out=True)
    return _stated(value, order, yes=opted_out, no=_SAYS_NOTHING, dated=False)


def clean_stated_at(value: object, order: str = "") -> datetime | None:
    """Return the past time in a cell; None for any other cell, which then dates nothing. Raises AmbiguousDate."""
    written = clean.text(value, longest=64)
    try:
        at = _epoch(written) if _EPOCH.fullmatch(written) else clean.moment(written, order)
    except dates.AmbiguousDate:
        raise
    except ValueError:
        return None
    return at if at <= datetime.now(UTC) else None


def _epoch(written: str) -> datetime:
    """Return a time from seconds or milliseconds since 1970."""
    return datetime.fromtimestamp(int(written[:10]), UTC)


def clean_wishes(value: object) -> dict[tuple[str, str], Statement]:
    """Read `email, sms:offers, -push` or `{"email": true, "sms:offers": false}` as (channel, topic) → statement.

    An empty topic means the whole channel. Raises ValueError.
    """
    if isinstance(value, Mapping):
        return {
            _channel_and_topic(str(key)): Statement(clean.boolean(wanted))
            for key, wanted in value.items()
        }
    return {
        _channel_and_topic(key.removeprefix("-")): Statement(not key.startswith("-"))
        for key in _listed(value)
    }


def clean_opt_outs(value: object) -> dict[tuple[str, str], Statement]:
    """Read a list of channels and topics out of which a customer opted: `email, sms:offers`. Raises ValueError."""
    return {_channel_and_topic(key): Statement(False) for key in _listed(value)}


def _listed(value: object) -> list[str]:
    if isinstance(value, list | tuple):
        value = ",".join(map(str, value))
    words = clean.text(value, longest=2_000).translate(_LIST_MARKS).split(",")
    return [key for word in words if (key := word.strip())]


def _stated(value: object, order: str, *, yes: Statement, no: Statement, dated: bool) -> Statement:
    if isinstance(value, list | tuple):
        value = ",".join(map(str, value))
    written = clean.text(value, longest=2_000)
    word = words_of(_WHOLE.sub(r"\1", written)) or _MARKS.get(written.strip("\ufe0f"), written)
    if _DASHES.fullmatch(word):
        return _SAYS_NOTHING
    for words, said in (
        (consent_words.NOTHING, _SAYS_NOTHING),
        (consent_words.YES, yes),
        (consent_words.NO, no),
        (consent_words.OPTED_OUT, Statement(False, is_opt_out=True)),
        (consent_words.OPTED_IN, Statement(True) if dated else _SAYS_NOTHING),
        (consent_words.NOT_YET, Statement(False)),
    ):
        if word in words:
            return said
    if (
        any(map(str.isdigit, written))
        and len(written) <= 64
        and (at := clean_stated_at(written, order))
    ):
        return yes._replace(at=at)
    parts = _listed(written)
    if len(parts) > 1 or (parts and parts[0] != written):
        each = [_stated(part, order, yes=yes, no=no, dated=dated) for part in parts]
        return min(
            each, key=lambda said: (said.wanted is None, bool(said.wanted), not said.is_opt_out)
        )
    raise ValueError(
        gettext("“%s” is no answer to the question whether the customer wants messages.")
        % written[:60]
    )


DATED = (clean.moment, clean.day, clean_wants, clean_refuses, clean_stated_at)
"""The cleaners of dates, which get the order of day and month in their column."""


def _channel_and_topic(key: str) -> tuple[str, str]:
    channel, _colon, topic = (part.strip().lower() for part in key.partition(":"))
    if channel not in Channel.values:
        raise ValueError(
            gettext("“%(given)s” is not a channel. Use one of %(known)s.")
            % {"given": channel[:50], "known": ", ".join(Channel.values)}
        )
    return channel, topic[:LONGEST_TOPIC]


OF_CUSTOMER = Field(
    _("Customer: external id or e-mail"),
    NameOfCustomer(320),
    (
        "customer",
        "household_id",
        "user_id",
        "client_id",
        "member_id",
        "email",
        "external_customer_id",
        "customer_email",
        "buyer_email",
    ),
    rejects=True,
)
WHEN = Field(
    _("When"),
    clean.moment,
    (
        "date",
        "timestamp",
        "time",
        "created_at",
        "at",
        "event_time",
        "visited_at",
        "visit_date",
        "interaction_date",
    ),
    rejects=True,
)

CUSTOMER: dict[str, Field] = {
    "external_id": Field(
        _("External id"),
        Identifier(200),
        ("id", "customer", "customer_id", "user_id", "household_id", "client_id", "member_id"),
        rejects=True,
    ),
    "email": Field(_("E-mail"), clean.email, ("email_address", "mail"), rejects=True),
    "phone": Field(_("Phone"), Text(64), ("phone_number", "mobile", "cell", "tel", "telephone")),
    "name": Field(_("Full name"), Text(400), ("full_name", "customer_name")),
    "first_name": Field(_("First name"), Text(200), ("given_name", "forename")),
    "last_name": Field(_("Last name"), Text(200), ("surname", "family_name")),
    "date_of_birth": Field(_("Date of birth"), clean.day, ("dob", "birthday", "birth_date")),
    "city": Field(_("City"), Text(200), ("town",)),
    "region": Field(_("Region"), Text(200), ("state", "province")),
    "country": Field(_("Country"), clean.country, ("country_code",)),
    "language": Field(_("Language"), Text(20), ("lang", "locale")),
    "timezone": Field(_("Time zone"), clean.timezone, ("tz",)),
    "source": Field(_("Source"), Text(100), ("lead_source", "acquisition_source")),
    "lifecycle_status": Field(
        _("Lifecycle status"), clean.one_of(Customer.Lifecycle.values), ("lifecycle", "status")
    ),
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
    "subscribed": Field(_("Wants e-mail (yes, no or a status)"), clean_wants, rejects=True),
    "email_opt_out": Field(_("Wants no e-mail (yes, no or a date)"), clean_refuses, rejects=True),
    "email_opted_in_at": Field(_("Date of the opt-in to e-mail"), clean_stated_at),
    "email_consent_at": Field(_("Date of the consent or opt-out of e-mail"), clean_stated_at),
    "sms_subscribed": Field(_("Wants SMS (yes, no or a status)"), clean_wants, rejects=True),
    "sms_opt_out": Field(_("Wants no SMS (yes, no or a date)"), clean_refuses, rejects=True),
    "sms_opted_in_at": Field(_("Date of the opt-in to SMS"), clean_stated_at),
    "sms_consent_at": Field(_("Date of the consent or opt-out of SMS"), clean_stated_at),
    "whatsapp_subscribed": Field(
        _("Wants WhatsApp (yes, no or a status)"), clean_wants, rejects=True
    ),
    "whatsapp_opt_out": Field(
        _("Wants no WhatsApp (yes, no or a date)"), clean_refuses, rejects=True
    ),
    "push_subscribed": Field(_("Wants push (yes, no or a status)"), clean_wants, rejects=True),
    "push_opt_out": Field(_("Wants no push (yes, no or a date)"), clean_refuses, rejects=True),
    "do_not_contact": Field(
        _("Wants no messages at all (yes, no or a date)"), clean_refuses, rejects=True
    ),
    "consent": Field(
        _("Wants (email, sms:offers, -push)"),
        clean_wishes,
        ("consents", "permissions"),
        rejects=True,
    ),
    "opted_out": Field(_("Opted out of (email, sms:offers)"), clean_opt_outs, rejects=True),
}

WANTS, REFUSES, OPTED_IN_AT, STATED_AT, LISTED = (
    "wants", "refuses", "opted_in_at", "stated_at", "listed",
)  # fmt: skip
CONSENT: dict[str, tuple[tuple[Channel, ...], str]] = {
    "subscribed": ((Channel.EMAIL,), WANTS),
    "email_opt_out": ((Channel.EMAIL,), REFUSES),
    "email_opted_in_at": ((Channel.EMAIL,), OPTED_IN_AT),
    "email_consent_at": ((Channel.EMAIL,), STATED_AT),
    "sms_subscribed": ((Channel.SMS,), WANTS),
    "sms_opt_out": ((Channel.SMS,), REFUSES),
    "sms_opted_in_at": ((Channel.SMS,), OPTED_IN_AT),
    "sms_consent_at": ((Channel.SMS,), STATED_AT),
    "whatsapp_subscribed": ((Channel.WHATSAPP,), WANTS),
    "whatsapp_opt_out": ((Channel.WHATSAPP,), REFUSES),
    "push_subscribed": ((Channel.PUSH,), WANTS),
    "push_opt_out": ((Channel.PUSH,), REFUSES),
    "do_not_contact": (
        (Channel.EMAIL, Channel.SMS, Channel.WHATSAPP, Channel.PUSH), REFUSES,
    ),
    "consent": ((), LISTED),
    "opted_out": ((), LISTED),
}  # fmt: skip
"""The fields of consent: the channels they are about, and how they state it. Several columns may map to one of them."""

PRODUCT: dict[str, Field] = {
    "sku": Field(
        _("SKU"), Code(200), ("id", "product", "product_id", "item_id", "article"), rejects=True
    ),
    "name": Field(_("Name"), Text(300), ("product_name", "title", "description", "product_type")),
    "department": Field(_("Department"), Text(200)),
    "category": Field(_("Category"), Text(200), ("product_category",)),
    "brand": Field(_("Brand"), Text(200)),
    "price": Field(_("Price"), clean.amount, ("unit_price", "list_price")),
    "launch_date": Field(
        _("Launch date"), clean.day, ("launched", "launched_at", "release_date", "released_at")
    ),
}

ORDER: dict[str, Field] = {
    "order_id": Field(
        _("Order id"),
        Code(200),
        ("id", "basket_id", "order", "order_number", "transaction_id", "invoice", "invoice_no"),
        rejects=True,
    ),
    "customer_id": Field(
        _("Customer: external id or e-mail"),
        NameOfCustomer(320),
        (
            *("customer", "household_id", "user_id", "client_id", "member_id", "email"),
            *("external_id", "customer_email", "buyer_email", "billing_email"),
        ),
        rejects=True,
    ),
    "placed_at": Field(
        _("Placed"),
        clean.moment,
        (
            "order_date",
            "date",
            "invoice_date",
            "ordered_at",
            "created_at",
            "created_utc",
            "purchased_at",
            "purchase_date",
            "transaction_date",
            "transaction_timestamp",
        ),
        rejects=True,
    ),
    "store": Field(_("Store"), Text(100), ("store_id", "shop")),
    "currency": Field(_("Currency"), clean.currency, rejects=True),
    "sku": Field(
        _("SKU of the line"),
        Code(200),
        ("product_id", "product", "item_id", "article", "stock_code"),
    ),
    "name": Field(_("Name of the line"), Text(300), ("product_name", "item", "item_name")),
    "quantity": Field(_("Quantity of the line"), clean.quantity, ("qty", "units"), rejects=True),
    "amount": Field(
        _("Amount of the line"),
        clean.any_amount,
        ("sales_value", "line_amount", "line_total", "price", "total", "total_amount"),
        rejects=True,
    ),
    "unit_price": Field(
        _("Price of one unit of the line"),
        clean.any_amount,
        ("item_price", "price_each", "unit_cost"),
        rejects=True,
    ),
    "discount": Field(
        _("Discount of the line"),
        clean.any_amount,
        ("coupon_discount", "line_discount", "coupon_disc"),
        rejects=True,
    ),
    "order_amount": Field(
        _("Amount of the order"), clean.any_amount, ("order_total", "order_value"), rejects=True
    ),
    "status": Field(
        _("State: paid, refunded, cancelled, …"),
        order_words.order_state,
        ("financial_status", "order_status", "payment_status", "order_state", "state"),
        rejects=True,
    ),
    "type": Field(
        _("Type: order, refund, return or cancellation"),
        order_words.row_type,
        ("order_type", "transaction_type", "row_type", "record_type", "kind"),
        rejects=True,
    ),
    "refund_of": Field(
        _("Id of the order that the row refunds"),
        Code(200),
        (
            "refunded_order",
            "original_order",
            "original_order_id",
            "parent_order",
            "parent_order_id",
        ),
    ),
    "refunded": Field(
        _("Refunded part of the order"),
        clean.any_amount,
        (
            "refunded_amount",
            "amount_refunded",
            "refund_amount",
            "total_refunded",
            "order_refund_amount",
        ),
        rejects=True,
    ),
    "refunded_at": Field(_("Refunded on"), clean.moment, ("refund_date", "refunded_date")),
    "cancelled_at": Field(
        _("Cancelled on"), clean.moment, ("canceled_at", "cancelled_date", "cancellation_date")
    ),
}

SERVICE: dict[str, Field] = {
    "external_id": Field(
        _("Id in the source"),
        Code(200),
        ("id", "interaction_id", "ticket_id", "case_id"),
        rejects=True,
    ),
    "customer_id": OF_CUSTOMER,
    "type": Field(
        _("Type: complaint, inquiry or feedback"),
        service_words.ticket_type,
        ("kind", "interaction_type", "category"),
    ),
    "occurred_at": WHEN,
    "channel": Field(_("Channel"), Text(50)),
    "subject": Field(_("Subject"), Text(300), ("title", "topic")),
    "message": Field(
        _("Message"), Text(20_000), ("text", "description", "comment", "body", "notes")
    ),
    "sku": Field(_("SKU of the product"), Code(200), ("product_id", "product", "item_id")),
    "resolution": Field(_("Resolution"), Text(20_000), ("outcome", "resolution_status")),
    "resolved_at": Field(_("Resolved"), clean.moment, ("resolution_date", "closed_at")),
    "satisfaction": Field(
        _("Satisfaction, 1 to 5"), clean.satisfaction, ("satisfaction_score", "csat", "rating")
    ),
}

VISIT: dict[str, Field] = {
    "external_id": Field(
        _("Id in the source"), Code(200), ("id", "visit_id", "session_id"), rejects=True
    ),
    "customer_id": OF_CUSTOMER,
    "occurred_at": WHEN,
    "url": Field(_("Address"), Text(2000), ("page", "page_url", "landing_page", "path")),
    "title": Field(_("Title"), Text(300), ("page_title",)),
    "referrer": Field(_("Referrer"), Text(2000), ("referer", "source")),
    "device": Field(_("Device"), Text(100), ("device_type",)),
    "pages": Field(_("Pages"), clean.count, ("page_views", "pageviews", "pages_viewed")),
    "seconds": Field(
        _("Seconds"), clean.count, ("duration", "duration_seconds", "time_on_site", "time_spent")
    ),
}

EXCHANGE_RATE: dict[str, Field] = {
    "day": Field(_("Day"), clean.day, ("date", "time_period", "valid_on"), rejects=True),
    "base": Field(
        _("Base currency"),
        clean.currency,
        ("base_currency", "currency_denom", "from"),
        rejects=True,
    ),
    "currency": Field(
        _("Currency"),
        clean.currency,
        ("quote", "quote_currency", "currency_code", "to"),
        rejects=True,
    ),
    "rate": Field(
        _("Rate: units of the currency for one of the base"),
        Text(40),
        ("obs_value", "value", "exchange_rate"),
        rejects=True,
    ),
}

INTEREST: dict[str, Field] = {
    "customer_id": OF_CUSTOMER,
    "category": Field(
        _("Category"), Text(200), ("interest", "topic", "product_category"), rejects=True
    ),
    "score": Field(_("Score, 0 to 1"), clean.score, ("interest_score", "weight", "strength")),
    "source": Field(
        _("Source: stated, purchased or browsed"), clean.one_of(CustomerInterest.Source.values)
    ),
}

LEFT_OUT = "left_out"
"""The key of a cleaned row that names a value which was left out of it, as Refused."""
REJECTED_COLUMNS = ("rejected_line", "rejected_reason")
"""The columns that a file of rejected rows has in addition; ignored when the corrected file is imported."""


_OTHER_IDS = frozenset({"email", "phone"})
"""Fields that identify a customer whose external id is a placeholder."""


def clean_fields(
    given: Mapping[str, object],
    fields: Mapping[str, Field],
    unread: list[Refused] | None = None,
) -> dict[str, Any]:
    """Clean a row of fields, gathering free attributes; empty values are ignored.

    An invalid value raises Refused. With `unread`, that of a field which does not reject its row is added there, and becomes an attribute;
    then Refused names all values that do, a line each.
    A placeholder beside an e-mail or phone is left out, and added there or to the row under LEFT_OUT.
    """
    row: dict[str, Any] = {}
    left_out, invalid = None, list[Refused]()
    for name, value in given.items():
        if is_empty(value):
            continue
        field = fields.get(name, ANY)
        try:
            cleaned = clean.attributes(value) if name == ATTRIBUTES else field.clean(value)
        except ValueError as error:
            refused = Refused(str(error), name)
            if isinstance(error, clean.Placeholder) and not _OTHER_IDS.isdisjoint(fields):
                left_out = refused
                continue
            if unread is None:
                raise refused from error
            if field.rejects:
                invalid.append(refused)
                continue
            unread.append(refused)
            set_aside(row, name, value)
            continue
        if cleaned is None or cleaned in ("", {}):
            continue
        if name == ATTRIBUTES:
            row[ATTRIBUTES] = cleaned | row.get(ATTRIBUTES, {})
        elif name.startswith(ATTRIBUTE) or name not in fields:
            row.setdefault(ATTRIBUTES, {})[name.removeprefix(ATTRIBUTE)] = cleaned
        else:
            row[name] = cleaned
    if invalid:
        raise invalid[0] if len(invalid) == 1 else Refused("\n".join(map(str, invalid)))
    if left_out:
        if _OTHER_IDS.isdisjoint(row):
            raise left_out
        if unread is None:
            row[LEFT_OUT] = left_out
        else:
            unread.append(left_out)
    return row


def set_aside(row: dict[str, Any], name: str, value: object) -> None:
    """Store an invalid value among the attributes of its row, as far as it can be stored."""
    try:
        row.setdefault(ATTRIBUTES, {})[name.removeprefix(ATTRIBUTE)] = clean.attribute(value)
    except ValueError:
        return


def clean_columns(
    columns: Mapping[str, Sequence[str]], fields: Mapping[str, Field]
) -> list[dict[str, Any]]:
    """Do what clean_fields() does for many rows, given as columns of text with at least one field.

    Raises ValueError for an invalid cell.
    """
    known = {name: cells for name, cells in columns.items() if not _is_free(name, fields)}
    rows = _rows(known, [fields[name].clean_column(cells) for name, cells in known.items()])
    if free := {name: cells for name, cells in columns.items() if _is_free(name, fields)}:
        for row, attributes in zip(rows, clean_attributes(free, fields), strict=True):
            if attributes:
                row[ATTRIBUTES] = attributes
    return rows


def clean_attributes(
    columns: Mapping[str, Sequence[str]], fields: Mapping[str, Field]
) -> list[dict[str, Any]]:
    """Return the free attributes of many rows, from columns of text. Raises ValueError for an invalid cell."""
    single = {name: cells for name, cells in columns.items() if name != ATTRIBUTES}
    rows = _rows(
        [name.removeprefix(ATTRIBUTE) for name in single],
        [fields.get(name, ANY).clean_column(cells) for name, cells in single.items()],
    )
    if ATTRIBUTES not in columns:
        return rows
    objects = [{} if is_empty(cell) else clean.attributes(cell) for cell in columns[ATTRIBUTES]]
    return [given | row for given, row in zip(objects, rows or repeat({}), strict=False)]


def _written(value: object) -> str:
    if isinstance(value, clean.ForeignAmount):
        raise ValueError(value)
    return str(value)


def _is_word(value: object) -> bool:
    """Return whether a placeholder is more than a mark of no value, such as `NULL` or `-`."""
    return not clean.is_null_mark(value) and any(map(str.isalnum, str(value)))


def is_empty(value: object) -> bool:
    return value is None or value == "" or (isinstance(value, str) and value.isspace())


def _is_free(name: str, fields: Mapping[str, Field]) -> bool:
    return name not in fields or name.startswith(ATTRIBUTE)


def _rows(names: Iterable[str], columns: Sequence[Sequence[Any]]) -> list[dict[str, Any]]:
    names = tuple(names)
    return [
        {name: value for name, value in zip(names, row, strict=True) if value is not None}
        for row in zip(*columns, strict=True)
    ]


def _attribute(value: object, how: ColumnFormat = ColumnFormat()) -> Any:  # noqa: B008 immutable
    """Return a free attribute, None for a mark of no value; text of a column with a type becomes a value of that type."""
    if clean.is_null_mark(value):
        return None
    if how.type == "text" and isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    if how.type and isinstance(value, str):
        try:
            return _TYPED[how.type](value, how)
        except ValueError:
            return None if clean.is_null(value) else clean.attribute(value)
    return clean.attribute(value)


def _number(value: str, how: ColumnFormat) -> Any:
    sign = how.decimal_sign or "."
    if sign == "." and not isinstance(plain := clean.attribute(value), str):
        return plain
    found = numbers.read(clean.text(value), sign)
    return float(found) if sign in value else int(found)


def _iso_date(value: str, how: ColumnFormat) -> str:
    found = dates.read(clean.text(value), how.dates)
    has_clock = found.time() != time() or ":" in value
    return found.isoformat() if has_clock else found.date().isoformat()


_TYPED: dict[str, Callable[[str, ColumnFormat], Any]] = {
    "boolean": lambda value, how: clean.attribute(value),
    "date": _iso_date,
    "number": _number,
    "text": lambda value, how: clean.text(value, longest=clean.LONGEST_JSON),
}

ANY = Field(_("Attribute"), _attribute)
