"""Describe rules in words: "Customers who spent more than $2,000.00 and have at least 50 orders"."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, cast

from babel import Locale
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy, ngettext, ngettext_lazy, to_locale
from django.utils.translation import gettext as _

from crm import masking
from crm.adminkit.display import money, number
from customers.models import Segment
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
    "order_count": ngettext_lazy(
        "who have %(amount)s order", "who have %(amount)s orders", "number"
    ),
    "visit_count": ngettext_lazy(
        "who have %(amount)s visit", "who have %(amount)s visits", "number"
    ),
    "age": ngettext_lazy("who are %(amount)s year old", "who are %(amount)s years old", "number"),
}
_NONE_OR_SOME = {
    "total_spend": (gettext_lazy("who spent nothing"), gettext_lazy("who spent something")),
    "order_count": (gettext_lazy("who never ordered"), gettext_lazy("who have ordered")),
    "visit_count": (gettext_lazy("who never visited"), gettext_lazy("who have visited")),
}


def _alike(same: Promise, other: Promise) -> dict[str, Promise]:
    """Return the sentences of a value that is one of some, or is not."""
    return {"=": same, "in": same, "!=": other, "not_in": other}


_LIVES = _alike(gettext_lazy("who live in %(value)s"), gettext_lazy("who do not live in %(value)s"))
_WORDED: dict[str, dict[str, Promise]] = {
    "city": _LIVES,
    "region": _LIVES,
    "country": _LIVES,
    "language": _alike(
        gettext_lazy("who speak %(value)s"), gettext_lazy("who do not speak %(value)s")
    ),
    "tags": {
        "contains": gettext_lazy("who have the tag %(value)s"),
        "contains_any": gettext_lazy("who have the tag %(value)s"),
        "contains_all": gettext_lazy("who have the tags %(value)s"),
        "contains_none": gettext_lazy("who do not have the tag %(value)s"),
    },
    "interests": {
        "contains": gettext_lazy("who are interested in %(value)s"),
        "contains_any": gettext_lazy("who are interested in %(value)s"),
        "contains_all": gettext_lazy("who are interested in %(value)s"),
        "contains_none": gettext_lazy("who are not interested in %(value)s"),
    },
    "purchased_categories": {
        "contains": gettext_lazy("who bought from the category %(value)s"),
        "contains_any": gettext_lazy("who bought from the category %(value)s"),
        "contains_all": gettext_lazy("who bought from each of the categories %(value)s"),
        "contains_none": gettext_lazy("who never bought from the category %(value)s"),
    },
    "purchased_products": {
        "contains": gettext_lazy("who bought %(value)s"),
        "contains_any": gettext_lazy("who bought %(value)s"),
        "contains_all": gettext_lazy("who bought %(value)s"),
        "contains_none": gettext_lazy("who never bought %(value)s"),
    },
    "subscribed": {
        "contains": gettext_lazy("who can be reached by %(value)s"),
        "contains_any": gettext_lazy("who can be reached by %(value)s"),
        "contains_all": gettext_lazy("who can be reached by %(value)s"),
        "contains_none": gettext_lazy("who cannot be reached by %(value)s"),
        "is_set": gettext_lazy("who can be reached by some channel"),
        "is_not_set": gettext_lazy("who can be reached by no channel"),
    },
    "segment": {
        "contains": gettext_lazy("who are in the segment %(value)s"),
        "contains_any": gettext_lazy("who are in the segment %(value)s"),
        "contains_all": gettext_lazy("who are in the segments %(value)s"),
        "contains_none": gettext_lazy("who are not in the segment %(value)s"),
        "is_set": gettext_lazy("who are in some segment"),
        "is_not_set": gettext_lazy("who are in no segment"),
    },
}
"""Sentences about fields; several values are joined by "or", those that must all be there by "and"."""
_PLAIN = {
    "=": gettext_lazy("whose %(label)s is %(value)s"),
    "!=": gettext_lazy("whose %(label)s is not %(value)s"),
    "between": gettext_lazy("whose %(label)s is between %(value)s"),
    "contains": gettext_lazy("whose %(label)s contains %(value)s"),
    "not_contains": gettext_lazy("whose %(label)s does not contain %(value)s"),
    "starts_with": gettext_lazy("whose %(label)s starts with %(value)s"),
    "ends_with": gettext_lazy("whose %(label)s ends with %(value)s"),
    "in": gettext_lazy("whose %(label)s is %(value)s"),
    "not_in": gettext_lazy("whose %(label)s is not %(value)s"),
    "contains_any": gettext_lazy("whose %(label)s contains %(value)s"),
    "contains_all": gettext_lazy("whose %(label)s contains %(value)s"),
    "contains_none": gettext_lazy("whose %(label)s does not contain %(value)s"),
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
    ("<=", 0): _NEVER,
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
        ngettext_lazy("who placed %(amount)s order", "who placed %(amount)s orders", "number"),
    ),
    types.ORDER_REFUNDED: (
        gettext_lazy("who returned nothing"),
        gettext_lazy("who returned an order or got a refund"),
        ngettext_lazy("with %(amount)s refund", "with %(amount)s refunds", "number"),
    ),
    types.ORDER_CANCELLED: (
        gettext_lazy("who cancelled no order"),
        gettext_lazy("who cancelled an order"),
        ngettext_lazy(
            "who cancelled %(amount)s order", "who cancelled %(amount)s orders", "number"
        ),
    ),
    types.PAGE_VIEWED: (
        gettext_lazy("who viewed no page"),
        gettext_lazy("who viewed a page"),
        ngettext_lazy("who viewed %(amount)s page", "who viewed %(amount)s pages", "number"),
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
        gettext_lazy("who clicked no link in %(a_message)s"),
        gettext_lazy("who clicked a link in %(a_message)s"),
        ngettext_lazy(
            "who clicked %(amount)s link in %(messages)s",
            "who clicked %(amount)s links in %(messages)s",
            "number",
        ),
    ),
    types.MESSAGE_CONVERTED: (
        gettext_lazy("who bought nothing after %(a_message)s"),
        gettext_lazy("who bought after %(a_message)s"),
        ngettext_lazy(
            "who bought %(amount)s time after %(a_message)s",
            "who bought %(amount)s times after %(a_message)s",
            "number",
        ),
    ),
    types.MESSAGE_BOUNCED: (
        gettext_lazy("with no bounced %(message)s"),
        gettext_lazy("with a bounced %(message)s"),
        gettext_lazy("with %(amount)s bounced %(messages)s"),
    ),
    types.UNSUBSCRIBED: (
        gettext_lazy("who did not unsubscribe from %(messages)s"),
        gettext_lazy("who unsubscribed from %(messages)s"),
        ngettext_lazy(
            "who unsubscribed %(amount)s time from %(messages)s",
            "who unsubscribed %(amount)s times from %(messages)s",
            "number",
        ),
    ),
    "service_contact": (
        gettext_lazy("who did not contact service"),
        gettext_lazy("who contacted service"),
        ngettext_lazy(
            "who contacted service %(amount)s time",
            "who contacted service %(amount)s times",
            "number",
        ),
    ),
}
_DID_ANYTHING = (
    gettext_lazy("who never did “%(event)s”"),
    gettext_lazy("who did “%(event)s”"),
    ngettext_lazy(
        "who did “%(event)s” %(amount)s time", "who did “%(event)s” %(amount)s times", "number"
    ),
)
_BOUGHT = (
    gettext_lazy("who did not buy %(goods)s"),
    gettext_lazy("who bought %(goods)s"),
    ngettext_lazy(
        "who bought %(goods)s %(amount)s time", "who bought %(goods)s %(amount)s times", "number"
    ),
)
_OF_MESSAGES = frozenset(
    {
        types.MESSAGE_SENT,
        types.MESSAGE_DELIVERED,
        types.MESSAGE_OPENED,
        types.MESSAGE_CLICKED,
        types.MESSAGE_CONVERTED,
        types.MESSAGE_BOUNCED,
        types.UNSUBSCRIBED,
    }
)
_GOODS = {
    ("product", "="): gettext_lazy("%s"),
    ("product", "in"): gettext_lazy("%s"),
    ("product", "contains"): gettext_lazy("a product with “%s” in its name"),
    ("category", "="): gettext_lazy("from the category %s"),
    ("category", "in"): gettext_lazy("from the category %s"),
    ("brand", "="): gettext_lazy("from the brand %s"),
    ("brand", "in"): gettext_lazy("from the brand %s"),
}
_OF_AN_EVENT = {
    "=": gettext_lazy("with the %(label)s %(value)s"),
    "in": gettext_lazy("with the %(label)s %(value)s"),
    "!=": gettext_lazy("with another %(label)s than %(value)s"),
    "not_in": gettext_lazy("with another %(label)s than %(value)s"),
    "contains": gettext_lazy("with “%(value)s” in the %(label)s"),
    "starts_with": gettext_lazy("with a %(label)s that starts with %(value)s"),
}
_OF_CAMPAIGNS = _alike(
    gettext_lazy("of the campaign %(value)s"), gettext_lazy("of another campaign than %(value)s")
)

_labels: dict[str, Callable[[Sequence[str]], dict[str, str]]] = {}


def register_labels(name: str, labels: Callable[[Sequence[str]], dict[str, str]]) -> None:
    """Add a function of an app above that returns names for values of an event property, such as ids of campaigns."""
    _labels[name] = labels


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
            return _birthday(before + 1, last)
        case Attribute(operator="is_set"), Attribute(operator="inactive_days"):
            older = _DATED.get(second.field.name, {}).get("older")
            if older and first.field == second.field:
                return str(older % {"value": _value(second)})
    return ""


def _birthday(first: int, last: int) -> str:
    """Return birthdays from `first` to `last` days from now."""
    if first == last == 1:
        return _("whose birthday is tomorrow")
    if first == last:
        return _("whose birthday is in exactly %s days") % number(last)
    days = {"first": number(first), "last": number(last)}
    return _("whose birthday is %(first)s to %(last)s days from now") % days


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
    return f"({_clauses(rule)})" if len(list(_parts(rule))) > 1 else _clauses(rule)


def _attribute(rule: Attribute) -> str:
    field, operator = rule.field, rule.operator
    texts = {"label": field.label, "value": _value(rule)}
    if worded := _WORDED.get(field.name, {}).get(operator):
        return str(worded % texts)
    if (field.name, operator, rule.value) == ("date_of_birth", "anniversary_in_days", 0):
        return _("whose birthday is today")
    how = _HOW.get((operator, rule.value), _OFTEN) if field.name in _NONE_OR_SOME else _OFTEN
    if how != _OFTEN and (field.name != "total_spend" or rule.value == 0):
        return str(_NONE_OR_SOME[field.name][how])
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
        number = _plural_of(rule.value)
        return str(
            counted % {**texts, "amount": _AMOUNTS[operator] % texts["value"], "number": number}
        )
    return str(_PLAIN[operator] % texts)


def _plural_of(value: object) -> int:
    """Return the number that decides between "order" and "orders"."""
    last = value[-1] if isinstance(value, tuple) else value
    return 1 if last == 1 else 2


def _behaviour(rule: Behaviour) -> str:
    where = list(rule.where)
    parts = [_summed(rule, where) if rule.summed else _did(rule, where)]
    dates = [each for each in where if each.field.name == event_types.TIME]
    if others := [each for each in where if each not in dates]:
        parts.append(_(" and ").join(map(_of_event, others)))
    parts += map(_attribute, dates)
    if rule.within_days is not None:
        days = ngettext("%s day", "%s days", rule.within_days) % number(rule.within_days)
        parts.append(_("in the last %s") % days)
    return " ".join(parts)


def _of_event(condition: Attribute) -> str:
    """Return a condition on a property of an event: "of the campaign Black Friday"."""
    field, operator = condition.field, condition.operator
    texts = {"label": field.label, "value": _value(condition)}
    if field.name == "campaign" and (campaigns := _OF_CAMPAIGNS.get(operator)):
        return str(campaigns % texts)
    if operator in _AMOUNTS and not (operator in _PLAIN and _is_plain(condition)):
        amount = _AMOUNTS[operator] % texts["value"]
        if field.name == "amount":
            return _("worth %s") % amount
        return _("with %(label)s %(amount)s") % {**texts, "amount": amount}
    return str(_OF_AN_EVENT.get(operator, _PLAIN[operator]) % texts)


def _did(rule: Behaviour, where: list[Attribute]) -> str:
    """Return the event and its number; the conditions in that sentence leave `where`."""
    how = _HOW.get((rule.operator, rule.value), _OFTEN)
    texts: dict[str, Any] = {
        "event": rule.event.label,
        "amount": _figure(rule),
        "number": _plural_of(rule.value),
    }
    if rule.event.name == types.ORDER_PLACED and (goods := _goods(where)):
        return str(_BOUGHT[how] % {**texts, "goods": goods})
    nouns = _MESSAGES[_channel(where) if rule.event.name in _OF_MESSAGES else ""]
    texts |= dict(zip(("message", "a_message", "messages"), nouns, strict=True))
    return str(_DID.get(rule.event.name, _DID_ANYTHING)[how] % texts)


def _goods(where: list[Attribute]) -> str:
    """Return the products, the category or the brand of orders; the condition leaves `where`."""
    for condition in where:
        if goods := _GOODS.get((condition.field.name, condition.operator)):
            where.remove(condition)
            return str(goods % _value(condition))
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


def _summed(rule: Behaviour, where: list[Attribute]) -> str:
    """Return a sum over events; what it says of the goods leaves `where`."""
    assert rule.summed
    amount = {"amount": _figure(rule)}
    if (rule.event.name, rule.summed.name) == (types.ORDER_PLACED, "amount"):
        if where and where[0].field.name == "category" and where[0].operator in {"=", "in"}:
            category = _value(where.pop(0))
            return _("who spent %(amount)s in the category %(category)s") % {
                **amount,
                "category": category,
            }
        return _("who spent %(amount)s on orders") % amount
    if (rule.event.name, rule.summed.name) == (types.ORDER_PLACED, "quantity"):
        if goods := _goods(where):
            return _("who bought %(amount)s pieces: %(goods)s") % {**amount, "goods": goods}
        return _("who bought %(amount)s pieces") % amount
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
        return _listed(rule, rule.value)
    return _listed(rule, (rule.value,)) if isinstance(rule.value, str) else _one(rule, rule.value)


def _listed(rule: Attribute, values: tuple[Any, ...]) -> str:
    """Return values by their names: "Berlin, Paris or Rome"; those that must all be there with "and"."""
    shown = [_one(rule, each) for each in values[:MOST_SHOWN]]
    names = _names(rule, [str(each) for each in values[:MOST_SHOWN]])
    shown = [names.get(each, each) for each in shown]
    if len(values) > MOST_SHOWN:
        shown.append(_("%s more") % number(len(values) - MOST_SHOWN))
    if len(shown) < 2:
        return "".join(shown)
    joint = _(" and ") if rule.operator == "contains_all" else _(" or ")
    return f"{', '.join(shown[:-1])}{joint}{shown[-1]}"


def _names(rule: Attribute, values: Sequence[str]) -> dict[str, str]:
    """Return the names of segments, countries, languages and campaigns by their stored values."""
    match rule.field.name:
        case "segment":
            return dict(Segment.objects.filter(slug__in=values).values_list("slug", "name"))
        case "country":
            return dict(_locale().territories)
        case "language":
            return {code: str(_locale().languages.get(code, code)) for code in values}
    labels = _labels.get(rule.field.name)
    return labels(values) if labels else {}


def _locale() -> Locale:
    return Locale.parse(to_locale(get_language() or "en"))


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
