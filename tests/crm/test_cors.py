"""Pages of the origins in CORS_ALLOWED_ORIGINS call the API by token; other pages do not."""

from __future__ import annotations

import pytest
from django.test import Client
from pytest_django import Settings

APP = "https://app.example.com"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def origins(settings: Settings) -> None:
    settings.CORS_ALLOWED_ORIGINS = [APP]


def ask(path: str, origin: str) -> dict[str, str]:
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization, idempotency-key",
    }
    return dict(Client().options(path, headers=asked).headers)


def test_a_page_of_an_allowed_origin_may_call_the_api() -> None:
    answer = ask("/api/customers/", APP)
    assert answer["access-control-allow-origin"] == APP
    assert {"authorization", "idempotency-key"} <= {
        *answer["access-control-allow-headers"].split(", ")
    }
    assert "access-control-allow-credentials" not in answer


@pytest.mark.parametrize(
    ("path", "origin"),
    [("/api/customers/", "https://evil.example"), ("/accounts/login/", APP), ("/admin/", APP)],
)
def test_other_pages_and_paths_are_not_opened(path: str, origin: str) -> None:
    assert "access-control-allow-origin" not in ask(path, origin)


def test_the_first_page_welcomes_programs() -> None:
    welcome = Client().get("/", headers={"Accept": "application/json"}).json()
    assert welcome["message"] == "Welcome to Kindling."
    assert welcome["api"].endswith("/api/")
    assert Client().get("/", headers={"Accept": "text/html,*/*"}).headers["Location"] == "/admin/"
