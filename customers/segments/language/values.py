"""Parse the values of rules to typed values, and write them back."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from customers.segments.language.fields import RELATIVE, Field, FieldType

LONGEST_TEXT = 1_000
MOST_VALUES = 1_000
LARGEST = {FieldType.INTEGER: Decimal(2_147_483_647)}
LARGEST_NUMBER = Decimal(10) ** 12
MOST_DAYS = 36_500
A_YEAR = 366
FIRST_YEAR, LAST_YEAR = 1800, 2200

Scalar = str | bool | Decimal | date | int
Value = Scalar | tuple[Scalar, ...] | None


class InvalidValue(ValueError):
    """The value is invalid; `at` is the place in it, such as `[1]`."""

    def __init__(self, message: str, at: str = "") -> None:
        super().__init__(message)
        self.at = at


def parse(field: Field, operator: str, given: object) -> Value:
    """Return the value of a field's comparison. Raises InvalidValue."""
    if operator in {"is_set", "is_not_set"}:
        _refuse_any(given, operator)
        return None
    if operator in RELATIVE:
        return days(given, A_YEAR if operator == "anniversary_in_days" else MOST_DAYS)
    one = _reader(field, operator)
    if operator == "between":
        return _two(given, one)
    if operator in {"in", "not_in", "contains_any", "contains_all", "contains_none"}:
        return _some(given, one)
    if isinstance(given, list):
        raise InvalidValue(
            _("“%(operator)s” takes one value, not a list.") % {"operator": operator}
        )
    return one(given)


def to_json(value: Value) -> Any:
    """Return the value as rules store it."""
    if isinstance(value, tuple):
        return [to_json(part) for part in value]
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, date):
        return value.isoformat()
    return value


def _reader(field: Field, operator: str) -> Callable[[object], Scalar]:
    match field.type:
        case FieldType.NUMBER | FieldType.MONEY | FieldType.INTEGER:
            return lambda given: _number(given, field.type)
        case FieldType.DATE:
            return lambda given: _date(given, whole_day=field.is_day or operator == "on")
        case FieldType.ANY:
            return _READER_OF_ANY.get(operator, _scalar)
        case _ if (
            field.choices
            and operator not in {"starts_with", "ends_with"}
            and not (field.type is FieldType.CHOICE and operator in {"contains", "not_contains"})
        ):
            return lambda given: _choice(given, field)
        case _ if field.clean and operator in {"=", "!=", "in", "not_in"}:
            return lambda given: _cleaned(given, field)
        case _:
            return _text


def _refuse_any(given: object, operator: str) -> None:
    if given is not None and given != "" and given is not True:
        raise InvalidValue(_("“%(operator)s” takes no value.") % {"operator": operator})


def _two(given: object, one: Callable[[object], Scalar]) -> tuple[Scalar, ...]:
    if not isinstance(given, list) or len(given) != 2:
        raise InvalidValue(_("“between” takes a list of two values: the least and the greatest."))
    least, greatest = _each(given, one)
    if not _ordered(least, greatest):
        raise InvalidValue(_("the first of the two values must not be the greater one."))
    return (least, greatest)


def _ordered(least: Any, greatest: Any) -> bool:
    if isinstance(least, date) and isinstance(greatest, date):
        return _as_moment(least) <= _as_moment(greatest)
    if isinstance(least, Decimal) and isinstance(greatest, Decimal):
        return least <= greatest
    raise InvalidValue(_("“between” takes two numbers or two dates."))


def _some(given: object, one: Callable[[object], Scalar]) -> tuple[Scalar, ...]:
    listed = given if isinstance(given, list) else [given]
    if not listed:
        raise InvalidValue(_("the list is empty; give at least one value."))
    if len(listed) > MOST_VALUES:
        raise InvalidValue(
            _("the list is longer than %(most)s values.") % {"most": f"{MOST_VALUES:,}"}
        )
    return tuple(dict.fromkeys(_each(listed, one)))


def _each(given: list[object], one: Callable[[object], Scalar]) -> list[Scalar]:
    found = []
    for index, part in enumerate(given):
        try:
            found.append(one(part))
        except InvalidValue as invalid:
            raise InvalidValue(str(invalid), f"[{index}]{invalid.at}") from None
    return found


def _text(given: object) -> str:
    if isinstance(given, int) and not isinstance(given, bool):
        given = str(_number(given, FieldType.INTEGER))
    if not isinstance(given, str):
        raise InvalidValue(_("%(given)s is not text.") % {"given": shown(given)})
    text = given.strip()
    if not text:
        raise InvalidValue(_("the text is empty; to match a missing value use “is_not_set”."))
    if len(text) > LONGEST_TEXT:
        raise InvalidValue(
            _("the text is longer than %(most)s characters.") % {"most": f"{LONGEST_TEXT:,}"}
        )
    if not storable(text):
        raise InvalidValue(_("the text holds characters that no stored text has."))
    return text


