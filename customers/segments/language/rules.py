"""Parse rules: JSON to a typed tree, or all errors with their paths."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from django.utils.translation import gettext as _

from customers.segments.language import event_types, fields, values
from customers.segments.language.ast import (
    COUNT,
    SUM,
    Attribute,
    Behaviour,
    Figure,
    Group,
    Rule,
    dump,
)
from customers.segments.language.event_types import EventType
from customers.segments.language.fields import NUMERIC, OPERATORS, Field, FieldType
from customers.segments.language.values import InvalidValue, shown

DEEPEST = 10
MOST_CONDITIONS = 200

GROUP_KEYS = {"operator", "conditions", "negate"}
ATTRIBUTE_KEYS = {"field", "operator", "value"}
BEHAVIOUR_KEYS = {"event", "operator", "value", "aggregate", "within_days", "where"}


class RuleError(ValueError):
    """The rules are invalid; `errors` lists each error as {"path", "message"}."""

    def __init__(self, errors: list[dict[str, str]]) -> None:
        super().__init__("; ".join(_line(error) for error in errors))
        self.errors = errors


def parse(rules: object) -> Group:
    """Return the tree of rules. Raises RuleError."""
    parser = _Parser()
    found = parser.group(rules, "", depth=1)
    if parser.errors or found is None:
        raise RuleError(parser.errors)
    return found


def canonical(rules: object) -> dict[str, Any]:
    """Return rules as stored: canonical names, upper-case AND and OR, numbers, country codes, ISO dates. Raises RuleError."""
    return dump(parse(rules))


def where(given: object, event: EventType, path: str = "where") -> tuple[Attribute, ...]:
    """Parse conditions on an event's properties, as in the `where` of a rule. Raises RuleError."""
    parser = _Parser()
    found = parser.where(given, event, path)
    if parser.errors:
        raise RuleError(parser.errors)
    return found


