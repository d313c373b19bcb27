"""Clean cells and JSON values: text, numbers, dates, addresses, as sources write them.

A cleaner takes text, a number or a boolean, returns the value, and raises ValueError with a sentence for
the sender. Slow cleaners cache their results, because sources repeat themselves.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import cache, lru_cache
from typing import Any
from zoneinfo import available_timezones

import phonenumbers
from babel import Locale
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils import timezone as site_time
from django.utils.translation import gettext as _

LONGEST_JSON = 65_536
DEEPEST_JSON = 32
SMALLEST, LARGEST = date(1900, 1, 1), date(2200, 1, 1)
CENT = Decimal("0.01")
THOUSANDTH = Decimal("0.001")
MILLIONTH = Decimal("0.000001")
LARGEST_AMOUNT = Decimal(10) ** 10
LARGEST_COUNT = 1_000_000_000

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_SURROUNDING = " \t\r\n"
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d{1,3})?")
_CURRENCY_MARK = re.compile(
    r"^(?P<sign>-?)\s*(?:[A-Z]{3}|[$€£¥₹])?\s*(?P<number>.*?)\s*(?:[A-Z]{3}|[$€£¥₹])?$"
)
_SPACES_IN_NUMBERS = str.maketrans("", "", " \u00a0\u202f'’_")
_CANONICAL_NUMBER = re.compile(r"-?(0|[1-9]\d{0,14})(\.\d{1,6})?")
_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_PLAIN_EMAIL = re.compile(rf"[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*@(?:{_LABEL}\.)+[A-Za-z]{{2,63}}")
"""Matches nearly all addresses; Django's slower validator checks the others."""
_TAG_BREAK = re.compile(r"[,;|]")

_DAYS = (
    "%Y/%m/%d",
    "%d.%m.%Y",
    "%m/%d/%Y",
    "%d/%m/%Y",
    "%d-%m-%Y",
    "%d %b %Y",
    "%d %B %Y",
    "%b %d, %Y",
    "%B %d, %Y",
)
_CLOCKS = ("", " %H:%M", " %H:%M:%S", " %I:%M %p")
_YES = frozenset({"true", "yes", "y", "1", "on", "t"})
_NO = frozenset({"false", "no", "n", "0", "off", "f"})
_COUNTRY_NICKNAMES = {
    "usa": "US",
    "u.s.": "US",
    "u.s.a.": "US",
    "uk": "GB",
    "great britain": "GB",
    "england": "GB",
    "holland": "NL",
    "czech republic": "CZ",
    "uae": "AE",
    "turkey": "TR",
}


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
    """Return an address in lower case. Raises ValueError for invalid syntax."""
    return _email(text(value, longest=320))


def phone(value: object, country: str = "") -> str:
    """Return a number in E.164; without a leading + it is read as a number of the country (ISO alpha-2)."""
    return _phone(text(value, longest=64), country)


def country(value: object) -> str:
    """Return the ISO 3166-1 alpha-2 code, from that code or the English name."""
    return _country(text(value))


def moment(value: object) -> datetime:
    """Return a time in UTC, from ISO 8601 or a common format. The default zone is the site's, the default clock midnight."""
    return _moment(text(value, longest=64))


def day(value: object) -> date:
    """Return a date, from ISO 8601 or a common format."""
    return _moment(text(value, longest=64)).date() if not _is_day(value) else _day(str(value))


def amount(value: object) -> Decimal:
    """Return money rounded half up to cents, from `1,234.50`, `1.234,50`, `$12` or floats such as `2.220446e-16`."""
    return _decimal(text(value, longest=64), CENT)


def quantity(value: object) -> Decimal:
    """Return a number rounded half up to thousandths."""
    return _decimal(text(value, longest=64), THOUSANDTH)


def count(value: object) -> int:
    """Return a whole number from 0."""
    found = _decimal(text(value, longest=64), THOUSANDTH)
    if found != found.to_integral_value() or not 0 <= found <= LARGEST_COUNT:
        raise ValueError(_("“%s” is not a whole number from 0.") % _shown(value))
    return int(found)


def score(value: object) -> float:
    """Return a number from 0 to 1."""
    found = _decimal(text(value, longest=64), MILLIONTH)
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
    """Return unique words of a list, or of text with commas, semicolons or bars between them."""
    parts = value if isinstance(value, list | tuple) else _TAG_BREAK.split(_as_text(value))
    return list(dict.fromkeys(found for part in parts if (found := text(part, longest=100))))


def timezone(value: object) -> str:
    name = text(value, longest=64)
    if name and name not in _timezones():
        raise ValueError(_("“%s” is not a time zone such as Europe/Berlin.") % _shown(value))
    return name


def currency(value: object) -> str:
    code = text(value, longest=64).upper()
    if not re.fullmatch("[A-Z]{3}", code):
        raise ValueError(_("“%s” is not a currency code such as EUR.") % _shown(value))
    return code


