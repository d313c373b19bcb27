"""Clean cells and JSON values: text, numbers, dates, addresses, as sources write them.

A cleaner takes text, a number or a boolean, returns the value, and raises ValueError with a sentence for
the sender. Slow cleaners cache their results, because sources repeat themselves.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Any, Self

import idna
import phonenumbers
from dateutil.relativedelta import relativedelta
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils import timezone as site_time
from django.utils.translation import gettext as _

from customers.clean import dates, numbers, places
from customers.clean.identifiers import NO_MAILBOX, NOTHING, PLACEHOLDERS, ROUNDED, TEMPLATE

LONGEST_JSON = 65_536
DEEPEST_JSON = 32
SMALLEST, LARGEST = date(1900, 1, 1), date(2200, 1, 1)
CENT = Decimal("0.01")
THOUSANDTH = Decimal("0.001")
MILLIONTH = Decimal("0.000001")
LARGEST_AMOUNT = Decimal(10) ** 10
LARGEST_COUNT = 1_000_000_000
LARGEST_EXACT = 2**53
"""Below it each whole number has a float of its own."""

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_SURROUNDING = " \t\r\n"
_INVISIBLE = "\u00a0\u00ad\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2068\u2069\ufeff "
"""What web pages and spreadsheets put around a copied address."""
_ZERO_DATE = re.compile(
    r"[0/.:\- T]*0[0/.:\- T]*Z?|0001-01-01[T ][0:.]+(?:Z| \+0000 UTC)?|0001-01-01"
)
"""A date that says there is none: of MySQL, PHP, Outlook, and the zero times of Go and .NET."""
_CANONICAL_NUMBER = re.compile(r"-?(0|[1-9]\d{0,14})(\.\d{1,6})?")
_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_PLAIN_EMAIL = re.compile(rf"[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*@(?:{_LABEL}\.)+[A-Za-z]{{2,63}}")
"""Matches nearly all addresses; Django's slower validator checks the others."""
_WIDE_AT = "\uff20"
_FLOAT_PHONE = re.compile(r"\+?\d{7,15}[.,]0")
_TAG_BREAK = re.compile(r"[,;|]| ::: ")

_BOOLEANS = {"true": True, "false": False}
_YES = frozenset({"true", "yes", "y", "1", "on", "t"})
_NO = frozenset({"false", "no", "n", "0", "off", "f"})
_NULL_WORDS = frozenset(
    (
        *("null", "\\n", "none", "nil", "n/a", "#n/a", "na", "nan", "undefined", "unknown"),
        *("-", "--", "–", "—", "?", "(null)", "<null>", "[null]", "(empty)"),
    )
)
_NULL_MARKS = frozenset(("\\N", "NULL", "null", "#N/A", "NaN", "nan", "(null)", "<null>", "[null]"))
"""Of the null words those that no text means."""


def text(value: object, *, longest: int = 200) -> str:
    """Strip text, of at most `longest` characters."""
    found = _as_text(value)
    if len(found) > longest:
        raise ValueError(
            _("is too long: %(length)d characters where %(longest)d are allowed.")
            % {"length": len(found), "longest": longest}
        )
    return found


def email(value: object) -> str:
    """Return an address in lower case, its domain in ASCII. Raises ValueError for invalid syntax and placeholders."""
    found = _email(text(value, longest=320))
    if is_placeholder_email(found):
        raise ValueError(_("“%s” stands for no id.") % _shown(found))
    return found


class Placeholder(ValueError):
    """An id that stands for none."""


def identifier(value: object, *, longest: int = 200) -> str:
    """Return an id. Raises Placeholder for one that stands for none, because it would make one customer of many."""
    found = text(value, longest=longest)
    if is_rounded(found):
        raise Placeholder(_rounded(found))
    if found and is_placeholder(found):
        raise Placeholder(_("“%s” stands for no id.") % _shown(found))
    return found


def code(value: object, *, longest: int = 200) -> str:
    """Return an id of a thing, such as a SKU. Raises ValueError for a rounded number."""
    found = text(value, longest=longest)
    if is_rounded(found):
        raise ValueError(_rounded(found))
    return found


def ascii_domain(domain: str) -> str:
    """Return a domain as the DNS has it: IDNA 2008 (RFC 5891), mapped by UTS 46, so that case, width and dots make no difference.

    Raises ValueError for a domain that cannot exist.
    """
    if domain.isascii() and "xn--" not in domain.lower():
        return domain.lower()
    return idna.encode(domain, uts46=True, transitional=False).decode().lower()


