"""Rules over personal data, for people whom it is hidden from: a count of one would tell them."""

from __future__ import annotations

from django.utils.translation import gettext as _

from crm import masking
from customers.models import Customer
from customers.segments.language.ast import Attribute, Group, Rule
from customers.segments.language.fields import Field
from customers.segments.language.rules import RuleError


def is_personal(field: Field) -> bool:
    return field.name == "name" or bool(field.attribute) or field.name in Customer.personal


def check(rule: Rule) -> None:
    """Raises RuleError where the rule asks for what whoever looks may not see."""
    if not masking.is_on():
        return
    if isinstance(rule, Group):
        for each in rule.conditions:
            check(each)
    elif isinstance(rule, Attribute) and is_personal(rule.field):
        message = _("You may not ask for personal data, such as the %(field)s.")
        raise RuleError([{"path": "", "message": message % {"field": rule.field.label}}])
