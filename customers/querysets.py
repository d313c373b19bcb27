"""Sentences over customers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models

if TYPE_CHECKING:
    from customers.models import Customer  # noqa: F401


class CustomerQuerySet(models.QuerySet["Customer"]):
    def matching(self, rules: dict[str, Any]) -> CustomerQuerySet:
        """The customers that a rule describes. Raises customers.segments.rules.RuleError for a rule that does not fit."""
        from customers.segments.compile import compile_rules

        return self.filter(compile_rules(rules))