def comparable(address: str) -> str:
    """Return an address in the form in which addresses are stored and compared; an invalid one in lower case."""
    try:
        return _email(address.strip())
    except ValueError:
        return address.strip().lower()


def phone(value: object, country: str = "") -> str:
    """Return a number in E.164; without a leading + it is one of the country (ISO alpha-2), else of settings.PHONE_COUNTRY."""
    return _phone(text(value, longest=64), country or settings.PHONE_COUNTRY)


def country(value: object) -> str:
    """Return the ISO 3166-1 alpha-2 code, from a code or a name in English, its own or a common language."""
    return _country(text(value))


def moment(value: object, order: str = "") -> datetime:
    """Return a time in UTC, from ISO 8601 or as dates.read() reads it. The default zone is the site's, the default clock midnight."""
    found = _date(value, order)
    if found.tzinfo is None:
        found = found.replace(tzinfo=site_time.get_default_timezone())
    return found.astimezone(UTC)


def day(value: object, order: str = "") -> date:
    """Return the day of a birth as it is written, whatever its clock and zone, from the past."""
    found = _date(value, order).date()
    is_of_two_digits = re.search(r"\d{4}", str(value)) is None
    if is_of_two_digits and found > date.today():  # noqa: DTZ011 any zone does
        return found - relativedelta(years=100)
    return found


class ForeignAmount(Decimal):
    """Money of another currency than the site's, named by a mark next to the number."""

    currency: str

    def __new__(cls, number: Decimal, currency: str) -> Self:
        made = super().__new__(cls, number)
        made.currency = currency
        return made


def amount(value: object, decimal_sign: str = "") -> Decimal:
    """Return money of the site's currency, rounded half up to cents, from `1,234.50`, `1.234,50`, `$12` or `2.220446e-16`."""
    found = any_amount(value, decimal_sign)
    if isinstance(found, ForeignAmount):
        raise ValueError(
            _("“%(amount)s” is in %(currency)s, and this site counts in %(site)s.")
            % {"amount": _shown(value), "currency": found.currency, "site": settings.CURRENCY}
        )
    return found


def any_amount(value: object, decimal_sign: str = "") -> Decimal:
    """Return money as amount() does, and of another currency as a ForeignAmount."""
    found = _decimal(value, CENT, decimal_sign)
    if not isinstance(value, str) or _CANONICAL_NUMBER.fullmatch(value):
        return found
    try:
        currencies = numbers.currencies_of(text(value))
    except ValueError:
        raise ValueError(_("“%s” has an unknown mark of a currency.") % _shown(value)) from None
    if not currencies or settings.CURRENCY in currencies:
        return found
    if len(currencies) > 1:
        raise ValueError(
            _("“%(amount)s” may be in %(currencies)s. Give the currency by its code.")
            % {"amount": _shown(value), "currencies": ", ".join(currencies)}
        )
    return ForeignAmount(found, currencies[0])


def quantity(value: object, decimal_sign: str = "") -> Decimal:
    """Return a number rounded half up to thousandths."""
    return _decimal(value, THOUSANDTH, decimal_sign)


def count(value: object, decimal_sign: str = "") -> int:
    """Return a whole number from 0."""
    found = _decimal(value, THOUSANDTH, decimal_sign)
    if found != found.to_integral_value() or not 0 <= found <= LARGEST_COUNT:
        raise ValueError(_("“%s” is not a whole number from 0.") % _shown(value))
    return int(found)


def score(value: object, decimal_sign: str = "") -> float:
    """Return a number from 0 to 1."""
    found = _decimal(value, MILLIONTH, decimal_sign)
    if not 0 <= found <= 1:
        raise ValueError(_("“%s” is not a number from 0 to 1.") % _shown(value))
    return float(found)


def satisfaction(value: object) -> int:
    """Return a whole number from 1 to 5."""
    found = count(value)
    if not 1 <= found <= 5:
        raise ValueError(_("“%s” is not from 1 to 5.") % _shown(value))
    return found


def one_of(known: Sequence[str]) -> Callable[[object], str]:
    """Return a cleaner for words of a closed list, in any case."""

    def word(value: object) -> str:
        found = text(value).lower()
        if found not in known:
            raise ValueError(
                _("“%(value)s” must be one of %(known)s.")
                % {"value": _shown(value), "known": ", ".join(known)}
            )
        return found

    return word


def boolean(value: object) -> bool:
    word = text(value, longest=64).lower()
    if word in _YES:
        return True
    if word in _NO:
        return False
    raise ValueError(_("“%s” is neither yes nor no.") % _shown(value))


