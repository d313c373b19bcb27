"""Write many rows to a table: COPY to a staging table, one UPDATE of changed rows, one INSERT of new ones.

Missing columns keep their value, and a row without changes writes nothing. The caller has matched the rows to those
that exist, and holds locks that keep the matches true until the transaction ends.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db import connection


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its SQL type, its default, and how a new value is merged with the present one."""

    name: str
    type: str = "text"
    empty: str = "''"
    merged: str = "coalesce(new.{0}, old.{0})"

    def update(self) -> str:
        merged = self.merged.format(self.name)
        return f"CASE WHEN '{self.name}' = ANY(new.cleared) THEN {self.empty} ELSE {merged} END"

    def insert(self) -> str:
        return f"coalesce(new.{self.name}, {self.empty})"


class Incoming(NamedTuple):
    """A row for the table: its key, whether it is new, and its columns; None empties a column."""

    pk: int
    is_new: bool
    values: Mapping[str, Any]


class Written(NamedTuple):
    created: list[int]
    updated: list[int]


def new_keys(table: str, how_many: int) -> list[int]:
    """Reserve primary keys for rows that will be inserted."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval((SELECT pg_get_serial_sequence(%s, 'id'))::regclass) FROM generate_series(1, %s)",
            [table, how_many],
        )
        return [row[0] for row in cursor.fetchall()]


def merge(table: str, columns: Sequence[Column], rows: Sequence[Incoming]) -> Written:
    """Write the rows, each key at most once; returns the inserted keys and the changed keys."""
    if not rows:
        return Written([], [])
    given = set().union(*(row.values for row in rows))
    used = [column for column in columns if column.name in given]
    _stage(used, rows)
    _insert(table, used)
    return Written(created=[row.pk for row in rows if row.is_new], updated=_update(table, used))


def _stage(columns: Sequence[Column], rows: Iterable[Incoming]) -> None:
    definition = "".join(f", {column.name} {column.type}" for column in columns)
    json_columns = {column.name for column in columns if column.type == "jsonb"}
    names = [column.name for column in columns]
    with connection.cursor() as cursor:
        cursor.execute(
            "DROP TABLE IF EXISTS pg_temp.incoming;"
            f"CREATE TEMP TABLE incoming (pk bigint, is_new boolean, cleared text[]{definition}) ON COMMIT DROP"
        )
        with cursor.copy("COPY incoming FROM STDIN") as copy:
            for row in rows:
                values = row.values
                cleared = None
                if None in values.values():
                    cleared = [name for name in values if values[name] is None]
                copy.write_row(
                    (
                        row.pk,
                        row.is_new,
                        cleared,
                        *(
                            json.dumps(values[name])
                            if name in json_columns and values.get(name) is not None
                            else values.get(name)
                            for name in names
                        ),
                    )
                )


def _insert(table: str, columns: Sequence[Column]) -> None:
    names = "".join(f", {column.name}" for column in columns)
    values = "".join(f", {column.insert()}" for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} (id{names}) SELECT new.pk{values} FROM incoming new WHERE new.is_new ORDER BY new.pk"
        )


def _update(table: str, columns: Sequence[Column]) -> list[int]:
    if not columns:
        return []
    changes = ", ".join(f"{column.name} = {column.update()}" for column in columns)
    before = ", ".join(f"old.{column.name}" for column in columns)
    after = ", ".join(column.update() for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} old SET {changes}, updated_at = now() FROM incoming new "
            f"WHERE old.id = new.pk AND NOT new.is_new AND ({before}) IS DISTINCT FROM ({after}) RETURNING old.id"
        )
        return [row[0] for row in cursor.fetchall()]
