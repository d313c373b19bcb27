"""docs/schema.md describes every table, as the models and the database have it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.db import connection

from crm.database_description import describe

COMMITTED = Path(__file__).resolve().parents[2] / "docs" / "schema.md"


def test_the_committed_description_matches_the_models() -> None:
    assert COMMITTED.read_text() == describe(), "run `make schema`, and commit it"


@pytest.mark.django_db
def test_every_table_of_the_project_is_described() -> None:
    described = dict(re.findall(r"### (\w+)\n(.*?)(?=\n##|\Z)", describe(), re.DOTALL))
    joined = set(re.findall(r" by `(\w+)` \|", describe()))
    with connection.cursor() as cursor:
        tables = set(connection.introspection.table_names(cursor))
        for table, rows in described.items():
            columns = connection.introspection.get_table_description(cursor, table)
            written = re.findall(r"^\| `(\w+)` \|", rows, re.MULTILINE)
            assert sorted(written) == sorted(each.name for each in columns), table
    ours = re.compile("(accounts|analytics|customers|events|marketing|outbound)_")
    assert {table for table in tables if ours.match(table)} == described.keys() | joined