def attribute(value: object) -> Any:
    """Return a JSON value. Text that is exactly a number becomes that number, so that rules can compare it."""
    if isinstance(value, str):
        found = text(value, longest=LONGEST_JSON)
        if _CANONICAL_NUMBER.fullmatch(found):
            return float(found) if "." in found else int(found)
        return found
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
    """Return a JSON object of free attributes."""
    if not isinstance(value, Mapping):
        raise ValueError(_("must be an object of names and values."))
    return {text(name): attribute(part) for name, part in value.items()}


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
    if isinstance(value, int | float | Decimal | date):
        try:
            return str(value)
        except ValueError:  # an integer of thousands of digits
            raise ValueError(_("is too long.")) from None
    raise ValueError(_("must be text or a number."))


def _email(address: str) -> str:
    if _PLAIN_EMAIL.fullmatch(address):
        return address.lower()
    try:
        validate_email(address)
    except ValidationError:
        raise ValueError(_("“%s” is not an e-mail address.") % _shown(address)) from None
    return address.lower()


@lru_cache(maxsize=4096)
def _phone(number: str, country: str) -> str:
    try:
        parsed = phonenumbers.parse(number, country or None)
    except phonenumbers.NumberParseException:
        parsed = None
    if parsed is None or not phonenumbers.is_possible_number(parsed):
        hint = (
            ""
            if country or number.startswith("+")
            else _(" Write it with + and the country's code.")
        )
        raise ValueError(_("“%s” is not a phone number.") % _shown(number) + hint)
    return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))


@lru_cache(maxsize=4096)
def _country(name: str) -> str:
    if name.upper() in _territories().values():
        return name.upper()
    code = _COUNTRY_NICKNAMES.get(name.lower()) or _territories().get(name.lower())
    if code is None:
        raise ValueError(
            _("“%s” is not a country. Use its ISO code or English name.") % _shown(name)
        )
    return code


@cache
def _territories() -> dict[str, str]:
    """Return English name in lower case → code of countries, whose codes are two letters (those of continents are numbers)."""
    named = Locale("en").territories
    return {
        name.lower(): code
        for code, name in named.items()
        if re.fullmatch("[A-Z]{2}", code) and code != "ZZ"
    }


@cache
def _timezones() -> set[str]:
    return available_timezones()


def _moment(written: str) -> datetime:
    try:
        found = datetime.fromisoformat(written)
    except ValueError:
        found = _by_common_forms(written)
    if found.tzinfo is None:
        found = found.replace(tzinfo=site_time.get_default_timezone())
    if not SMALLEST <= found.date() < LARGEST:
        raise ValueError(_("“%s” is not between 1900 and 2200.") % _shown(written))
    return found.astimezone(UTC)


def _is_day(value: object) -> bool:
    return not isinstance(value, datetime) and ":" not in str(value)


def _day(written: str) -> date:
    """Return a date without a clock, which no time zone may shift."""
    try:
        found = date.fromisoformat(written.strip())
    except ValueError:
        found = _by_common_forms(written.strip()).date()
    if not SMALLEST <= found < LARGEST:
        raise ValueError(_("“%s” is not between 1900 and 2200.") % _shown(written))
    return found


def _by_common_forms(written: str) -> datetime:
    for clock in _CLOCKS:
        for form in _DAYS:
            try:
                return datetime.strptime(written, form + clock)  # noqa: DTZ007 the caller adds the zone
            except ValueError:
                continue
    raise ValueError(_("“%s” is not a date: write it as 2025-01-31.") % _shown(written))


def _decimal(written: str, unit: Decimal) -> Decimal:
    number = written if _NUMBER.fullmatch(written) else _without_marks(written)
    try:
        found = Decimal(number)
        if abs(found) >= LARGEST_AMOUNT:
            raise ValueError(_("“%s” is too large.") % _shown(written))
        # + 0 turns the -0.00 of float noise into 0.00
        return found.quantize(unit, ROUND_HALF_UP) + 0
    except InvalidOperation:
        raise ValueError(_("“%s” is not a number.") % _shown(written)) from None


def _without_marks(written: str) -> str:
    """`€ 1.234,50` → `1234.50`. The last of comma and dot is the decimal sign, but a comma before three digits separates thousands."""
    marked = _CURRENCY_MARK.match(written)
    number = (marked["sign"] + marked["number"] if marked else written).translate(
        _SPACES_IN_NUMBERS
    )
    if number.startswith("(") and number.endswith(")"):
        number = f"-{number[1:-1]}"
    if re.fullmatch(r"-?\d{1,3}(,\d{3})+(\.\d*)?", number):
        return number.replace(",", "")
    if re.fullmatch(r"-?\d{1,3}(\.\d{3})+,\d*", number) or re.fullmatch(r"-?\d+,\d+", number):
        return number.replace(".", "").replace(",", ".")
    return number if _NUMBER.fullmatch(number) else "not a number"


def _shown(value: object) -> str:
    """Shorten a value to fit a sentence."""
    shown = str(value).encode("utf-8", "replace").decode()
    return shown if len(shown) <= 60 else f"{shown[:59]}…"
