"""The registry of personal data: each app registers its tables, with what erasing a person leaves of their rows.

    register(PersonalTable("consents", rows_of(Consent), replace={"evidence": ""}))

Rows that are only about the person are deleted. Of rows that are counted, or are money, erasing removes only what is personal. A test
compares this registry with all tables that have a foreign key to Customer.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import or_
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.core.serializers.json import DjangoJSONEncoder
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
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.accounts.models import User
from crm.api import ids
from customers.models import Customer
from customers.privacy import data_subject
from customers.privacy.data_subject import DataSubject

MASK = "erased"

Rows = Callable[[DataSubject], QuerySet[Any]]


@dataclass(frozen=True, slots=True)
class PersonalTable:
    """Rows of one table about a person.

    `replace` maps columns to what erasing writes there: a value, an expression, or a function of the data subject that returns one.
    None deletes the rows.
    """

    name: str
    rows: Rows
    replace: Mapping[str, Any] | None = None
    internal: Sequence[str] = field(default=())
    """Columns that an export leaves out, because they are not about the person."""
    exported: bool = True
    """False for rows that merely mention the person: they are about somebody else."""

    @property
    def label(self) -> str:
        return _(self.name)

    def export(self, subject: DataSubject) -> list[dict[str, Any]]:
        """Return the rows as they are, by column."""
        rows = self.rows(subject)
        columns = [each.attname for each in rows.model._meta.concrete_fields]
        return list(
            rows.order_by("pk").values(*(name for name in columns if name not in self.internal))
        )

    def erase(self, subject: DataSubject) -> int:
        """Delete the rows, or replace their personal columns; returns the number of rows."""
        rows = self.rows(subject)
        if self.replace is None:
            return rows.delete()[0]
        if not self.replace:
            return 0
        return rows.update(
            **{
                column: value(subject) if callable(value) else value
                for column, value in self.replace.items()
            }
        )


_tables: dict[str, PersonalTable] = {}


def register(*tables: PersonalTable) -> None:
    """Register tables; one of the same name replaces the former."""
    _tables.update({each.name: each for each in tables})


def personal_tables() -> list[PersonalTable]:
    return list(_tables.values())


def rows_of(model: type[Model], column: str = "customer") -> Rows:
    """Return a function that finds the rows whose column leads to the customer."""
    return lambda subject: model._default_manager.filter(**{column: subject.pk})


def rows_mentioning(model: type[Model], *columns: str) -> Rows:
    """Return a function that finds the rows with an e-mail or phone of the person in text or JSON columns."""

    def rows(subject: DataSubject) -> QuerySet[Any]:
        texts = {f"{column}_text": Cast(column, TextField()) for column in columns}
        found = reduce(
            or_,
            (Q(**{f"{text}__iregex": pattern}) for text in texts for pattern in subject.patterns),
            Q(pk__in=[]),
        )
        return model._default_manager.alias(**texts).filter(found)

    return rows


def masked(column: str, output: Field) -> Callable[[DataSubject], Expression]:
    """Return a function that gives the column with the person's e-mails and phones masked."""

    def expression(subject: DataSubject) -> Expression:
        text: Expression = Cast(column, TextField())
        for pattern in subject.patterns:
            text = Func(
                text, Value(pattern), Value(MASK), Value("gi"), function="regexp_replace",
                output_field=TextField(),
            )  # fmt: skip
        return Cast(text, output)

    return expression


def only(column: str, *names: str) -> Func:
    """Return an expression for a JSON object with these entries alone: counted ones, which identify no person."""
    return JSONEntries(F(column), Value(list(names), output_field=ArrayField(TextField())))


class JSONEntries(Func):
    """Some entries of a JSON object. Django has no expression for jsonb_each(), which stands in FROM."""

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


def export(customer: Customer, *, by: User | None) -> dict[str, Any]:
    """Export all personal data of a customer as one JSON document (GDPR, articles 15 and 20), and log the export.

    It is `{"id", "exported_at", "customer": {…}, "held": {name: [rows]}}`, money as text and times in ISO 8601.
    """
    subject = DataSubject.of(customer)
    data_subject.note(customer.pk, data_subject.EXPORTED, by=by)
    held = {
        "id": ids.encode("cus", customer.pk),
        "exported_at": timezone.now(),
        "customer": {
            each.attname: getattr(customer, each.attname) for each in customer._meta.concrete_fields
        },
        "held": {
            each.name.replace(" ", "_"): each.export(subject)
            for each in personal_tables()
            if each.exported
        },
    }
    plain: dict[str, Any] = json.loads(json.dumps(held, cls=DjangoJSONEncoder))
    return plain