def _choice(given: object, field: Field) -> str:
    word = _text(given).lower()
    if word not in field.choices:
        raise InvalidValue(
            _("%(given)s is no %(label)s; use one of %(known)s.")
            % {"given": shown(given), "label": field.label, "known": ", ".join(field.choices)}
        )
    return word


def _cleaned(given: object, field: Field) -> str:
    assert field.clean
    text = _text(given)
    try:
        return field.clean(text)
    except ValueError as error:
        raise InvalidValue(str(error)) from None


def _number(given: object, type: FieldType = FieldType.NUMBER) -> Decimal:
    """Return exactly the number that JSON can hold, so that a stored rule keeps its meaning."""
    if isinstance(given, bool) or not isinstance(given, int | float | str | Decimal):
        raise InvalidValue(_("%(given)s is not a number.") % {"given": shown(given)})
    largest = LARGEST.get(type, LARGEST_NUMBER)
    if isinstance(given, int):
        given = max(min(given, 10**30), -(10**30))  # more digits than this are slow to write
    try:
        number = Decimal(str(given).strip())
    except InvalidOperation:
        raise InvalidValue(_("%(given)s is not a number.") % {"given": shown(given)}) from None
    if not number.is_finite():
        raise InvalidValue(_("%(given)s is not a number.") % {"given": shown(given)})
    if abs(number) > largest:
        raise InvalidValue(_("%(given)s is too large.") % {"given": shown(given)})
    number = (
        Decimal(repr(float(number)))
        if number != number.to_integral_value()
        else Decimal(int(number))
    )
    if type is FieldType.INTEGER and number != number.to_integral_value():
        raise InvalidValue(_("%(given)s is not a whole number.") % {"given": shown(given)})
    return number


def days(given: object, most: int = MOST_DAYS) -> int:
    """Return a number of days from 0 to `most`. Raises InvalidValue."""
    number = _number(given, FieldType.INTEGER)
    if not 0 <= number <= most:
        raise InvalidValue(_("give a number of days from 0 to %(most)s.") % {"most": f"{most:,}"})
    return int(number)


def _date(given: object, *, whole_day: bool = False) -> date:
    """Return a date, or a time with zone (by default the site's); with `whole_day` the site's day of that time."""
    try:
        if not isinstance(given, str):
            raise ValueError
        found = _iso(given.strip())
    except (ValueError, OverflowError):
        raise InvalidValue(
            _(
                "%(given)s is not a date; write it in ISO 8601, such as 2025-01-31 or 2025-01-31T18:00:00+01:00."
            )
            % {"given": shown(given)}
        ) from None
    if not FIRST_YEAR <= found.year < LAST_YEAR:
        raise InvalidValue(_("%(given)s is too far away to be meant.") % {"given": shown(given)})
    if isinstance(found, datetime) and whole_day:
        return timezone.localdate(found, timezone.get_default_timezone())
    return found


def _iso(written: str) -> date:
    try:
        return date.fromisoformat(written)
    except ValueError:
        moment = datetime.fromisoformat(written)
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.get_default_timezone())


def _as_moment(day: date) -> datetime:
    if isinstance(day, datetime):
        return day
    return datetime(day.year, day.month, day.day, tzinfo=timezone.get_default_timezone())


def _scalar(given: object) -> Scalar:
    if isinstance(given, bool):
        return given
    return _text(given) if isinstance(given, str) else _number(given)


def _number_or_date(given: object) -> Scalar:
    try:
        return _number(given)
    except InvalidValue:
        return _date(given, whole_day=True)


def _day(given: object) -> date:
    return _date(given, whole_day=True)


_READER_OF_ANY: dict[str, Callable[[object], Scalar]] = {
    **dict.fromkeys((">", ">=", "<", "<="), _number),
    **dict.fromkeys(("before", "after", "on"), _day),
    **dict.fromkeys(("starts_with", "ends_with", "not_contains"), _text),
    "between": _number_or_date,
}
"""Free attributes have no type of their own: the operator decides it, or else the value."""


def storable(text: str) -> bool:
    """Return False for text that PostgreSQL cannot store: NUL, and halves of surrogate pairs."""
    return "\0" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)


def shown(given: object) -> str:
    """Return a value as error messages repeat it: short, and always printable."""
    if given is None:
        return _("nothing")
    if isinstance(given, list | dict):
        return _("a list") if isinstance(given, list) else _("an object")
    if isinstance(given, bool):
        return "true" if given else "false"
    if isinstance(given, float) and not math.isfinite(given):
        return str(given)
    if isinstance(given, int) and abs(given) > 10**30:
        return _("a number of very many digits")
    text = str(given).encode("utf-8", "replace").decode()
    return f'"{text if len(text) <= 60 else text[:59] + "…"}"'