class _Parser:
    """Walks rules once and collects all errors; an invalid part is None."""

    def __init__(self) -> None:
        self.errors: list[dict[str, str]] = []
        self.conditions = 0

    def group(self, given: object, path: str, depth: int) -> Group | None:
        if not isinstance(given, Mapping):
            self._refuse(
                path,
                _('%(given)s is not a group such as {"operator": "AND", "conditions": []}.')
                % {"given": shown(given)},
            )
            return None
        if depth > DEEPEST:
            self._refuse(path, _("groups nest deeper than %(deepest)s.") % {"deepest": DEEPEST})
            return None
        self._refuse_unknown_keys(given, GROUP_KEYS, path)
        operator = self._connector(given.get("operator"), path)
        negate = given.get("negate", False)
        if not isinstance(negate, bool):
            self._refuse(
                _join(path, "negate"),
                _("%(given)s is neither true nor false.") % {"given": shown(negate)},
            )
        listed = given.get("conditions")
        if not isinstance(listed, list):
            self._refuse(
                _join(path, "conditions"), _("give a list of conditions; it may be empty.")
            )
            return None
        found = self._listed(listed, _join(path, "conditions"), depth)
        return Group(operator, found, bool(negate))

    def _listed(self, listed: list[object], path: str, depth: int) -> tuple[Rule, ...]:
        before = self.conditions
        self.conditions += len(listed)
        if self.conditions > MOST_CONDITIONS:
            if before <= MOST_CONDITIONS:
                self._refuse_too_many(path)
            return ()
        parsed = [self._rule(each, f"{path}[{index}]", depth) for index, each in enumerate(listed)]
        return tuple(each for each in parsed if each is not None)

    def _rule(self, given: object, path: str, depth: int) -> Rule | None:
        if isinstance(given, Mapping):
            if "conditions" in given:
                return self.group(given, path, depth + 1)
            if "field" in given:
                return self._attribute(given, path)
            if "event" in given:
                return self._behaviour(given, path)
        self._refuse(
            path,
            _("%(given)s is not a rule: give a “field”, an “event”, or a group with “conditions”.")
            % {"given": shown(given)},
        )
        return None

    def _attribute(self, given: Mapping[str, object], path: str) -> Attribute | None:
        field = self._field(given["field"], _join(path, "field"))
        return self._comparison(field, given, path)

    def _comparison(
        self, field: Field | None, given: Mapping[str, object], path: str
    ) -> Attribute | None:
        self._refuse_unknown_keys(given, ATTRIBUTE_KEYS, path)
        if field is None:
            return None
        operator = self._operator(field, given.get("operator"), _join(path, "operator"))
        if operator is None:
            return None
        try:
            return Attribute(field, operator, values.parse(field, operator, given.get("value")))
        except InvalidValue as invalid:
            self._refuse(f"{_join(path, 'value')}{invalid.at}", str(invalid))
            return None

    def _behaviour(self, given: Mapping[str, object], path: str) -> Behaviour | None:
        self._refuse_unknown_keys(given, BEHAVIOUR_KEYS, path)
        event = self._event(given["event"], _join(path, "event"))
        if event is None:
            return None
        summed = self._summed(given.get("aggregate"), event, _join(path, "aggregate"))
        figure = event_types.figure(summed)
        compared = self._figure(figure, given, path)
        within_days = self._within_days(given.get("within_days"), _join(path, "within_days"))
        fitting = self.where(given.get("where"), event, _join(path, "where"))
        if compared is None:
            return None
        return Behaviour(event, *compared, summed, within_days, fitting)

    def where(self, given: object, event: EventType, path: str) -> tuple[Attribute, ...]:
        if given is None:
            return ()
        if not isinstance(given, list):
            self._refuse(path, _("give a list of conditions on the event's properties."))
            return ()
        self.conditions += len(given)
        if self.conditions > MOST_CONDITIONS:
            self._refuse_too_many(path)
            return ()
        found = [self._of_event(each, event, f"{path}[{at}]") for at, each in enumerate(given)]
        return tuple(each for each in found if each is not None)

    def _of_event(self, given: object, event: EventType, path: str) -> Attribute | None:
        if not isinstance(given, Mapping) or "field" not in given:
            self._refuse(
                path,
                _(
                    '%(given)s is not a condition such as {"field": "category", "operator": "=", "value": "Books"}.'
                )
                % {"given": shown(given)},
            )
            return None
        return self._comparison(
            self._property(given["field"], event, _join(path, "field")), given, path
        )

    def _event(self, given: object, path: str) -> EventType | None:
        event = event_types.find(given) if isinstance(given, str) else None
        if event is None:
            self._refuse(
                path,
                _("%(given)s is not the name of an event, such as %(known)s or one of your own.")
                % {
                    "given": shown(given),
                    "known": ", ".join(each.name for each in event_types.known()),
                },
            )
        return event

    def _property(self, given: object, event: EventType, path: str) -> Field | None:
        field = event.find(given) if isinstance(given, str) else None
        if field is None:
            self._refuse(
                path,
                _("%(given)s is no property of the event “%(event)s”; known are %(known)s.")
                % {
                    "given": shown(given),
                    "event": event.name,
                    "known": ", ".join(each.name for each in event.properties),
                },
            )
        return field

    def _summed(self, given: object, event: EventType, path: str) -> Field | None:
        if given is None or given == COUNT:
            return None
        if not isinstance(given, str) or not given.startswith(SUM):
            self._refuse(
                path,
                _("%(given)s is neither “count” nor “sum:” with a property.")
                % {"given": shown(given)},
            )
            return None
        field = self._property(given.removeprefix(SUM), event, path)
        if field and field.type not in {
            FieldType.NUMBER,
            FieldType.MONEY,
            FieldType.INTEGER,
            FieldType.ANY,
        }:
            self._refuse(
                path,
                _('%(type)s property "%(field)s" cannot be summed.')
                % {"type": field.type, "field": field.name},
            )
            return None
        return field

    def _figure(
        self, figure: Field, given: Mapping[str, object], path: str
    ) -> tuple[str, Figure] | None:
        operator = given.get("operator")
        if not isinstance(operator, str) or operator.strip() not in NUMERIC:
            self._refuse(
                _join(path, "operator"),
                _("%(given)s does not apply to %(what)s; use one of %(known)s.")
                % {
                    "given": shown(operator),
                    "what": figure.label,
                    "known": ", ".join(NUMERIC),
                },
            )
            return None
        try:
            value = values.parse(figure, operator.strip(), given.get("value"))
            return operator.strip(), cast(Figure, value)
        except InvalidValue as invalid:
            self._refuse(f"{_join(path, 'value')}{invalid.at}", str(invalid))
            return None

    def _within_days(self, given: object, path: str) -> int | None:
        if given is None:
            return None
        try:
            return values.days(given)
        except InvalidValue as invalid:
            self._refuse(path, str(invalid))
            return None

    def _refuse_too_many(self, path: str) -> None:
        self._refuse(
            path, _("a rule has at most %(most)s conditions in all.") % {"most": MOST_CONDITIONS}
        )

    def _connector(self, given: object, path: str) -> str:
        operator = given.strip().upper() if isinstance(given, str) else ""
        if operator not in {"AND", "OR"}:
            self._refuse(
                _join(path, "operator"),
                _("%(given)s does not connect conditions; use one of AND, OR.")
                % {"given": shown(given)},
            )
        return operator

    def _field(self, given: object, path: str) -> Field | None:
        if not isinstance(given, str):
            self._refuse(path, _("%(given)s is not the name of a field.") % {"given": shown(given)})
            return None
        name = given.strip()
        field = fields.find(name) if values.storable(name) else None
        if field is not None:
            return field
        known = ", ".join(each.name for each in fields.known())
        near = fields.closest(name[: values.LONGEST_TEXT])
        hint = _(" Did you mean %(near)s?") % {"near": near} if near else ""
        self._refuse(
            path,
            _("there is no field %(given)s.%(hint)s Known are %(known)s and attributes.KEY.")
            % {"given": shown(given), "hint": hint, "known": known},
        )
        return None

    def _operator(self, field: Field, given: object, path: str) -> str | None:
        known = OPERATORS[field.type]
        if isinstance(given, str) and given.strip() in known:
            return given.strip()
        self._refuse(
            path,
            _('%(given)s does not apply to %(type)s field "%(field)s"; use one of %(known)s.')
            % {
                "given": shown(given),
                "type": field.type,
                "field": field.name,
                "known": ", ".join(known),
            },
        )
        return None

    def _refuse_unknown_keys(self, given: Mapping[str, object], known: set[str], path: str) -> None:
        for key in given:
            if key not in known:
                self._refuse(
                    _join(path, shown(key).strip('"')),
                    _("this is not known here; known are %(known)s.")
                    % {"known": ", ".join(sorted(known))},
                )

    def _refuse(self, path: str, message: str) -> None:
        self.errors.append({"path": path, "message": message})


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _line(error: dict[str, str]) -> str:
    return f"{error['path']}: {error['message']}" if error["path"] else error["message"]