def tags(value: object) -> list[str]:
    """Return unique words of a list, or of text: a JSON list, or words with commas, semicolons or bars between them, perhaps in quotes."""
    parts = value if isinstance(value, list | tuple) else _tags_in(_as_text(value))
    return list(dict.fromkeys(found for part in parts if (found := text(part, longest=100))))


def timezone(value: object) -> str:
    """Return the IANA name of a time zone, from that name or the one that Windows, Rails or HubSpot has for it."""
    name = text(value, longest=100)
    found = places.timezone(name)
    if name and not found:
        raise ValueError(_("“%s” is not a time zone such as Europe/Berlin.") % _shown(value))
    return found


def currency(value: object) -> str:
    code = text(value, longest=64).upper()
    if not re.fullmatch("[A-Z]{3}", code):
        raise ValueError(_("“%s” is not a currency code such as EUR.") % _shown(value))
    return code


def attribute(value: object) -> Any:
    """Return a JSON value. Text that is exactly a number, `true` or `false` becomes that value, so that rules can compare it."""
    if isinstance(value, str):
        found = text(value, longest=LONGEST_JSON)
        if _CANONICAL_NUMBER.fullmatch(found):
            return float(found) if "." in found else int(found)
        return _BOOLEANS.get(found.lower(), found) if len(found) < 6 else found
    if _is_deeper(value, DEEPEST_JSON):
        raise ValueError(_("is nested too deeply."))
    try:
        written = json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    except (TypeError, ValueError):
        raise ValueError(_("is not a value that JSON can hold.")) from None
    if len(written) > LONGEST_JSON:
        raise ValueError(_("is too big."))
    if rb"\u0000" in written:
        raise ValueError(_("holds a NUL character."))
    return value


def attributes(value: object) -> dict[str, Any]:
    """Return a JSON object of free attributes. One that is written as text keeps the types of its values."""
    is_text = isinstance(value, str)
    if is_text:
        try:
            value = json.loads(text(value, longest=LONGEST_JSON))
        except (ValueError, RecursionError):
            value = None
    if not isinstance(value, Mapping):
        raise ValueError(_("must be an object of names and values."))
    return {
        text(name): text(part, longest=LONGEST_JSON)
        if is_text and isinstance(part, str)
        else attribute(part)
        for name, part in value.items()
    }


def is_placeholder(value: str) -> bool:
    """Return whether an id stands for none: `undefined`, `guest`, `0`, in any case, a tag not filled in, or a rounded number."""
    return (
        value.strip(" \t\r\n\"'").casefold() in PLACEHOLDERS
        or NOTHING.fullmatch(value) is not None
        or TEMPLATE.fullmatch(value) is not None
        or is_rounded(value)
    )


def is_rounded(value: str) -> bool:
    """Return whether an id is a number as spreadsheets round it, `1.23457E+11`: other ids look the same."""
    return ROUNDED.fullmatch(value.strip()) is not None


def is_placeholder_email(address: str) -> bool:
    """Return whether an address stands for none, as `undefined@undefined.com` and `noemail@noemail.com` do."""
    mailbox, _at, host = address.casefold().rpartition("@")
    label = host.partition(".")[0]
    words = PLACEHOLDERS | NO_MAILBOX
    return mailbox in words and (label in words or label == mailbox)


def is_null(value: object) -> bool:
    """Return whether a cell of a typed field stands for a missing value: empty, a null word, or a zero date."""
    if not isinstance(value, str):
        return value is None or value != value  # NaN
    written = value.strip()
    return (
        not written or written.lower() in _NULL_WORDS or _ZERO_DATE.fullmatch(written) is not None
    )


def is_null_mark(value: object) -> bool:
    """Return whether an attribute says that there is no value, by a mark that no text means."""
    return isinstance(value, str) and value.strip() in _NULL_MARKS


def _tags_in(written: str) -> Iterable[object]:
    if written.startswith("["):
        try:
            found = json.loads(written)
        except (ValueError, RecursionError):
            found = None
        if isinstance(found, list):
            return found
    if '"' in written:
        return next(csv.reader([_TAG_BREAK.sub(",", written)], skipinitialspace=True), [])
    return _TAG_BREAK.split(written)


def _is_deeper(value: object, levels: int) -> bool:
    parts: Iterable[object]
    match value:
        case Mapping():
            parts = value.values()
        case list() | tuple():
            parts = value
        case _:
            return False
    return levels == 0 or any(_is_deeper(part, levels - 1) for part in parts)


