"""Every endpoint of the API returns 403 to roles without its permission."""

from __future__ import annotations

import pytest
from rest_framework.test import APIClient

from crm import roles
from crm.accounts import tokens
from crm.roles import Role
from tests.crm import endpoints
from tests.factories.accounts import in_role

pytestmark = pytest.mark.django_db

WITH_A_RIGHT = [
    each
    for each in endpoints.every()
    if each.key not in endpoints.PUBLIC | endpoints.ONES_OWN | endpoints.OF_STAFF
]


@pytest.mark.parametrize("endpoint", WITH_A_RIGHT, ids=str)
def test_every_endpoint_declares_its_permission(endpoint: endpoints.Endpoint) -> None:
    assert endpoint.needed is not None
    assert set(endpoint.needed) <= roles.permissions(Role.ADMINISTRATOR)


@pytest.mark.parametrize("role", Role)
def test_a_role_has_exactly_the_rights_of_the_matrix(role: Role) -> None:
    client = APIClient()
    client.force_login(in_role(role))
    assert differences(client, roles.permissions(role)) == []


@pytest.mark.parametrize("role", Role)
def test_a_token_has_the_rights_of_its_user(role: Role) -> None:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {tokens.issue(in_role(role))[1]}")
    assert differences(client, roles.permissions(role)) == []


def test_staff_without_a_role_have_no_rights() -> None:
    client = APIClient()
    client.force_login(in_role())
    assert differences(client, set()) == []


def test_support_is_refused_outside_its_rights() -> None:
    client = APIClient()
    client.force_login(in_role(Role.SUPPORT))
    for path in ("campaigns", "templates", "executions/msg_1", "analytics/dashboard", "webhooks"):
        assert client.get(f"/api/{path}").status_code == 403, path
    assert client.post("/api/customers/cus_1/erase").status_code == 403
    assert client.get("/api/customers").status_code == 200


def differences(client: APIClient, held: set[str]) -> list[str]:
    """Return the endpoints that answer otherwise than these permissions require."""
    found = []
    for endpoint in WITH_A_RIGHT:
        status = client.generic(endpoint.method, endpoint.url).status_code
        may = set(endpoint.needed or ()) <= held
        if (status == 403) is may or status in {401, 405} or status >= 500:
            found.append(f"{endpoint}: {status}, takes {endpoint.needed}")
    return found
