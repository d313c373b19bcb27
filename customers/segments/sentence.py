"""A rule in words: "Customers who spent more than $2,000.00 and have at least 50 orders"."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from crm.adminkit.display import money, number
from customers.segments.operators import RELATIVE, Type
from customers.segments.rules import Attribute, Group, Rule, parse

MOST_SHOWN = 5

_AMOUNTS = {
    "=": gettext_lazy("exactly %s"),
    "!=": gettext_lazy("other than %s"),
    ">": gettext_lazy("more than %s"),
    ">=": gettext_lazy("at least %s"),
    "<": gettext_lazy("less than %s"),
    "<=": gettext_lazy("at most %s"),
    "between": gettext_lazy("between %s"),
}
_COUNTED = {
    "total_spend": gettext_lazy("who spent %(amount)s"),
    "order_count": gettext_lazy("who have %(amount)s orders"),
    "visit_count": gettext_lazy("who have %(amount)s visits"),
    "age": gettext_lazy("who are %(amount)s years old"),
}
_LISTED = {
    "tags": {
        "contains": gettext_lazy("who have the tag %(value)s"),
        "contains_any": gettext_lazy("who have any of the tags %(value)s"),
        "contains_all": gettext_lazy("who have all of the tags %(value)s"),
        "contains_none": gettext_lazy("who have none of the tags %(value)s"),
    },
    "purchased_categories": {
        "contains": gettext_lazy("who bought from the category %(value)s"),
        "contains_any": gettext_lazy("who bought from any of the categories %(value)s"),
        "contains_all": gettext_lazy("who bought from all of the categories %(value)s"),
        "contains_none": gettext_lazy("who bought from none of the categories %(value)s"),
    },
    "purchased_products": {
        "contains": gettext_lazy("who bought %(value)s"),
        "contains_any": gettext_lazy("who bought any of %(value)s"),
        "contains_all": gettext_lazy("who bought all of %(value)s"),
        "contains_none": gettext_lazy("who bought none of %(value)s"),
    },
    "subscribed": {
        "contains": gettext_lazy("who can be reached by %(value)s"),
        "contains_any": gettext_lazy("who can be reached by any of %(value)s"),
        "contains_all": gettext_lazy("who can be reached by all of %(value)s"),
        "contains_none": gettext_lazy("who can be reached by none of %(value)s"),
        "is_set": gettext_lazy("who can be reached by some channel"),
        "is_not_set": gettext_lazy("who can be reached by no channel"),
    },
    "segment": {
        "contains": gettext_lazy("who are in the segment %(value)s"),
        "contains_any": gettext_lazy("who are in any of the segments %(value)s"),
        "contains_all": gettext_lazy("who are in all of the segments %(value)s"),
        "contains_none": gettext_lazy("who are in none of the segments %(value)s"),
        "is_set": gettext_lazy("who are in some segment"),
        "is_not_set": gettext_lazy("who are in no segment"),
    },
}
_PLAIN = {
    "=": gettext_lazy("whose %(label)s is %(value)s"),
    "!=": gettext_lazy("whose %(label)s is not %(value)s"),
    "between": gettext_lazy("whose %(label)s is between %(value)s"),
    "contains": gettext_lazy("whose %(label)s contains %(value)s"),
    "not_contains": gettext_lazy("whose %(label)s does not contain %(value)s"),
    "starts_with": gettext_lazy("whose %(label)s starts with %(value)s"),
    "ends_with": gettext_lazy("whose %(label)s ends with %(value)s"),
    "in": gettext_lazy("whose %(label)s is one of %(value)s"),
    "not_in": gettext_lazy("whose %(label)s is none of %(value)s"),
    "contains_any": gettext_lazy("whose %(label)s contains any of %(value)s"),
    "contains_all": gettext_lazy("whose %(label)s contains all of %(value)s"),
    "contains_none": gettext_lazy("whose %(label)s contains none of %(value)s"),
    "before": gettext_lazy("whose %(label)s is before %(value)s"),
    "after": gettext_lazy("whose %(label)s is after %(value)s"),
    "on": gettext_lazy("whose %(label)s is on %(value)s"),
    "in_last_days": gettext_lazy("whose %(label)s is in the last %(value)s"),
    "inactive_days": gettext_lazy("whose %(label)s is more than %(value)s ago, or never"),
    "anniversary_in_days": gettext_lazy(
        "whose %(label)s has its anniversary in the next %(value)s"
    ),
    "is_set": gettext_lazy("whose %(label)s is known"),
    "is_not_set": gettext_lazy("whose %(label)s is not known"),
}


def sentence(rules: dict[str, Any]) -> str:
    """The rule in the reader's language. Raises customers.segments.rules.RuleError for a rule that does not fit."""
    tree = parse(rules)
    if not tree.conditions:
        everyone = (tree.operator == "AND") is not tree.negate
        return _("All customers") if everyone else _("No customers")
    if tree.negate:
        return _("Customers except those %(clauses)s") % {"clauses": _clauses(tree)}
    return _("Customers %(clauses)s") % {"clauses": _clauses(tree)}


