"""Frequent calls get a 429 with Retry-After, counted by token, user and scope."""

from __future__ import annotations

import pytest
from pytest_django import Settings
from redis.exceptions import ConnectionError as RedisAway
from rest_framework.test import APIClient

from crm.accounts import tokens
from crm.accounts.models import User
from crm.api import throttles

pytestmark = pytest.mark.django_db

NOON = 1_700_000_040.0  # the first second of a window
assert NOON % throttles.WINDOW_SECONDS == 0


@pytest.fixture(autouse=True)
def _at_noon(monkeypatch: pytest.MonkeyPatch) -> None:
    at(monkeypatch, 0)


def at(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    monkeypatch.setattr(throttles.Throttle, "_now", staticmethod(lambda: NOON + seconds))


def limits(settings: Settings, **given: int) -> None:
    settings.API_CALLS_PER_MINUTE = {**settings.API_CALLS_PER_MINUTE, **given}


def bearer(staff: User) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {tokens.issue(staff)[1]}")
    return client


def read(client: APIClient, times: int = 1) -> int:
    for _ in range(times):
        status = client.get("/api/auth/me").status_code
    return int(status)


def test_a_call_above_the_limit_gets_a_retry_after(
    staff: User, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits(settings, read=3)
    client = bearer(staff)
    assert read(client, 3) == 200
    refused = client.get("/api/auth/me")
    assert refused.status_code == 429
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert refused.json()["type"] == "throttled"
    wait = int(refused.headers["Retry-After"])
    at(monkeypatch, wait - 1)
    assert read(client) == 429
    at(monkeypatch, wait)
    assert read(client) == 200


def test_refused_calls_do_not_extend_the_wait(
    staff: User, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits(settings, read=2)
    client = bearer(staff)
    read(client, 50)
    at(monkeypatch, 2 * throttles.WINDOW_SECONDS)
    assert read(client, 2) == 200


def test_the_window_slides(
    staff: User, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refuse a burst of twice the limit around the turn of a minute."""
    limits(settings, read=10)
    client = bearer(staff)
    at(monkeypatch, 59)
    assert read(client, 10) == 200
    at(monkeypatch, 61)
    assert read(client) == 429
    at(monkeypatch, 90)
    assert read(client, 5) == 200
    assert read(client) == 429


def test_tokens_are_counted_separately(staff: User, settings: Settings) -> None:
    limits(settings, read=1)
    one, other = bearer(staff), bearer(staff)
    assert read(one, 2) == 429
    assert read(other) == 200


def test_scopes_of_calls_are_counted_separately(staff: User, settings: Settings) -> None:
    limits(settings, read=1, write=1, ingest=2)
    client = bearer(staff)
    assert read(client, 2) == 429
    topic = {"slug": "news", "name": "News"}
    assert client.post("/api/topics", topic).status_code == 201
    assert client.post("/api/topics", {**topic, "slug": "more"}).status_code == 429
    for email in ("ada@example.com", "bob@example.com"):
        assert client.post("/api/customers", {"email": email}).status_code == 201
    assert client.post("/api/customers", {"email": "eve@example.com"}).status_code == 429


def test_anonymous_calls_are_counted_by_address(settings: Settings) -> None:
    limits(settings, sign_in=2)
    client, credentials = APIClient(), {"email": "no@example.com", "password": "wrong"}
    for _ in range(2):
        assert client.post("/api/auth/token", credentials).status_code == 401
    assert client.post("/api/auth/token", credentials).status_code == 429
    elsewhere = client.post("/api/auth/token", credentials, REMOTE_ADDR="203.0.113.9")
    assert elsewhere.status_code == 401


def test_a_limit_of_zero_is_unlimited(staff: User, settings: Settings) -> None:
    limits(settings, read=0)
    assert read(bearer(staff), 20) == 200


def test_calls_succeed_without_the_cache(staff: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_args: object) -> None:
        raise RedisAway

    monkeypatch.setattr(throttles, "redis", away)
    assert read(bearer(staff)) == 200