def _as_text(value: object) -> str:
    if isinstance(value, str):
        if not value.isprintable() and _UNSTORABLE.search(value):
            raise ValueError(_("holds characters that cannot be stored."))
        return value.strip(_SURROUNDING)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < LARGEST_EXACT:
        return str(int(value))
    if isinstance(value, int | float | Decimal | date):
        try:
            return str(value)
        except ValueError:  # an integer of thousands of digits
            raise ValueError(_("is too long.")) from None
    raise ValueError(_("must be text or a number."))


def _email(address: str) -> str:
    if _PLAIN_EMAIL.fullmatch(address) and "xn--" not in (lower := address.lower()):
        return lower
    local, at, domain = address.strip(_INVISIBLE).replace(_WIDE_AT, "@").rpartition("@")
    if at and not local.isascii():
        raise ValueError(
            _(
                "“%s” has letters outside ASCII before the @, which few mail servers accept. Use another address."
            )
            % _shown(address)
        )
    try:
        plain = f"{local}{at}{ascii_domain(domain)}"
        validate_email(plain)
    except (ValidationError, ValueError):
        raise ValueError(_("“%s” is not an e-mail address.") % _shown(address)) from None
    return plain.lower()


@lru_cache(maxsize=4096)
def _phone(number: str, country: str) -> str:
    if number.startswith("00"):
        number = f"+{number[2:]}"
    if _FLOAT_PHONE.fullmatch(number):
        number = number[:-2]
    try:
        parsed = phonenumbers.parse(number, country or None)
    except phonenumbers.NumberParseException:
        parsed = None
    if with_code := _with_code(number, country):
        parsed = with_code
    if parsed is None or not phonenumbers.is_possible_number(parsed):
        hint = (
            ""
            if country or number.startswith("+")
            else _(" Write it with + and the country's code.")
        )
        raise ValueError(_("“%s” is not a phone number.") % _shown(number) + hint)
    return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))


def _with_code(number: str, country: str) -> phonenumbers.PhoneNumber | None:
    """Return a mobile number that has the code of its country without the +, which German numbers of other lengths hide."""
    code = phonenumbers.country_code_for_region(country) if country else 0
    if not code or not number.startswith(str(code)):
        return None
    try:
        found = phonenumbers.parse(f"+{number}")
    except phonenumbers.NumberParseException:
        return None
    is_mobile = phonenumbers.number_type(found) == phonenumbers.PhoneNumberType.MOBILE
    return found if is_mobile else None


@lru_cache(maxsize=4096)
def _country(name: str) -> str:
    code = places.country(name)
    if not code:
        raise ValueError(_("“%s” is not a country. Use its ISO code or its name.") % _shown(name))
    return code


def _date(value: object, order: str) -> datetime:
    written = text(value, longest=100)
    try:
        found = _iso_date(written) or dates.read(written, order)
    except dates.AmbiguousDate:
        raise
    except (ValueError, OverflowError):
        raise ValueError(
            _("“%s” is not a date: write it as 2025-01-31.") % _shown(written)
        ) from None
    if not SMALLEST <= found.date() < LARGEST:
        raise ValueError(_("“%s” is not between 1900 and 2200.") % _shown(written))
    return found


def _iso_date(written: str) -> datetime | None:
    try:
        return datetime.fromisoformat(written)
    except ValueError:
        return None


def _decimal(value: object, unit: Decimal, decimal_sign: str) -> Decimal:
    written = text(value, longest=64)
    sign = decimal_sign if isinstance(value, str) else ""
    is_plain = sign in ("", ".") and _CANONICAL_NUMBER.fullmatch(written)
    try:
        found = Decimal(written) if is_plain else numbers.read(written, sign)
    except ValueError:
        raise ValueError(_("“%s” is not a number.") % _shown(written)) from None
    if abs(found) >= LARGEST_AMOUNT:
        raise ValueError(_("“%s” is too large.") % _shown(written))
    # + 0 turns the -0.00 of float noise into 0.00
    return found.quantize(unit, ROUND_HALF_UP) + 0


def _rounded(written: str) -> str:
    return (
        _(
            "“%s” is a number that a spreadsheet rounded. Format the column as text there, and export it again."
        )
        % written
    )


def _shown(value: object) -> str:
    """Shorten a value to fit a sentence."""
    shown = str(value).encode("utf-8", "replace").decode()
    return shown if len(shown) <= 60 else f"{shown[:59]}…"
