from __future__ import annotations

import pytest
from django.test import Client

from crm import tasks

pytestmark = pytest.mark.django_db


def test_healthz_answers_without_other_services() -> None:
    assert Client().get("/healthz").status_code == 200


def test_readyz_names_a_missing_service() -> None:
    answer = Client().get("/readyz")

    assert answer.status_code == 503
    assert answer.json() == {
        "ready": False,
        "database": "ok",
        "broker": "ok",
        "worker": "not ok",
        "beat": "not ok",
        "feeds": "ok",
    }


def test_readyz_returns_200_after_the_heartbeat() -> None:
    tasks.heartbeat()

    answer = Client().get("/readyz")

    assert answer.status_code == 200
    assert answer.json()["ready"] is True
