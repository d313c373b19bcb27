"""Every endpoint answers valid and invalid requests as the OpenAPI schema documents, without a 500."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, settings

from crm.accounts import tokens
from crm.accounts.models import User

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


@pytest.fixture
def token(staff: User) -> Iterator[str]:
    """Return a token with all rights, and keep the test's connection open after a request, as Django's test client does."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield tokens.issue(staff)[1]
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
def test_it_answers_as_described(case: schemathesis.Case, token: str) -> None:
    with transaction.atomic():  # each example finds what the first one found
        case.call_and_validate(headers={"Authorization": f"Bearer {token}"}, checks=CHECKS)
        transaction.set_rollback(True)
