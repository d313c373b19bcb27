"""Analysts query the views of `reporting` by a role of their own, and nothing else."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import ProgrammingError, connection, transaction

from crm import reporting
from tests.factories.customers import make_customer
from tests.factories.marketing import make_campaign, make_execution, make_run

pytestmark = pytest.mark.django_db

ROLE = "kindling_test_analyst"


def grant(**options: Any) -> str:
    said = io.StringIO()
    call_command("reporting", role=ROLE, stdout=said, **options)
    return said.getvalue()


@contextmanager
def acting() -> Iterator[None]:
    """Act as the role, as a connection of its own would."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL ROLE {ROLE}")
        yield
        cursor.execute("RESET ROLE")


def rows(query: str) -> list[dict[str, Any]]:
    with acting(), connection.cursor() as cursor:
        cursor.execute(query)
        names = [column.name for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def refused(statement: str) -> bool:
    try:
        with transaction.atomic():
            rows(statement)
    except ProgrammingError as error:
        return "permission denied" in str(error)
    return False


def test_a_role_reads_the_views_without_personal_data() -> None:
    ada = make_customer(email="ada@example.com", first_name="Ada", city="London", total_spend=10)
    make_execution(make_run(make_campaign(name="Spring")), ada, state="sent")
    said = grant()

    customer, message = (
        rows("SELECT * FROM reporting.customer_360"),
        rows("TABLE reporting.messages"),
    )
    campaign = rows("TABLE reporting.campaigns")

    assert "reporting.customer_360" in said
    assert (customer[0]["customer_id"], customer[0]["city"]) == (ada.pk, "London")
    assert [customer[0][name] for name in ("email", "first_name", "attributes")] == [None] * 3
    assert (message[0]["state"], message[0]["address"]) == ("sent", None)
    assert (campaign[0]["name"], campaign[0]["sent"]) == ("Spring", 0)
    assert rows("SELECT * FROM reporting.customer_360 WHERE email LIKE 'ada%'") == []


def test_personal_data_takes_a_flag_and_goes_without_it() -> None:
    make_customer(email="ada@example.com")
    grant(personal_data=True)
    assert rows("SELECT email FROM reporting.customer_360") == [{"email": "ada@example.com"}]

    grant()
    assert rows("SELECT email FROM reporting.customer_360") == [{"email": None}]


def test_a_role_reads_no_table_and_writes_nothing() -> None:
    grant(personal_data=True)

    assert refused("SELECT * FROM customers_customer")
    assert refused("SELECT * FROM accounts_apitoken")
    assert refused("DELETE FROM marketing_campaignexecution")
    grant(revoke=True)
    assert refused("SELECT * FROM reporting.campaigns")


def test_new_views_stay_readable_for_the_roles() -> None:
    grant()
    call_command("reporting", stdout=io.StringIO())
    assert rows("TABLE reporting.campaigns") == []

    call_command("reporting", drop=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM pg_namespace WHERE nspname = 'reporting'")
        assert cursor.fetchone() is None


def test_a_flag_without_a_role_is_refused() -> None:
    with pytest.raises(CommandError, match="--role"):
        call_command("reporting", personal_data=True)


def test_every_column_is_documented() -> None:
    written = (Path(__file__).resolve().parents[2] / "docs" / "reporting.md").read_text()
    for view in reporting.VIEWS:
        section = written.partition(f"## reporting.{view.name}")[2].partition("\n## ")[0]
        assert set(re.findall(r"^\| `(\w+)`", section, re.MULTILINE)) == {
            *view.columns,
            *view.personal,
        }
