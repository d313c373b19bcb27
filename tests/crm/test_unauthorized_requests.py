"""Every endpoint and page refuses requests without full sign-in and rights."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import get_resolver, reverse
from django.utils import timezone
from rest_framework.test import APIClient

from crm.accounts import middleware, tokens
from crm.accounts.devices import TOTPDevice
from crm.accounts.models import ApiToken, Scope, User
from customers.models import Topic
from tests.crm import endpoints
from tests.crm.test_rights_in_admin import PAGES

pytestmark = pytest.mark.django_db

CLOSED = [each for each in endpoints.every() if each.key not in endpoints.PUBLIC]
READING = {"GET", "HEAD", "OPTIONS"}


def bearer(text: str) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {text}")
    return client


def patterns(resolver: Any, before: str = "") -> Iterator[str]:
    for each in resolver.url_patterns:
        path = f"{before}{each.pattern}"
        if hasattr(each, "url_patterns"):
            yield from patterns(each, path)
        else:
            yield path


def not_refused(
    client: Client, asked: list[endpoints.Endpoint], *, refused: tuple[int, ...] = (401, 403)
) -> list[str]:
    """Return the endpoints that did not refuse, with and without their trailing slash."""
    return [
        f"{endpoint.method} {url}: {status}"
        for endpoint in asked
        for url in (endpoint.url, endpoint.url.rstrip("/"))
        if (status := client.generic(endpoint.method, url).status_code) not in refused
    ]


def test_an_anonymous_request_gets_nothing_over_the_api() -> None:
    assert not_refused(APIClient(), CLOSED, refused=(401,)) == []


def test_the_list_of_public_endpoints_is_short() -> None:
    assert {each.key for each in endpoints.every()} >= endpoints.PUBLIC
    assert len(endpoints.PUBLIC) == 3


def test_a_user_without_rights_gets_only_their_own_account() -> None:
    client = APIClient()
    client.force_login(User.objects.create_user("somebody@example.com", "a long enough secret"))
    others = [each for each in CLOSED if each.key not in endpoints.ONES_OWN]
    assert not_refused(client, others, refused=(403,)) == []


def test_a_token_of_a_user_without_staff_status_gets_nothing() -> None:
    somebody = User.objects.create_user("somebody@example.com", "a long enough secret")
    others = [each for each in CLOSED if each.key not in endpoints.ONES_OWN]
    assert not_refused(bearer(tokens.issue(somebody)[1]), others, refused=(403,)) == []


def test_a_revoked_token_gets_nothing(staff: User) -> None:
    token, text = tokens.issue(staff)
    token.delete()
    assert not_refused(bearer(text), CLOSED, refused=(401,)) == []


def test_an_expired_token_gets_nothing(staff: User) -> None:
    _token, text = tokens.issue(staff)
    ApiToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert not_refused(bearer(text), CLOSED, refused=(401,)) == []


def test_a_token_of_a_deactivated_user_gets_nothing(staff: User) -> None:
    _token, text = tokens.issue(staff)
    User.objects.update(is_active=False)
    assert not_refused(bearer(text), CLOSED, refused=(401,)) == []


def test_a_read_token_writes_nothing(staff: User) -> None:
    client = bearer(tokens.issue(staff, scopes=[Scope.READ])[1])
    writing = [
        each for each in CLOSED if each.method not in READING and each.key not in endpoints.ONES_OWN
    ]
    assert not_refused(client, writing, refused=(403,)) == []


def test_an_ingest_token_reads_nothing(staff: User) -> None:
    client = bearer(tokens.issue(staff, scopes=[Scope.INGEST])[1])
    reading = [
        each for each in CLOSED if each.method in READING and each.key not in endpoints.ONES_OWN
    ]
    assert not_refused(client, reading, refused=(403,)) == []


@pytest.fixture
def half_signed_in(staff: User) -> APIClient:
    """Return a session that still lacks its second factor."""
    TOTPDevice.objects.create(user=staff, name="phone")
    client = APIClient()
    client.force_login(staff)
    return client


def test_the_api_refuses_without_the_second_factor(half_signed_in: APIClient) -> None:
    assert not_refused(half_signed_in, CLOSED) == []


def test_every_page_redirects_to_the_second_factor(
    half_signed_in: APIClient,
) -> None:
    asks = reverse("second_factor")
    pages = [reverse("admin:index"), "/admin/nowhere/", "/accounts/password/change/"]
    for url in [*pages, *(page.url for page in PAGES)]:
        answer = half_signed_in.get(url)
        assert answer.status_code == 302, url
        assert answer.headers["Location"].startswith(asks), url


OUTSIDE_THE_API = [
    re.sub(r"<[^>]+>|\(\?P<.*\)", "x", path).replace("^", "").replace("$", "")
    for path in patterns(get_resolver())
    if not path.startswith("api/")
]
"""The address of every page that is no endpoint of the API, with unknown ids."""


@pytest.mark.parametrize("text", ["", "x"])
def test_a_bearer_token_stands_for_no_second_factor(half_signed_in: APIClient, text: str) -> None:
    _token, valid = tokens.issue(User.objects.get(), with_second_factor=True)
    half_signed_in.credentials(HTTP_AUTHORIZATION=f"Bearer {text or valid}")
    open_to_all = ("/accounts/second-factor/", "/accounts/logout/", *middleware.PUBLIC)
    assert len(OUTSIDE_THE_API) > 300
    for path in OUTSIDE_THE_API:
        answer = half_signed_in.get(f"/{path}")
        if not f"/{path}".startswith(open_to_all):
            assert answer.status_code == 302, path
            assert answer.headers["Location"].startswith(reverse("second_factor")), path


def test_a_bearer_token_opens_no_page(staff: User) -> None:
    """A page answers a request with a valid token as it answers a stranger."""
    stranger, caller = Client(), bearer(tokens.issue(staff)[1])
    for path in OUTSIDE_THE_API:
        of_stranger, of_token = (each.get(f"/{path}") for each in (stranger, caller))
        assert of_token.status_code == of_stranger.status_code, path
        assert of_token.headers.get("Location") == of_stranger.headers.get("Location"), path
        if f"/{path}".startswith("/admin/"):
            assert of_token.status_code in {301, 302, 404}, path


def test_a_session_needs_its_csrf_token_beside_any_header(staff: User) -> None:
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(staff)
    topic = {"slug": "news", "name": "News"}
    for header in ("", "Bearer x", "Basic eDo=", "Token x"):
        answer = client.post("/api/topics", topic, HTTP_AUTHORIZATION=header)
        assert answer.status_code in {401, 403}, header
    assert not Topic.objects.exists()


def test_every_page_redirects_to_required_enrolment(
    staff_client: Client, settings: pytest.FixtureRequest
) -> None:
    settings.REQUIRE_SECOND_FACTOR = True  # type: ignore[attr-defined]
    enrols = reverse("second_factor_enrol")
    for page in PAGES:
        assert staff_client.get(page.url).headers["Location"].startswith(enrols), page
    client = APIClient()
    client.cookies = staff_client.cookies
    assert not_refused(client, CLOSED) == []


def test_every_page_redirects_to_sign_in(client: Client) -> None:
    signs_in = reverse("account_login")
    for page in PAGES:
        answer = client.get(page.url, follow=True)
        assert answer.redirect_chain[-1][0].startswith(signs_in), page


def test_a_group_without_staff_status_gets_nothing() -> None:
    somebody = User.objects.create_user("somebody@example.com", "a long enough secret")
    somebody.groups.set(Group.objects.all())
    client = APIClient()
    client.force_login(somebody)
    others = [each for each in CLOSED if each.key not in endpoints.ONES_OWN]
    assert not_refused(client, others, refused=(403,)) == []
