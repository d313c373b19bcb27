"""Describe the database in Markdown: a Mermaid diagram of each app, and every table with its columns, made from the models."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from django.apps import apps
from django.db import connection
from django.db.models import Field, ForeignKey, ManyToManyField, Model

PACKAGES = ("crm", "customers", "marketing", "analytics")
_INTRODUCTION = """# Database

Tables and columns of PostgreSQL, made from the models by `make schema`; `make lint` fails where this file differs from them.
[architecture.md](architecture.md) has the ground rules of the data. Analysts read [the views of `reporting`](reporting.md), which stay as
they are when tables change.
"""


def describe() -> str:
    """Return the description of all tables of this project, app by app."""
    parts = [_INTRODUCTION]
    for label, models in groupby(_models(), key=lambda model: model._meta.app_label):
        tables = list(models)
        parts.append(f"## {apps.get_app_config(label).verbose_name}\n\n{_diagram(tables)}\n")
        parts += [_table(model) for model in tables]
    return "\n".join(parts)


def _models() -> list[type[Model]]:
    """Return the models of this project with a table, by app and table, without those of Django for many-to-many fields."""
    found = [
        model
        for model in apps.get_models()
        if model.__module__.partition(".")[0] in PACKAGES
        and model._meta.managed
        and not model._meta.proxy
    ]
    return sorted(found, key=lambda model: (model._meta.app_label, model._meta.db_table))


def _diagram(models: Iterable[type[Model]]) -> str:
    lines = ["```mermaid", "erDiagram"]
    for model in models:
        for field in _fields(model):
            if isinstance(field, ForeignKey):
                target = field.related_model
                ends = "|o" if field.null else "||", "o|" if field.unique else "o{"
                lines.append(
                    f'    {target._meta.db_table} {ends[0]}--{ends[1]} {model._meta.db_table} : "{field.name}"'
                )
        lines += [
            f'    {model._meta.db_table} }}o--o{{ {many.related_model._meta.db_table} : "{many.name}"'
            for many in model._meta.local_many_to_many
        ]
        keys = [field for field in _fields(model) if field.primary_key]
        lines += [f"    {model._meta.db_table} {{"]
        lines += [f"        {_word(key)} {key.column} PK" for key in keys]
        lines += ["    }"]
    return "\n".join([*lines, "```"])


def _table(model: type[Model]) -> str:
    document = (inspect.getdoc(model) or "").partition("\n\n")[0].replace("\n", " ")
    lines = [f"### {model._meta.db_table}", ""]
    if document and not document.startswith(f"{model.__name__}("):
        lines += [document, ""]
    lines += ["| column | type | null | meaning |", "| --- | --- | --- | --- |"]
    lines += [_row(field) for field in _fields(model)]
    lines += [_row_of_many(many) for many in model._meta.local_many_to_many]
    return "\n".join([*lines, ""])


def _row(field: Field) -> str:
    meaning = str(field.verbose_name)
    if isinstance(field, ForeignKey):
        meaning += f" → `{field.related_model._meta.db_table}`"
    if field.choices:
        meaning += ": " + ", ".join(
            f"`{value}`" for value, _label in field.flatchoices if value != ""
        )
    if field.help_text:
        meaning += f". {field.help_text}"
    null = "yes" if field.null else ""
    return f"| `{field.column}` | {field.db_type(connection)} | {null} | {_cell(meaning)} |"


def _row_of_many(many: ManyToManyField) -> str:
    through: Any = many.remote_field.through
    return f"| ({many.name}) | many to many |  | `{many.related_model._meta.db_table}` by `{through._meta.db_table}` |"


def _fields(model: type[Model]) -> Iterator[Field]:
    return (field for field in model._meta.local_concrete_fields if field.column)


def _word(field: Field) -> str:
    return (field.db_type(connection) or "").partition("(")[0].replace(" ", "_")


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())
