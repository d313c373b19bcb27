"""Explain why a customer matches rules or not: the answer of each rule, and its value.

The answers come from the same compiler as memberships, asked about one customer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import BooleanField, Case, Value, When
from django.utils import timezone

from crm import masking
from customers.models import Customer
from customers.segments.language import describe, personal
from customers.segments.language.ast import Attribute, Behaviour, Group, Rule, dump
from customers.segments.language.fields import FieldType
from customers.segments.language.rules import parse
from customers.segments.sql.behaviour import figure_of
from customers.segments.sql.compile import attribute, compile_rule


@dataclass(frozen=True, slots=True)
class Reason:
    """One rule about one customer: whether it holds, and the value behind it; a group has the reasons of its conditions.

    `value` is the customer's date, number, text or list, the figure of an event rule, or None.
    """

    rule: Rule
    holds: bool
    value: Any
    parts: tuple[Reason, ...]

    @property
    def group(self) -> Group | None:
        """Return the rule if it is a group, else None."""
        return self.rule if isinstance(self.rule, Group) else None

    @property
    def is_money(self) -> bool:
        """Return whether the value is an amount of money."""
        if isinstance(self.rule, Attribute):
            return self.rule.field.type is FieldType.MONEY
        summed = self.rule.summed if isinstance(self.rule, Behaviour) else None
        return summed is not None and summed.type is FieldType.MONEY

    @property
    def sentence(self) -> str:
        return describe.describe_rule(self.rule)

    def as_json(self) -> dict[str, Any]:
        """Return the reason as the API shows it."""
        if isinstance(self.rule, Group):
            connector = {"operator": self.rule.operator, "negate": self.rule.negate}
            parts = [each.as_json() for each in self.parts]
            return {"matches": self.holds, **connector, "conditions": parts}
        answer = {"rule": dump(self.rule), "sentence": self.sentence, "value": self.value}
        return {"matches": self.holds, **answer}


def explain(rules: dict[str, Any], customer: Customer, *, now: datetime | None = None) -> Reason:
    """Return the reasons, in the structure of the rules. Raises RuleError."""
    tree, now = parse(rules), now or timezone.now()
    every = list(_every(tree))
    answers = {f"rule_{at}": _answer(rule, customer, now) for at, rule in enumerate(every)}
    held = {
        f"held_{at}": rule.field.at(now)
        for at, rule in enumerate(every)
        if isinstance(rule, Attribute) and rule.field.type is not FieldType.LIST
    }
    asked = Customer.objects.filter(pk=customer.pk).values(**answers, **held)
    row: dict[str, Any] = dict(asked.get())
    numbered = iter(range(len(every)))

    def reason(rule: Rule) -> Reason:
        at = next(numbered)
        parts = tuple(map(reason, rule.conditions)) if isinstance(rule, Group) else ()
        value = _value(rule, row.get(f"held_{at}"))
        if personal.is_of_personal_data(rule):
            value = masking.seen(value, masking.payload)
        return Reason(personal.hide(rule), row[f"rule_{at}"], value, parts)

    def _value(rule: Rule, found: Any) -> Any:
        if isinstance(rule, Behaviour):
            return figure_of(customer.pk, rule, now, attribute)
        if isinstance(rule, Attribute) and rule.field.members is not None:
            return rule.field.members.of(customer)
        return found

    return reason(tree)


def _every(rule: Rule) -> Iterator[Rule]:
    yield rule
    if isinstance(rule, Group):
        for each in rule.conditions:
            yield from _every(each)


def _answer(rule: Rule, customer: Customer, now: datetime) -> Case:
    holds = compile_rule(rule, now, among=[customer.pk])
    return Case(When(holds, then=Value(True)), default=False, output_field=BooleanField())
