"""Programs and browsers sign in over the API; tokens have scopes and expire."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from crm.accounts import tokens
from crm.accounts.models import ApiToken, User
from crm.roles import Role
from customers.models import Customer
from tests.factories.customers import make_customer

pytestmark = pytest.mark.django_db

CREDENTIALS = {"email": "ada@example.com", "password": "a long enough secret"}


@pytest.fixture
def ada() -> User:
    return User.objects.create_user(**CREDENTIALS, is_staff=True, name="Ada")


@pytest.fixture
def stranger() -> APIClient:
    return APIClient(enforce_csrf_checks=True)


def with_token(user: User, *scopes: str) -> APIClient:
    _, text = tokens.issue(user, scopes=scopes)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {text}")
    return client


def test_an_anonymous_request_is_refused(stranger: APIClient) -> None:
    response = stranger.get("/api/auth/me")
    assert response.status_code == 401
    assert response.headers["Content-Type"] == "application/problem+json"
    assert {"type", "title", "status", "detail"} <= set(response.json())


def test_a_session_identifies_its_user_until_logout(stranger: APIClient, ada: User) -> None:
    response = stranger.post("/api/auth/login", CREDENTIALS, format="json")
    assert response.status_code == 200
    assert stranger.get("/api/auth/user").json()["email"] == "ada@example.com"

    csrf = stranger.cookies["csrftoken"].value
    assert stranger.post("/api/auth/logout").status_code == 403
    assert stranger.post("/api/auth/logout", HTTP_X_CSRFTOKEN=csrf).status_code == 204
    assert stranger.get("/api/auth/me").status_code == 401


def test_a_wrong_password_is_a_401(stranger: APIClient, ada: User) -> None:
    wrong = {**CREDENTIALS, "password": "wrong"}
    assert stranger.post("/api/auth/login", wrong, format="json").status_code == 401
    assert stranger.post("/api/auth/token", wrong, format="json").status_code == 401


def test_a_form_of_another_site_cannot_sign_in(stranger: APIClient, ada: User) -> None:
    response = stranger.post("/api/auth/login", CREDENTIALS, format="multipart")
    assert response.status_code == 415


def test_a_token_is_made_used_and_revoked(stranger: APIClient, ada: User) -> None:
    made = stranger.post("/api/auth/token", CREDENTIALS, format="json").json()
    assert made["scopes"] == ["read", "write"]
    stranger.credentials(HTTP_AUTHORIZATION=f"Bearer {made['token']}")
    assert stranger.get("/api/auth/me").status_code == 200
    assert made["token"] not in str(ApiToken.objects.values().get())

    assert stranger.delete("/api/auth/token").status_code == 204
    assert stranger.get("/api/auth/me").status_code == 401


def test_an_expired_token_returns_401(ada: User) -> None:
    client = with_token(ada, "read")
    ApiToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert client.get("/api/auth/me").status_code == 401


def test_a_token_is_limited_to_its_scopes(ada: User) -> None:
    ada.groups.set(Group.objects.filter(name=Role.ADMINISTRATOR))
    reader, writer, feeder = (with_token(ada, scope) for scope in ("read", "write", "ingest"))
    customer = {"email": "new@example.com"}
    assert reader.get("/api/customers").status_code == 200
    assert reader.post("/api/customers", customer).status_code == 403
    assert writer.get("/api/customers").status_code == 403
    assert writer.post("/api/customers", customer).status_code == 201
    assert feeder.post("/api/customers", customer).status_code == 200
    assert feeder.post("/api/segments", {"name": "x"}).status_code == 403


def test_users_without_staff_status_get_no_token(stranger: APIClient) -> None:
    User.objects.create_user(**CREDENTIALS)
    assert stranger.post("/api/auth/token", CREDENTIALS, format="json").status_code == 403


@pytest.mark.parametrize("body", ["{", "[]", '"x"', "null", '{"email": 1}', '{"email": "\\u0000"}'])
def test_every_body_gets_a_clear_answer(stranger: APIClient, body: str) -> None:
    response = stranger.post("/api/auth/token", body, content_type="application/json")
    assert response.status_code == 400
    assert response.json()["status"] == 400


def test_a_token_is_issued_for_a_plain_form_too(staff: User) -> None:
    answer = Client().post(
        "/api/auth/token",
        "email=staff@example.com&password=open+sesame",
        content_type="application/x-www-form-urlencoded",
    )
    assert answer.status_code == 201
    assert answer.json()["scopes"] == ["read", "write"]


def test_an_address_is_accepted_as_the_user_name(stranger: APIClient, ada: User) -> None:
    by_name = {"username": CREDENTIALS["email"], "password": CREDENTIALS["password"]}

    assert stranger.post("/api/auth/login", by_name, format="json").status_code == 200
    made = stranger.post("/api/auth/token", by_name, format="json")
    assert made.status_code == 201
    other = {**by_name, "email": "eve@example.com"}
    refused = stranger.post("/api/auth/login", other, format="json")
    assert [each["path"] for each in refused.json()["errors"]] == ["username"]
    nobody = {"password": "x"}
    refused = stranger.post("/api/auth/login", nobody, format="json")
    assert [each["path"] for each in refused.json()["errors"]] == ["email"]


@pytest.mark.parametrize("key", ["login", "username", "email"])
def test_the_form_accepts_an_address_by_these_names(client: Client, ada: User, key: str) -> None:
    given = {key: CREDENTIALS["email"], "password": CREDENTIALS["password"]}

    client.post("/accounts/login/", given)

    assert "_auth_user_id" in client.session


def test_sample_data_is_loaded_once_and_by_demos_alone(ada: User, settings: Any) -> None:
    superuser = User.objects.create_superuser("root@example.com", "open sesame")
    api, weak = with_token(superuser, "write"), with_token(superuser, "read")
    assert api.post("/api/seed").status_code == 404

    settings.DEMO = True
    assert weak.post("/api/seed").status_code == 403
    make_customer()
    assert api.post("/api/seed").status_code == 409
    assert Customer.objects.count() == 1
