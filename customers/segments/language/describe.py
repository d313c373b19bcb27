"""Describe rules in words: "Customers who spent more than $2,000.00 and have at least 50 orders"."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, cast

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from crm import masking
from crm.adminkit.display import money, number
from customers.models.consent import Channel
from customers.segments.language import event_types, personal
from customers.segments.language.ast import Attribute, Behaviour, Group, Rule
from customers.segments.language.fields import RELATIVE, FieldType
from customers.segments.language.rules import parse
from customers.timeline import types

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

_DATED = {
    "last_order_at": {
        "in_last_days": gettext_lazy("who ordered in the last %(value)s"),
        "inactive_days": gettext_lazy("who did not order in the last %(value)s"),
        "since": gettext_lazy("who ordered since %(value)s"),
        "before": gettext_lazy("who last ordered before %(value)s"),
        "on": gettext_lazy("who last ordered on %(value)s"),
        "between": gettext_lazy("who last ordered between %(value)s"),
        "older": gettext_lazy("who last ordered more than %(value)s ago"),
        "is_set": gettext_lazy("who have ordered"),
        "is_not_set": gettext_lazy("who never ordered"),
    },
    "last_visit_at": {
        "in_last_days": gettext_lazy("who visited in the last %(value)s"),
        "inactive_days": gettext_lazy("who did not visit in the last %(value)s"),
        "since": gettext_lazy("who visited since %(value)s"),
        "before": gettext_lazy("who last visited before %(value)s"),
        "on": gettext_lazy("who last visited on %(value)s"),
        "between": gettext_lazy("who last visited between %(value)s"),
        "older": gettext_lazy("who last visited more than %(value)s ago"),
        "is_set": gettext_lazy("who have visited"),
        "is_not_set": gettext_lazy("who never visited"),
    },
    "last_interaction_at": {
        "in_last_days": gettext_lazy("who were active in the last %(value)s"),
        "inactive_days": gettext_lazy("who were not active in the last %(value)s"),
        "since": gettext_lazy("who were active since %(value)s"),
        "before": gettext_lazy("who were last active before %(value)s"),
        "on": gettext_lazy("who were last active on %(value)s"),
        "between": gettext_lazy("who were last active between %(value)s"),
        "older": gettext_lazy("who were last active more than %(value)s ago"),
        "is_set": gettext_lazy("who were ever active"),
        "is_not_set": gettext_lazy("who were never active"),
    },
    "registered_at": {
        "in_last_days": gettext_lazy("who registered in the last %(value)s"),
        "inactive_days": gettext_lazy("who did not register in the last %(value)s"),
        "older": gettext_lazy("who registered more than %(value)s ago"),
        "since": gettext_lazy("who registered since %(value)s"),
        "before": gettext_lazy("who registered before %(value)s"),
        "on": gettext_lazy("who registered on %(value)s"),
        "between": gettext_lazy("who registered between %(value)s"),
    },
    "date_of_birth": {
        "anniversary_in_days": gettext_lazy("whose birthday is in the next %(value)s"),
        "since": gettext_lazy("who were born since %(value)s"),
        "before": gettext_lazy("who were born before %(value)s"),
        "on": gettext_lazy("who were born on %(value)s"),
        "between": gettext_lazy("who were born between %(value)s"),
    },
    event_types.TIME: {
        "in_last_days": gettext_lazy("in the last %(value)s"),
        "inactive_days": gettext_lazy("more than %(value)s ago"),
        "since": gettext_lazy("since %(value)s"),
        "before": gettext_lazy("before %(value)s"),
        "on": gettext_lazy("on %(value)s"),
        "between": gettext_lazy("between %(value)s"),
    },
}
"""Sentences about dates; "since" stands for "after" the day before, "older" for `is_set` and `inactive_days`."""

_NEVER, _ONCE, _OFTEN = range(3)
_HOW: dict[tuple[str, Any], int] = {
    (">=", 1): _ONCE,
    (">", 0): _ONCE,
    ("=", 0): _NEVER,
    ("<", 1): _NEVER,
}
_MESSAGES = {
    "": (gettext_lazy("message"), gettext_lazy("a message"), gettext_lazy("messages")),
    Channel.EMAIL: (gettext_lazy("e-mail"), gettext_lazy("an e-mail"), gettext_lazy("e-mails")),
    Channel.SMS: (gettext_lazy("SMS"), gettext_lazy("an SMS"), gettext_lazy("SMS")),
    Channel.WHATSAPP: (
        gettext_lazy("WhatsApp message"),
        gettext_lazy("a WhatsApp message"),
        gettext_lazy("WhatsApp messages"),
    ),
    Channel.PUSH: (
        gettext_lazy("push notification"),
        gettext_lazy("a push notification"),
        gettext_lazy("push notifications"),
    ),
}
_DID = {
    types.ORDER_PLACED: (
        gettext_lazy("who placed no order"),
        gettext_lazy("who placed an order"),
        gettext_lazy("who placed %(amount)s orders"),
    ),
    types.PAGE_VIEWED: (
        gettext_lazy("who viewed no page"),
        gettext_lazy("who viewed a page"),
        gettext_lazy("who viewed %(amount)s pages"),
    ),
    types.MESSAGE_SENT: (
        gettext_lazy("who were sent no %(message)s"),
        gettext_lazy("who were sent %(a_message)s"),
        gettext_lazy("who were sent %(amount)s %(messages)s"),
    ),
    types.MESSAGE_DELIVERED: (
        gettext_lazy("who received no %(message)s"),
        gettext_lazy("who received %(a_message)s"),
        gettext_lazy("who received %(amount)s %(messages)s"),
    ),
    types.MESSAGE_OPENED: (
        gettext_lazy("who opened no %(message)s"),
        gettext_lazy("who opened %(a_message)s"),
        gettext_lazy("who opened %(amount)s %(messages)s"),
    ),
    types.MESSAGE_CLICKED: (
        gettext_lazy("who clicked in no %(message)s"),
        gettext_lazy("who clicked in %(a_message)s"),
        gettext_lazy("who clicked %(amount)s times in %(messages)s"),
    ),
    types.MESSAGE_CONVERTED: (
        gettext_lazy("who bought nothing after %(a_message)s"),
        gettext_lazy("who bought after %(a_message)s"),
        gettext_lazy("who bought %(amount)s times after %(a_message)s"),
    ),
    types.UNSUBSCRIBED: (
        gettext_lazy("who did not unsubscribe"),
        gettext_lazy("who unsubscribed"),
        gettext_lazy("who unsubscribed %(amount)s times"),
    ),
    "service_contact": (
        gettext_lazy("who did not contact service"),
        gettext_lazy("who contacted service"),
        gettext_lazy("who contacted service %(amount)s times"),
    ),
}
_DID_ANYTHING = (
    gettext_lazy("who never did “%(event)s”"),
    gettext_lazy("who did “%(event)s”"),
    gettext_lazy("who did “%(event)s” %(amount)s times"),
)
_BOUGHT = (
    gettext_lazy("who did not buy %(goods)s"),
    gettext_lazy("who bought %(goods)s"),
    gettext_lazy("who bought %(goods)s %(amount)s times"),
)
_OF_MESSAGES = frozenset(
    {
        types.MESSAGE_SENT,
        types.MESSAGE_DELIVERED,
        types.MESSAGE_OPENED,
        types.MESSAGE_CLICKED,
        types.MESSAGE_CONVERTED,
    }
)
_GOODS = {
    "product": gettext_lazy("%s"),
    "category": gettext_lazy("from the category %s"),
    "brand": gettext_lazy("from the brand %s"),
}


def describe(rules: dict[str, Any]) -> str:
    """Return rules as a sentence in the user's language, with masks for personal data that the user may not see. Raises RuleError."""
    tree = cast(Group, personal.hide(parse(rules)))
    if not tree.conditions:
        everyone = (tree.operator == "AND") is not tree.negate
        return _("All customers") if everyone else _("No customers")
    if tree.negate:
        return _("Customers except those %(clauses)s") % {"clauses": _clauses(tree)}
    return _("Customers %(clauses)s") % {"clauses": _clauses(tree)}


