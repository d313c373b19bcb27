"""Security headers forbid inline code, foreign sources, framing and device access."""

from __future__ import annotations

import re

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db

ENTRANCES = [
    "/accounts/login/",
    "/accounts/password/reset/",
    "/accounts/google/login/",
    "/u/not-a-token/",
    "/t/c/not-a-token/",
    "/nowhere/",
]
SIGNED_IN = ["/accounts/second-factor/enrol/", "/accounts/sessions/", "/accounts/password/change/"]


def policy(response: object) -> dict[str, list[str]]:
    header = response.headers["Content-Security-Policy"]  # type: ignore[attr-defined]
    parts = (part.split() for part in header.split(";"))
    return {name: sources for name, *sources in parts}


@pytest.mark.parametrize("path", ENTRANCES)
def test_own_pages_run_only_own_files(client: Client, path: str) -> None:
    told = policy(client.get(path))
    assert told["default-src"] == ["'none'"]
    assert told["script-src"] == ["'self'"]
    assert not any("unsafe" in source for sources in told.values() for source in sources)
    assert told["frame-ancestors"] == ["'none'"]


@pytest.mark.parametrize("path", [*ENTRANCES, *SIGNED_IN])
def test_own_pages_have_no_inline_code_without_the_nonce(
    staff_client: Client, client: Client, path: str
) -> None:
    response = (staff_client if path in SIGNED_IN else client).get(path)
    page = response.content.decode()
    assert not re.search(r"<script(?![^>]*\bsrc=)", page)
    assert not re.search(r"\s(style|on[a-z]+)=\"", page)
    assert not re.search(r"\sx-(data|on|bind|show)", page)
    told = policy(response)
    for nonce in re.findall(r"<style([^>]*)>", page):
        found = re.search(r'nonce="([^"]+)"', nonce)
        assert found
        assert f"'nonce-{found[1]}'" in told["style-src"]


def test_a_nonce_is_valid_for_one_page(client: Client) -> None:
    one, other = (client.get("/accounts/login/") for _ in range(2))
    assert policy(one)["style-src"] != policy(other)["style-src"]


@pytest.mark.parametrize("path", ["/admin/", "/admin/customers/customer/", "/api/docs/"])
def test_scripts_of_the_admin_and_the_api_are_files_too(staff_client: Client, path: str) -> None:
    response = staff_client.get(path, headers={"Accept": "text/html"})
    assert response.status_code == 200
    told = policy(response)
    assert "'unsafe-inline'" not in told["script-src"]
    inline = re.findall(r"<script(?![^>]*\bsrc=)([^>]*)>", response.content.decode())
    assert all('type="application/json"' in attributes for attributes in inline)


def test_the_sign_in_form_may_redirect_to_google(client: Client) -> None:
    assert policy(client.get("/accounts/login/"))["form-action"] == [
        "'self'",
        "https://accounts.google.com",
    ]


def test_pages_deny_device_access_and_send_no_referrer(client: Client) -> None:
    headers = client.get("/accounts/login/").headers
    assert "camera=()" in headers["Permissions-Policy"]
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
