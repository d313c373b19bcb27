"""Read the objects of a definition key by key, and collect what is wrong with each key by its path."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.utils.translation import gettext as _

from crm import masking
from customers.segments import (
    RuleError,
    event_types,
    is_personal_property,
    triggers,
    validate_rules,
)

SPAN = re.compile(r"(\d{1,6})([smhdw])")
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
LONGEST_SPAN = timedelta(days=3 * 366)
LONGEST_TEXT = 2_000
LONGEST_PROPERTY = 100


class DefinitionError(ValueError):
    """The definition is invalid; `errors` lists each error as {"path", "message"}."""

    def __init__(self, errors: Sequence[dict[str, str]]) -> None:
        super().__init__("; ".join(f"{each['path']}: {each['message']}" for each in errors))
        self.errors = list(errors)


@dataclass(frozen=True, slots=True)
class EventCondition:
    """An event with conditions on its properties; `match` maps properties to Liquid of what they must equal."""

    event: str
    where: tuple[dict[str, Any], ...] = ()
    match: Mapping[str, str] = field(default_factory=dict)


class Fields:
    """The keys of one object. A method for each kind of value reads a key, or collects an error and returns nothing.

    A `trusted` document was checked before: its rules are not validated against the data, which may have changed since.
    """

    def __init__(
        self, given: object, path: str, errors: list[dict[str, str]], *, trusted: bool = False
    ) -> None:
        self.path, self.errors, self.trusted = path, errors, trusted
        self._read: set[str] = set()
        self._given: Mapping[str, Any] = given if isinstance(given, Mapping) else {}
        if not isinstance(given, Mapping):
            self._refuse("", _("Give an object."))

    def __contains__(self, key: str) -> bool:
        return key in self._given

    def __iter__(self) -> Iterator[str]:
        return iter(self._given)

    def refuse(self, key: str, message: str) -> None:
        """Collect an error of a key, or of the object with ""."""
        self._refuse(key, message)

    def refuse_personal(self, key: str, name: str) -> None:
        """Refuse personal data, which the way of a customer would show, to authors who may not see it."""
        if masking.is_on() and not self.trusted:
            message = _("You may not use personal data in workflows, such as the %(field)s.")
            self._refuse(key, message % {"field": name})

    def property_of(self, key: str, condition: EventCondition | None) -> str:
        """Return the name of a property of an event."""
        name = self.text(key, longest=LONGEST_PROPERTY)
        if name and condition and names_personal_data(condition.event, name):
            self.refuse_personal(key, name)
        return name

    def raw(self, key: str) -> Any:
        self._read.add(key)
        return self._given.get(key)

    def text(
        self,
        key: str,
        *,
        default: str = "",
        required: bool = False,
        choices: Sequence[str] = (),
        longest: int = LONGEST_TEXT,
    ) -> str:
        """Return a text; `default` where there is none."""
        value = self.raw(key)
        if value is None and not required:
            return default
        if not isinstance(value, str) or not value.strip() or len(value) > longest:
            self._refuse(
                key, _("Give a text of 1 to %(longest)s characters.") % {"longest": longest}
            )
        elif "\x00" in value:
            self._refuse(key, _("A text has no NUL character."))
        elif choices and value not in choices:
            self._refuse(key, _("Choose one of: %(known)s.") % {"known": ", ".join(choices)})
        else:
            return value
        return default

    def number(
        self, key: str, *, low: float, high: float, default: float | None = None
    ) -> float | None:
        """Return a number from `low` to `high`."""
        value = self.raw(key)
        if value is None:
            return default
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not low <= value <= high
        ):
            self._refuse(
                key, _("Give a number from %(low)s to %(high)s.") % {"low": low, "high": high}
            )
            return default
        return value

    def flag(self, key: str) -> bool:
        value = self.raw(key)
        if value not in (None, True, False):
            self._refuse(key, _("Give true or false."))
        return value is True

    def span(self, key: str, *, required: bool = False) -> timedelta | None:
        """Return a length of time, such as 30m, 1h, 2d or 1w."""
        value = self.raw(key)
        if value is None and not required:
            return None
        span = span_of(value)
        if span is None or not timedelta() < span <= LONGEST_SPAN:
            self._refuse(key, _("Give a length of time, such as 30m, 1h, 2d or 1w."))
            return None
        return span

    def rules(self, key: str) -> dict[str, Any] | None:
        """Return segment rules in canonical form."""
        value = self.raw(key)
        if value is None or self.trusted:
            return value
        try:
            return validate_rules(value)
        except RuleError as error:
            self._refuse_rules(key, error)
            return None

    def event(self, key: str = "event") -> EventCondition | None:
        """Return the event of this object, with its `where` and `match`."""
        name, where, match = self.raw(key), self.raw("where"), self.raw("match")
        if match is None:
            match = {}
        if not isinstance(match, Mapping) or not all(
            isinstance(each, str) and each for each in [*match, *match.values()]
        ):
            self._refuse("match", _("Give an object of properties and the texts that they equal."))
            match = {}
        if self.trusted:
            return EventCondition(str(name), tuple(where or ()), dict(match))
        try:
            event, conditions = triggers.check_event(name, where if where is not None else [])
        except RuleError as error:
            self._refuse_rules("", error)
            return None
        for each in match:
            if names_personal_data(event, each):
                self.refuse_personal(f"match.{each}", each)
        return EventCondition(event, tuple(conditions), dict(match))

    def inner(self, key: str) -> Fields | None:
        """Return the fields of an object within this one."""
        value = self.raw(key)
        return None if value is None else self._within(key, value)

    def listed(self, key: str, *, required: bool = False) -> list[Fields]:
        """Return the fields of each object of a list."""
        value = self.raw(key)
        if value is None and not required:
            return []
        if not isinstance(value, list) or not (value or not required):
            self._refuse(key, _("Give a list of objects."))
            return []
        return [self._within(f"{key}[{place}]", each) for place, each in enumerate(value)]

    def mapping(self, key: str) -> dict[str, Any]:
        """Return an object as it is; an empty one where there is none."""
        value = self.raw(key)
        if value is not None and not isinstance(value, Mapping):
            self._refuse(key, _("Give an object."))
            return {}
        return dict(value or {})

    def targets(self, *branches: str, main: str | None = None) -> dict[str, str | None]:
        """Return the next step of each branch; a text is that of the main branch, or of all, null and nothing end the passage."""
        value = self.raw("next")
        if isinstance(value, Mapping):
            fields = self._within("next", value)
            found = {branch: fields._target(branch) for branch in branches}
            fields.done()
            return found
        target = self._target("next")
        return dict.fromkeys(branches, target) if main is None else dict.fromkeys(branches) | {main: target}  # fmt: skip

    def target(self, key: str = "next") -> str | None:
        """Return the key of the next step; None ends the passage."""
        return self._target(key)

    def done(self) -> None:
        """Refuse the keys that nothing has read."""
        for key in sorted({*self._given} - self._read, key=str):
            self._refuse(str(key), _("There is no such key."))

    def _target(self, key: str) -> str | None:
        value = self.raw(key)
        if value is not None and not isinstance(value, str):
            self._refuse(key, _("Give the key of a step, or null."))
            return None
        return value

    def _within(self, key: str, value: object) -> Fields:
        return Fields(value, self._join(key), self.errors, trusted=self.trusted)

    def _join(self, key: str) -> str:
        return ".".join(part for part in (self.path, key) if part)

    def _refuse(self, key: str, message: str) -> None:
        self.errors.append({"path": self._join(key), "message": message})

    def _refuse_rules(self, key: str, error: RuleError) -> None:
        for each in error.errors:
            path = ".".join(part for part in (key, each["path"]) if part)
            self._refuse(path, each["message"])


def names_personal_data(event: str, name: str) -> bool:
    """Return whether a property of an event is personal data."""
    found = event_types.find(event)
    return found is None or is_personal_property(found, name)


def span_of(value: object) -> timedelta | None:
    """Return a length of time; None for what is not written like 1h30m."""
    if not isinstance(value, str) or not re.fullmatch(f"({SPAN.pattern})+", value):
        return None
    return sum(
        (timedelta(**{UNITS[unit]: int(number)}) for number, unit in _parts(value)), timedelta()
    )


def _parts(value: str) -> Iterator[tuple[str, str]]:
    return (match.groups() for match in SPAN.finditer(value))  # type: ignore[misc]