def _clauses(group: Group) -> str:
    parts = list(_parts(group))
    who = _("who ")
    shortened = [
        part.removeprefix(who) if before.startswith(who) else part
        for before, part in zip(["", *parts], parts, strict=False)
    ]
    return (_(" and ") if group.operator == "AND" else _(" or ")).join(shortened)


def _parts(group: Group) -> Iterator[str]:
    conditions = list(group.conditions)
    while conditions:
        first = conditions.pop(0)
        pair = _pair(first, conditions[0]) if conditions and group.operator == "AND" else ""
        if pair:
            conditions.pop(0)
        yield pair or describe_rule(first)


def _pair(first: Rule, second: Rule) -> str:
    """Return one sentence for two rules, of a birthday some days ahead or a date some days ago; else nothing."""
    match first, second:
        case (
            Attribute(operator="anniversary_in_days", value=int(last)),
            Group(conditions=(Attribute(operator="anniversary_in_days", value=int(before)),)),
        ) if second.negate:
            days = {"first": number(before + 1), "last": number(last)}
            return _("whose birthday is %(first)s to %(last)s days from now") % days
        case Attribute(operator="is_set"), Attribute(operator="inactive_days"):
            older = _DATED.get(second.field.name, {}).get("older")
            if older and first.field == second.field:
                return str(older % {"value": _value(second)})
    return ""


def describe_rule(rule: Rule) -> str:
    """Return one rule as a part of a sentence: "who spent more than $2,000.00"."""
    if isinstance(rule, Attribute):
        return _attribute(rule)
    if isinstance(rule, Behaviour):
        return _behaviour(rule)
    if not rule.conditions:
        everyone = (rule.operator == "AND") is not rule.negate
        return _("anyone") if everyone else _("no one")
    if rule.negate:
        return _("who are not among those (%(clauses)s)") % {"clauses": _clauses(rule)}
    return _clauses(rule) if len(rule.conditions) == 1 else f"({_clauses(rule)})"


