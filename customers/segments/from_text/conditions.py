"""Build rules as JSON, join and negate them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from customers.segments.from_text.amounts import Amount
from customers.segments.from_text.periods import Period
from customers.segments.from_text.phrase import RuleJSON

A_DAY = timedelta(days=1)
_OPPOSITE = {
    "=": "!=",
    "contains": "contains_none",
    "contains_any": "contains_none",
    "in": "not_in",
    "is_set": "is_not_set",
    "in_last_days": "inactive_days",
}
_OPPOSITE |= {there: here for here, there in _OPPOSITE.items() if there != "contains_none"}
_LISTS = {
    "interests",
    "tags",
    "purchased_categories",
    "purchased_products",
    "subscribed",
    "segment",
}
_ALWAYS_KNOWN = {"total_spend", "order_count", "visit_count"}
_OPPOSITE_AMOUNT = {">": "<=", ">=": "<", "<": ">=", "<=": ">"}


def attribute(field: str, operator: str, value: Any = None) -> RuleJSON:
    rule: RuleJSON = {"field": field, "operator": operator}
    return rule if value is None else {**rule, "value": value}


def compared(field: str, amount: Amount) -> RuleJSON:
    return attribute(field, amount.operator, amount.json)


def happened(
    event: str,
    amount: Amount | None = None,
    period: Period | None = None,
    *,
    aggregate: str = "",
    where: Sequence[RuleJSON] = (),
) -> RuleJSON:
    """Return a rule about an event: how often (at least once), or with an aggregate how much, in a period."""
    rule: RuleJSON = {
        "event": event,
        "operator": amount.operator if amount else ">=",
        "value": amount.json if amount else 1,
    }
    where = list(where)
    if aggregate:
        rule["aggregate"] = aggregate
    if period is not None and period.days is not None and not period.older:
        rule["within_days"] = period.days
    elif period is not None and period.older:
        where.append(attribute("occurred_at", "inactive_days", period.days))
    elif period is not None:
        where.append(in_period("occurred_at", period))
    if where:
        rule["where"] = where
    return rule


def in_period(field: str, period: Period) -> RuleJSON:
    """Return the rule of a date within a period."""
    if period.older:
        return all_of([attribute(field, "is_set"), attribute(field, "inactive_days", period.days)])
    if period.days is not None:
        operator = "anniversary_in_days" if period.ahead else "in_last_days"
        return attribute(field, operator, period.days)
    first, last = period.first, period.last
    if first is not None and last is not None:
        if first == last:
            return attribute(field, "on", _iso(first))
        return attribute(field, "between", [_iso(first), _iso(last)])
    if first is not None:
        return attribute(field, "after", _iso(first - A_DAY))
    assert last is not None
    return attribute(field, "before", _iso(last + A_DAY))


def one_of(field: str, values: Sequence[str]) -> RuleJSON:
    """Return the rule of a text that is one of the values, or a list that has one of them."""
    if field in _LISTS:
        return _listed(field, values, "contains_any")
    return (
        attribute(field, "=", values[0]) if len(values) == 1 else attribute(field, "in", [*values])
    )


def has_all(field: str, values: Sequence[str]) -> RuleJSON:
    return _listed(field, values, "contains_all")


def _listed(field: str, values: Sequence[str], operator: str) -> RuleJSON:
    if len(values) == 1:
        return attribute(field, "contains", values[0])
    return attribute(field, operator, [*values])


def all_of(rules: Sequence[RuleJSON]) -> RuleJSON:
    return _joined("AND", rules)


def any_of(rules: Sequence[RuleJSON]) -> RuleJSON:
    return _joined("OR", rules)


def not_(rule: RuleJSON) -> RuleJSON:
    """Negate a rule, as plainly as the language allows."""
    if "conditions" in rule:
        if rule.get("negate"):
            return {key: value for key, value in rule.items() if key != "negate"}
        if rule["operator"] == "OR" and rule["conditions"]:
            return all_of([not_(each) for each in rule["conditions"]])
        return {**rule, "negate": True}
    if "event" in rule:
        return _not_happened(rule)
    return _not_attribute(rule)


def _not_happened(rule: RuleJSON) -> RuleJSON:
    if "aggregate" not in rule and (rule["operator"], rule["value"]) == (">=", 1):
        return {**rule, "operator": "=", "value": 0}
    return {"operator": "AND", "conditions": [rule], "negate": True}


def _not_attribute(rule: RuleJSON) -> RuleJSON:
    field, operator, value = rule["field"], rule["operator"], rule.get("value")
    if field in _ALWAYS_KNOWN and operator in _OPPOSITE_AMOUNT:
        if (operator, value) in {(">=", 1), (">", 0)} and field != "total_spend":
            return attribute(field, "=", 0)
        return attribute(field, _OPPOSITE_AMOUNT[operator], value)
    if operator == "contains" and field not in _LISTS:
        return attribute(field, "not_contains", value)
    if operator in {"contains", "contains_any"}:
        return attribute(field, "contains_none", value if isinstance(value, list) else [value])
    if operator in _OPPOSITE:
        return attribute(field, _OPPOSITE[operator], value)
    return {"operator": "AND", "conditions": [rule], "negate": True}


def _joined(operator: str, rules: Sequence[RuleJSON]) -> RuleJSON:
    flat: list[RuleJSON] = []
    for rule in rules:
        is_same = rule.get("operator") == operator and "conditions" in rule
        flat += rule["conditions"] if is_same and not rule.get("negate") else [rule]
    unique = [rule for index, rule in enumerate(flat) if rule not in flat[:index]]
    return unique[0] if len(unique) == 1 else {"operator": operator, "conditions": unique}


def _iso(day: date) -> str:
    return day.isoformat()
