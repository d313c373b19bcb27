"""Every foreign key to Customer, in whatever app, found through Django's registry.

A merge moves rows of higher apps without their help. Where a customer can have only one row of a kind (one message a
batch), an app says with `prefer()` which of two stays, or gives the other an end of its own with `before_merge()`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.db import models

from customers.models import Customer, LikelyDuplicate

Veto = Callable[[int, int], str]
Preparation = Callable[[int, int], None]

_preferences: dict[type[models.Model], models.Case] = {}
_vetoes: list[Veto] = []
_preparations: list[Preparation] = []


@dataclass(frozen=True, slots=True)
class Belonging:
    """A foreign key to Customer, and the constraints that allow a customer one row of a kind."""

    model: type[models.Model]
    field: models.ForeignKey
    constraints: tuple[models.UniqueConstraint, ...]

    @property
    def table(self) -> str:
        return str(self.model._meta.db_table)

    @property
    def column(self) -> str:
        return str(self.field.column)

    @property
    def key(self) -> str:
        return f"{self.table}.{self.column}"

    def losers(self, survivor: int, duplicate: int) -> set[int]:
        """Return keys of rows that cannot stay: of two that a constraint allows once, the survivor's stays unless the other is preferred.

        A LikelyDuplicate is about two records, not the person, so the duplicate's never stay.
        """
        if self.model is LikelyDuplicate:
            rows = self.model._base_manager.filter(**{self.field.name: duplicate})
            return set(rows.values_list("pk", flat=True))
        lost: set[int] = set()
        for constraint in self.constraints:
            kept: dict[tuple[object, ...], int] = {}
            for pk, *values in self._rows(constraint, survivor, duplicate):
                if (
                    pk not in lost
                    and None not in values
                    and kept.setdefault(tuple(values), pk) != pk
                ):
                    lost.add(pk)
        return lost

    def _rows(
        self, constraint: models.UniqueConstraint, survivor: int, duplicate: int
    ) -> Iterable[tuple[int, ...]]:
        """Return the rows of both customers, preferred ones first: the key and the values that must be unique."""
        whose = models.F(self.field.name)
        others = [each for each in _expressions(constraint) if each != whose]
        rows = self.model._base_manager.filter(
            constraint.condition or models.Q(), **{f"{self.field.name}__in": (survivor, duplicate)}
        )
        is_survivors = models.Case(models.When(**{self.field.name: survivor}, then=1), default=0)
        order = [rank.desc() for rank in (_preferences.get(self.model), is_survivors) if rank]
        return rows.order_by(*order, "pk").values_list("pk", *others)


def prefer(model: type[models.Model], rank: models.Case) -> None:
    """Let a merge keep, of two such rows, the one with the greater rank."""
    _preferences[model] = rank


def refuse_when(veto: Veto) -> None:
    """Ask `veto(survivor, duplicate)` before each merge for a reason against it, or ""."""
    if veto not in _vetoes:
        _vetoes.append(veto)


def reason_against(survivor: int, duplicate: int) -> str:
    """Return the first reason of an app against the merge, or ""."""
    return next((reason for veto in _vetoes if (reason := veto(survivor, duplicate))), "")


def before_merge(preparation: Preparation) -> None:
    """Call `preparation(survivor, duplicate)` in the transaction of each merge, before rows move."""
    if preparation not in _preparations:
        _preparations.append(preparation)


def prepare(survivor: int, duplicate: int) -> None:
    """Let apps prepare their rows of two locked customers for the merge."""
    for preparation in _preparations:
        preparation(survivor, duplicate)


@cache
def belongings() -> tuple[Belonging, ...]:
    """Return all foreign keys to Customer, in a fixed order."""
    found = [
        Belonging(relation.related_model, relation.field, tuple(_once_a_customer(relation.field)))
        for relation in Customer._meta.get_fields(include_hidden=True)
        if isinstance(relation, models.ManyToOneRel)
    ]
    return tuple(sorted(found, key=lambda belonging: belonging.key))


def _once_a_customer(field: models.ForeignKey) -> Iterator[models.UniqueConstraint]:
    meta = field.model._meta
    if field.unique:
        yield models.UniqueConstraint(fields=[field.name], name="once_a_customer")
    for names in meta.unique_together:
        if field.name in names:
            yield models.UniqueConstraint(fields=names, name="together")
    for constraint in meta.constraints:
        if isinstance(constraint, models.UniqueConstraint) and models.F(field.name) in _expressions(
            constraint
        ):
            yield constraint


def _expressions(constraint: models.UniqueConstraint) -> list[Any]:
    return list(constraint.expressions) or [models.F(name) for name in constraint.fields]
