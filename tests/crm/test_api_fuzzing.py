"""Every endpoint answers valid and invalid requests as the OpenAPI schema documents, without a 500, and to nobody beyond role and scope."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from django.contrib.auth.models import Group
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from django.utils import timezone
from hypothesis import HealthCheck, settings

from crm import roles
from crm.accounts import tokens
from crm.accounts.middleware import SEE_PERSONAL_DATA
from crm.accounts.models import ApiToken, Scope, User
from crm.roles import Role
from tests.crm import endpoints
from tests.factories.customers import make_customer

if os.environ.get("REQUIRE_FAULTS") != "1":
    pytest.skip("takes minutes: make fuzz", allow_module_level=True)

import schemathesis  # takes a second that only this test needs
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "5"))
CHECKS: Any = [
    schemathesis.checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]

described = OpenApiJsonRenderer().render(SchemaGenerator().get_schema(public=True))
config = schemathesis.Config.from_dict({"phases": {"coverage": {"enabled": False}}})
api = schemathesis.openapi.from_dict(json.loads(described), config=config)
api.app = get_wsgi_application()
NEEDS = {row.key: row for row in endpoints.documented()}
INCLUDES = {Scope.WRITE: {"write", "ingest"}}
"""Scopes of endpoints that a token's scope opens; else that scope alone."""
SCOPES = (Scope.READ, Scope.WRITE, Scope.INGEST)
SECRET = "zenobia"
asked: set[tuple[str, str]] = set()
"""Operations that every role and scope asked, once each."""


class Caller(NamedTuple):
    role: Role
    scope: Scope
    token: str


@pytest.fixture
def token(staff: User, _one_connection: None) -> str:
    """Return a token with all rights."""
    return tokens.issue(staff)[1]


@pytest.fixture
def callers(_one_connection: None) -> list[Caller]:
    """Return a token of each role and scope."""
    make_customer(external_id="c-1", first_name=SECRET, email=f"{SECRET}@example.com")
    people = [User(email=f"{role.name.lower()}@example.com", is_staff=True) for role in Role]
    User.objects.bulk_create(people)
    groups = dict(Group.objects.values_list("name", "pk"))
    User.groups.through.objects.bulk_create(
        User.groups.through(user=user, group_id=groups[role])
        for user, role in zip(people, Role, strict=True)
    )
    expires_at = timezone.now() + tokens.LIFETIME
    made = [
        (role, scope, ApiToken(user=user, scopes=[scope], expires_at=expires_at))
        for user, role in zip(people, Role, strict=True)
        for scope in SCOPES
    ]
    texts = [tokens.fill(token) for _role, _scope, token in made]
    ApiToken.objects.bulk_create(token for _role, _scope, token in made)
    return [
        Caller(role, scope, text) for (role, scope, _token), text in zip(made, texts, strict=True)
    ]


@pytest.fixture
def _one_connection(db: None) -> Iterator[None]:
    """Keep the test's connection open after a request, as Django's test client does."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.mark.django_db
@api.parametrize()
@settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
def test_it_answers_as_described_and_within_rights(
    case: schemathesis.Case, token: str, callers: list[Caller]
) -> None:
    if (case.method, case.path) not in asked:
        for caller in callers:
            ask_within_rights(case, caller)
        asked.add((case.method, case.path))
    with transaction.atomic():  # each example finds what the first one found
        case.call_and_validate(headers={"Authorization": f"Bearer {token}"}, checks=CHECKS)
        transaction.set_rollback(True)


def ask_within_rights(case: schemathesis.Case, caller: Caller) -> None:
    """Send a request as a role and scope. Raises AssertionError for an answer beyond them."""
    row = NEEDS.get((case.method, case.path))
    if row is None or row.scope in {"none", "any", "write key"}:
        return
    needed = {name for name in row.permissions.split(", ") if name}
    held = roles.permissions(caller.role)
    may = row.scope in INCLUDES.get(caller.scope, {caller.scope}) and needed <= held
    with transaction.atomic():
        answer = case.call(headers={"Authorization": f"Bearer {caller.token}"})
        transaction.set_rollback(True)
    told = f"{caller.role}, {caller.scope}: {answer.status_code}"
    assert answer.status_code < 500, told
    assert may or answer.status_code >= 400, told
    if not may or SEE_PERSONAL_DATA not in held:
        assert SECRET not in answer.text.lower(), told