def _attribute(rule: Attribute) -> str:
    field, operator = rule.field, rule.operator
    texts = {"label": field.label, "value": _value(rule)}
    if listed := _LISTED.get(field.name, {}).get(operator):
        return str(listed % texts)
    if (
        isinstance(rule.value, date)
        and not isinstance(rule.value, datetime)
        and operator == "after"
    ):
        operator = "since"
        texts["value"] = _one(rule, rule.value + timedelta(days=1))
    if dated := _DATED.get(field.name, {}).get(operator):
        return str(dated % texts)
    operator = rule.operator
    texts["value"] = _value(rule)
    if operator in _AMOUNTS and not (operator in _PLAIN and _is_plain(rule)):
        counted = _COUNTED.get(field.name, gettext_lazy("whose %(label)s is %(amount)s"))
        return str(counted % {**texts, "amount": _AMOUNTS[operator] % texts["value"]})
    return str(_PLAIN[operator] % texts)


def _behaviour(rule: Behaviour) -> str:
    where = list(rule.where)
    parts = [_summed(rule) if rule.summed else _did(rule, where)]
    dates = [each for each in where if each.field.name == event_types.TIME]
    if others := [each for each in where if each not in dates]:
        parts.append(_(" and ").join(_attribute(each) for each in others))
    parts += map(_attribute, dates)
    if rule.within_days is not None:
        days = ngettext("%s day", "%s days", rule.within_days) % number(rule.within_days)
        parts.append(_("in the last %s") % days)
    return " ".join(parts)


def _did(rule: Behaviour, where: list[Attribute]) -> str:
    """Return the event and its number; the conditions in that sentence leave `where`."""
    how = _HOW.get((rule.operator, rule.value), _OFTEN)
    texts = {"event": rule.event.label, "amount": _figure(rule)}
    if rule.event.name == types.ORDER_PLACED and (goods := _goods(where)):
        return str(_BOUGHT[how] % {**texts, "goods": goods})
    nouns = _MESSAGES[_channel(where) if rule.event.name in _OF_MESSAGES else ""]
    texts |= dict(zip(("message", "a_message", "messages"), nouns, strict=True))
    return str(_DID.get(rule.event.name, _DID_ANYTHING)[how] % texts)


def _goods(where: list[Attribute]) -> str:
    """Return the products, the category or the brand of orders; the condition leaves `where`."""
    for condition in where:
        if condition.field.name in _GOODS and condition.operator in {"=", "in"}:
            where.remove(condition)
            return str(_GOODS[condition.field.name] % _value(condition))
    return ""


def _channel(where: list[Attribute]) -> str:
    """Return the channel of messages; the condition leaves `where`. Events without a channel came by e-mail."""
    for condition in where:
        if condition.field.name != "channel":
            continue
        if condition.operator == "=" and condition.value in _MESSAGES:
            where.remove(condition)
            return str(condition.value)
        others = {each.value for each in Channel} - {Channel.EMAIL.value}
        if (
            condition.operator == "not_in"
            and set(cast(Iterable[object], condition.value)) == others
        ):
            where.remove(condition)
            return Channel.EMAIL
    return ""


def _summed(rule: Behaviour) -> str:
    assert rule.summed
    if (rule.event.name, rule.summed.name) == (types.ORDER_PLACED, "amount"):
        return _("who spent %s on orders") % _figure(rule)
    return _("whose %(label)s of all “%(event)s” adds up to %(amount)s") % {
        "label": rule.summed.label,
        "event": rule.event.label,
        "amount": _figure(rule),
    }


def _figure(rule: Behaviour) -> str:
    """Return "at least 2" or "between $1 and $5"."""
    written = money if rule.summed and rule.summed.type is FieldType.MONEY else number
    values = rule.value if isinstance(rule.value, tuple) else (rule.value,)
    if rule.value == masking.MASK:
        return _AMOUNTS[rule.operator] % masking.MASK
    return _AMOUNTS[rule.operator] % _(" and ").join(written(value) for value in values)


def _is_plain(rule: Attribute) -> bool:
    """Return whether the value is no amount: "is Berlin" rather than "is exactly Berlin"."""
    values = rule.value if isinstance(rule.value, tuple) else (rule.value,)
    return not all(isinstance(value, Decimal) for value in values)


def _value(rule: Attribute) -> str:
    if rule.value == masking.MASK:
        return masking.MASK
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
        return money(value) if rule.field.type is FieldType.MONEY else number(value)
    if isinstance(value, datetime):
        return date_format(
            timezone.localtime(value, timezone.get_default_timezone()), "DATETIME_FORMAT"
        )
    if isinstance(value, date):
        return date_format(value, "DATE_FORMAT")
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return str(rule.field.choices.get(str(value), value))
