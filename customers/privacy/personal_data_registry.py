"""The registry of what is held on a person: each app says which rows are theirs, and what erasing leaves of them.

    register(Holding("consents", rows=of(Consent), left={"evidence": ""}))

Rows that hold nothing but the person go; of rows that are counted, or are money, only what is personal does. A test holds every
table with a foreign key to Customer against this registry.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import or_
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db.models import (
    Expression,
    F,
    Field,
    Func,
    JSONField,
    Model,
    Q,
    QuerySet,
    TextField,
    Value,
)
from django.db.models.functions import Cast
from django.utils.translation import gettext as _

from customers.privacy.data_subject import Person

MASK = "erased"

Rows = Callable[[Person], QuerySet[Any]]


@dataclass(frozen=True, slots=True)
class Holding:
    """Rows of one table on a person.

    `left` has the columns that erasing changes with what is left in them (a value, an expression, or a function of the person that
    gives one); None deletes the rows.
    """

    name: str
    rows: Rows
    left: Mapping[str, Any] | None = None
    hidden: Sequence[str] = field(default=())
    """Columns that are ours, not the person's, and stay out of an export."""
    exported: bool = True
    """Rows that merely mention a person are someone else's, and not handed out."""

    @property
    def label(self) -> str:
        return _(self.name)

    def export(self, person: Person) -> list[dict[str, Any]]:
        """The rows as they are, by name of column."""
        rows = self.rows(person)
        columns = [each.attname for each in rows.model._meta.concrete_fields]
        return list(
            rows.order_by("pk").values(*(name for name in columns if name not in self.hidden))
        )

    def erase(self, person: Person) -> int:
        """Remove what is personal; returns from how many rows."""
        rows = self.rows(person)
        if self.left is None:
            return rows.delete()[0]
        if not self.left:
            return 0
        return rows.update(
            **{
                column: value(person) if callable(value) else value
                for column, value in self.left.items()
            }
        )


_holdings: dict[str, Holding] = {}


def register(*holdings: Holding) -> None:
    """Make holdings known; one of the same name takes the place of the former."""
    _holdings.update({each.name: each for each in holdings})


def known() -> list[Holding]:
    return list(_holdings.values())


def of(model: type[Model], column: str = "customer") -> Rows:
    """The rows of a model that lead to the customer by a column."""
    return lambda person: model._default_manager.filter(**{column: person.pk})


def mentioning(model: type[Model], *columns: str) -> Rows:
    """The rows of a model in whose columns, text or JSON, an e-mail or phone of theirs stands."""

    def rows(person: Person) -> QuerySet[Any]:
        texts = {f"{column}_text": Cast(column, TextField()) for column in columns}
        found = reduce(
            or_,
            (Q(**{f"{text}__iregex": pattern}) for text in texts for pattern in person.patterns),
            Q(pk__in=[]),
        )
        return model._default_manager.alias(**texts).filter(found)

    return rows


def masked(column: str, output: Field) -> Callable[[Person], Expression]:
    """The column with their e-mails and phones blotted out."""

    def expression(person: Person) -> Expression:
        text: Expression = Cast(column, TextField())
        for pattern in person.patterns:
            text = Func(
                text, Value(pattern), Value(MASK), Value("gi"), function="regexp_replace",
                output_field=TextField(),
            )  # fmt: skip
        return Cast(text, output)

    return expression


def kept(column: str, *names: str) -> Func:
    """Of a JSON object, the entries of these names alone: what is counted and nobody's."""
    return Kept(F(column), Value(list(names), output_field=ArrayField(TextField())))


class Kept(Func):
    """jsonb_each() stands in FROM, which Django's expressions have no words for."""

    output_field = JSONField()
    arity = 2

    def as_sql(  # type: ignore[override]  # the stubs know parameters of numbers and texts alone
        self, compiler: Any, connection: Any, **context: Any
    ) -> tuple[str, list[Any]]:
        column, names = self.get_source_expressions()
        column_sql, column_parameters = compiler.compile(column)
        names_sql, names_parameters = compiler.compile(names)
        sql = (
            "coalesce((SELECT jsonb_object_agg(entry.key, entry.value)"
            f" FROM jsonb_each(CASE jsonb_typeof({column_sql}) WHEN 'object' THEN {column_sql} END) AS entry"
            f" WHERE entry.key = ANY({names_sql})), '{{}}')"
        )
        return sql, [*column_parameters, *column_parameters, *names_parameters]