def _clauses(group: Group) -> str:
    parts = [_clause(each) for each in group.conditions]
    who = _("who ")
    shortened = [
        part.removeprefix(who) if before.startswith(who) else part
        for before, part in zip(["", *parts], parts, strict=False)
    ]
    return (_(" and ") if group.operator == "AND" else _(" or ")).join(shortened)


def _clause(rule: Rule) -> str:
    if isinstance(rule, Attribute):
        return _attribute(rule)
    if not rule.conditions:
        everyone = (rule.operator == "AND") is not rule.negate
        return _("anyone") if everyone else _("no one")
    if rule.negate:
        return _("who are not among those (%(clauses)s)") % {"clauses": _clauses(rule)}
    return _clauses(rule) if len(rule.conditions) == 1 else f"({_clauses(rule)})"


def _attribute(rule: Attribute) -> str:
    field, operator = rule.field, rule.operator
    said = {"label": field.label, "value": _value(rule)}
    if listed := _LISTED.get(field.name, {}).get(operator):
        return str(listed % said)
    if operator in _AMOUNTS and not _is_plain(rule):
        counted = _COUNTED.get(field.name, gettext_lazy("whose %(label)s is %(amount)s"))
        return str(counted % {**said, "amount": _AMOUNTS[operator] % said["value"]})
    return str(_PLAIN[operator] % said)


def _is_plain(rule: Attribute) -> bool:
    """Whether the value is something else than an amount: "is Berlin" rather than "is exactly Berlin"."""
    values = rule.value if isinstance(rule.value, tuple) else (rule.value,)
    return not all(isinstance(value, Decimal) for value in values)


def _value(rule: Attribute) -> str:
    if rule.operator in RELATIVE:
        days = rule.value
        assert isinstance(days, int)
        return ngettext("%s day", "%s days", days) % number(days)
    if rule.operator == "between":
        assert isinstance(rule.value, tuple)
        least, greatest = (_one(rule, each) for each in rule.value)
        return _("%(least)s and %(greatest)s") % {"least": least, "greatest": greatest}
    if isinstance(rule.value, tuple):
        shown = [_one(rule, each) for each in rule.value[:MOST_SHOWN]]
        more = len(rule.value) - MOST_SHOWN
        return ", ".join([*shown, _("%s more") % number(more)] if more > 0 else shown)
    return _one(rule, rule.value)


def _one(rule: Attribute, value: object) -> str:
    if isinstance(value, Decimal):
        return money(value) if rule.field.type is Type.MONEY else number(value)
    if isinstance(value, datetime):
        return date_format(
            timezone.localtime(value, timezone.get_default_timezone()), "DATETIME_FORMAT"
        )
    if isinstance(value, date):
        return date_format(value, "DATE_FORMAT")
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return str(rule.field.choices.get(str(value), value))
