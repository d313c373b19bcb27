"""A token does what its scopes allow and its user may do; docs/api-rights.md is the one table of both."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
import yaml
from pytest_django.fixtures import Settings

from crm import roles
from crm.accounts import tokens
from crm.accounts.models import Scope, User
from crm.roles import Role
from customers.models import Consent, Customer, ImportJob
from tests.crm import endpoints
from tests.described_api import DescribedApi
from tests.factories.accounts import in_role
from tests.factories.customers import make_customer

pytestmark = pytest.mark.django_db

OPENAPI = Path(__file__).parents[2] / "docs" / "openapi.yaml"
METHODS = {"get", "post", "put", "patch", "delete"}
INCLUDES = {"ingest": {"ingest", "write"}, "any": {*Scope}}
"""Scopes of tokens with which an endpoint of a scope opens; else that scope alone."""


def with_token(user: User, *scopes: str) -> DescribedApi:
    client = DescribedApi()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {tokens.issue(user, scopes=scopes)[1]}")
    return client


@pytest.fixture
def feeder(staff: User) -> DescribedApi:
    """Return a client whose token has the scope `ingest` alone."""
    return with_token(staff, Scope.INGEST)


@pytest.fixture
def writer(staff: User) -> DescribedApi:
    """Return a client whose token has the scope `write` alone."""
    return with_token(staff, Scope.WRITE)


def test_every_endpoint_of_the_description_is_in_the_table() -> None:
    paths: dict[str, Any] = yaml.load(OPENAPI.read_text(), yaml.CSafeLoader)["paths"]
    described = {
        (method.upper(), path)
        for path, operations in paths.items()
        for method in operations.keys() & METHODS
    }
    browsable = endpoints.OF_STAFF | {("GET", "/api/")}
    assert described ^ {row.key for row in endpoints.documented()} <= browsable


def test_the_table_says_what_views_declare() -> None:
    assert endpoints.documented() == endpoints.declared()


@pytest.mark.parametrize("scope", Scope)
def test_a_token_opens_exactly_the_endpoints_of_its_scope(scope: str) -> None:
    client = with_token(in_role(Role.ADMINISTRATOR), scope)
    assert wrongly_answered(client, scope, Role.ADMINISTRATOR) == []


def test_the_narrower_of_role_and_scope_wins() -> None:
    client = with_token(in_role(Role.STEWARD), Scope.ADMIN)
    assert wrongly_answered(client, Scope.ADMIN, Role.STEWARD) == []


def wrongly_answered(client: DescribedApi, scope: str, role: Role) -> list[str]:
    """Return endpoints that answer a token otherwise than the table says."""
    held, found = roles.permissions(role), []
    urls = {each.key: each.url for each in endpoints.every()}
    for row in endpoints.documented():
        if row.scope in {"none", "any", "write key"}:
            continue
        needed = {name for name in row.permissions.split(", ") if name}
        may = scope in INCLUDES.get(row.scope, {row.scope}) and needed <= held
        status = client.generic(row.method, urls[row.key]).status_code
        if (status == 403) is may or status in {401, 405} or status >= 500:
            found.append(f"{row.method} {row.path}: {status}")
    return found


def test_a_refusal_names_the_missing_scope(writer: DescribedApi) -> None:
    answer = writer.post("/api/senders", {})
    assert answer.status_code == 403
    assert answer.json()["detail"] == "This token lacks the scope “admin”."


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("subscribed", True),
        ("subscribed", "yes"),
        ("sms_subscribed", True),
        ("consent", {"email": True}),
    ],
)
def test_an_ingest_token_never_opts_in(feeder: DescribedApi, field: str, value: object) -> None:
    sent = {"email": "ada@example.com", field: value}
    answer = feeder.post("/api/customers", sent, format="json")
    assert answer.status_code == 400
    assert "scope" in answer.json()["errors"][0]["message"]
    assert not Customer.objects.exists()


def test_an_opt_in_fails_alone_in_a_batch(feeder: DescribedApi) -> None:
    people = [
        {"external_id": "1", "email": "ada@example.com", "subscribed": True},
        {"external_id": "2", "email": "bob@example.com", "subscribed": False},
    ]
    answer = feeder.post("/api/customers/batch", {"customers": people}, format="json")
    assert answer.status_code == 207
    assert [each["status"] for each in answer.json()["results"]] == ["failed", "created"]
    assert answer.json()["results"][0]["errors"][0]["path"] == "subscribed"
    assert Customer.objects.get().opted_out_channels == ["email"]


def test_a_write_token_opts_in(writer: DescribedApi) -> None:
    sent = {"email": "ada@example.com", "subscribed": True}
    assert writer.post("/api/customers", sent, format="json").status_code == 201
    assert Consent.objects.get().decision == "opted_in"


def test_an_ingest_token_queues_no_opt_ins(feeder: DescribedApi) -> None:
    people = [{"email": "ada@example.com", "subscribed": True}]
    answer = feeder.post("/api/customers/batch?mode=async", {"customers": people}, format="json")
    assert answer.status_code == 400
    assert not ImportJob.objects.exists()


def test_an_ingest_token_imports_no_consent(
    feeder: DescribedApi, writer: DescribedApi, settings: Settings, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT = tmp_path

    def send(client: DescribedApi) -> Any:
        file = io.BytesIO(b"email,Accepts Email Marketing\nada@example.com,yes\n")
        file.name = "people.csv"
        return client.post("/api/imports", {"kind": "customers", "file": file}, format="multipart")

    refused = send(feeder)
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["path"] == "mapping.Accepts Email Marketing"
    assert not ImportJob.objects.exists()
    assert send(writer).status_code == 202


def test_an_ingest_token_learns_the_outcome_alone(
    feeder: DescribedApi, writer: DescribedApi
) -> None:
    ada = make_customer(email="ada@example.com", first_name="Ada", phone="+4930123456")
    sent = {"email": "ada@example.com", "city": "Berlin"}
    answer = feeder.post("/api/customers", sent, format="json", HTTP_IDEMPOTENCY_KEY="k")
    assert answer.status_code == 200
    assert answer.json().keys() == {"id", "status"}
    assert feeder.post("/api/products", {"sku": "s"}, format="json").json().keys() == {
        "id",
        "status",
    }

    whole = writer.post("/api/customers", sent, format="json", HTTP_IDEMPOTENCY_KEY="k")
    assert whole.json()["phone"] == ada.phone
    again = feeder.post("/api/customers", sent, format="json", HTTP_IDEMPOTENCY_KEY="k")
    assert again.json() == answer.json()


def test_an_ingest_token_changes_and_deletes_no_customer(feeder: DescribedApi) -> None:
    make_customer(external_id="c-1")
    assert feeder.patch("/api/customers/c-1", {"city": ""}, format="json").status_code == 403
    assert feeder.delete("/api/customers/c-1").status_code == 403
    decision = {"channel": "email", "decision": "opted_in"}
    assert feeder.post("/api/customers/c-1/consents", decision, format="json").status_code == 403
    assert Customer.objects.exists()
    assert not Consent.objects.exists()
