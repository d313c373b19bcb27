"""`manage.py verify` beside a running site: every check passes, and nothing of it stays."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from contextlib import suppress
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from pytest_django.live_server_helper import LiveServer

from crm import health
from crm.events import lag
from tests.factories.customers import make_customer
from tests.faults.processes import running, wait_until, worker

pytestmark = [pytest.mark.fault, pytest.mark.django_db(transaction=True)]

OF_CLOCKS = {"django_celery_beat_periodictasks", "events_feedcursor", "django_session"}
"""Tables in which a running site notes its own work."""


def rows() -> dict[str, int]:
    with connection.cursor() as cursor:
        found = {}
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT count(*) FROM "{table}"')
            found[table] = cursor.fetchone()[0]
    return {table: number for table, number in found.items() if table not in OF_CLOCKS}


def verify(url: str) -> str:
    said = io.StringIO()
    with suppress(SystemExit):
        call_command("verify", url=url, stdout=said)
    return said.getvalue()


def test_all_checks_pass_and_nothing_stays(live_server: LiveServer) -> None:
    make_customer(email="ada@example.com")
    lag.all_subscribers()
    with running(worker()):
        wait_until(lambda: all(check() for check in health.PARTS.values()))
        wait_until(lambda: not any(each.is_behind for each in lag.all_subscribers()))
        before = rows()

        said = verify(live_server.url)

        assert said.count("✓") == 5, said
        assert rows() == before


def test_a_site_that_does_not_run_fails() -> None:
    before = rows()

    with pytest.raises(SystemExit) as ended:
        call_command("verify", url="http://127.0.0.1:9", wait=0.2, stdout=(said := io.StringIO()))

    assert ended.value.code == 1
    assert "does not answer" in said.getvalue()
    assert "There are no customers yet" in said.getvalue()
    assert rows() == before


def test_a_database_without_tables_is_named() -> None:
    address = urlsplit(os.environ["DATABASE_URL"])._replace(path="/template1").geturl()
    ended = subprocess.run(
        [sys.executable, "manage.py", "verify"],
        cwd=settings.BASE_DIR,
        env={**os.environ, "DATABASE_URL": address},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ended.returncode == 1
    assert "run manage.py migrate" in ended.stderr
    assert "Traceback" not in ended.stderr
