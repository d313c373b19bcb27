"""Sign-in with Google uses PKCE and creates accounts without rights; a local server stands in for Google."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from allauth.socialaccount.providers.google.views import GoogleOAuth2Adapter
from django.test import Client
from pytest_django import Settings

from crm.accounts.devices import TOTPDevice
from crm.accounts.models import User
from crm.outbound.models import ExternalServiceLog
from tests.http_stub import Stub, serving

pytestmark = pytest.mark.django_db

ADA = {
    "iss": "https://accounts.google.com",
    "aud": "kindling-tests",
    "sub": "1815",
    "email": "ada@example.com",
    "email_verified": True,
    "hd": "example.com",
    "given_name": "Ada",
    "family_name": "Lovelace",
}


@pytest.fixture
def google(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stub]:
    with serving() as stub:
        monkeypatch.setattr(GoogleOAuth2Adapter, "authorize_url", f"{stub.url}/authorize")
        monkeypatch.setattr(GoogleOAuth2Adapter, "access_token_url", f"{stub.url}/token")
        yield stub


def id_token(**claims: Any) -> str:
    now = int(time.time())
    return jwt.encode({"iat": now, "exp": now + 600, **ADA, **claims}, "k" * 32)


def authorization_request(client: Client, path: str = "/accounts/google/login/") -> dict[str, str]:
    """Return the authorization request that the browser sends to Google."""
    response = client.post(path)
    assert response.status_code == 302
    return {k: v[0] for k, v in parse_qs(urlsplit(response.headers["Location"]).query).items()}


def finish_sign_in(client: Client, google: Stub, state: str, **claims: Any) -> Any:
    body = {
        "access_token": "t",
        "token_type": "Bearer",
        "expires_in": 3600,
        "id_token": id_token(**claims),
    }
    google.answer = (200, {"Content-Type": "application/json"}, json.dumps(body))
    return client.get("/accounts/google/login/callback/", {"code": "c0de", "state": state})


def sign_in(client: Client, google: Stub, **claims: Any) -> Any:
    return finish_sign_in(client, google, authorization_request(client)["state"], **claims)


def test_the_authorization_uses_pkce_and_exchanges_the_code(client: Client, google: Stub) -> None:
    question = authorization_request(client)
    assert question["code_challenge_method"] == "S256"
    assert question["redirect_uri"].endswith("/accounts/google/login/callback/")
    assert {"openid", "email"} <= set(question["scope"].split())
    finish_sign_in(client, google, question["state"])
    (received,) = google.requests
    assert received.path == "/token"
    assert received.form["code"] == "c0de"
    digest = hashlib.sha256(received.form["code_verifier"].encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    assert challenge == question["code_challenge"]


def test_a_new_user_gets_an_account_without_rights(client: Client, google: Stub) -> None:
    sign_in(client, google)
    user = User.objects.get()
    assert (user.email, user.name) == ("ada@example.com", "Ada Lovelace")
    assert not user.is_staff
    assert not user.is_superuser
    assert not user.groups.exists()
    assert client.get("/admin/").status_code in (302, 403)
    assert client.get("/api/customers").status_code == 403


def test_a_known_user_signs_in_to_the_same_account(client: Client, google: Stub) -> None:
    user = User.objects.create_user("ada@example.com", "a long enough secret", is_staff=True)
    sign_in(client, google)
    assert client.session["_auth_user_id"] == str(user.pk)
    assert client.get("/admin/").status_code == 200


def test_an_unverified_address_signs_in_to_no_account(client: Client, google: Stub) -> None:
    """Refuse it: a Google account can be opened with an address of any domain."""
    User.objects.create_user("ada@example.com", "a long enough secret", is_staff=True)
    for claims in ({"hd": ""}, {"hd": "evil.example"}, {"email_verified": False}):
        sign_in(client, google, **claims)
        assert "_auth_user_id" not in client.session


def test_the_second_factor_is_required_as_after_a_password(client: Client, google: Stub) -> None:
    user = User.objects.create_user("ada@example.com", "a long enough secret", is_staff=True)
    TOTPDevice.objects.create(user=user, name="phone", confirmed=True)
    response = sign_in(client, google)
    assert response.headers["Location"].startswith("/accounts/second-factor/")
    assert "_auth_user_id" not in client.session
    assert client.get("/admin/").status_code == 302


def test_only_allowed_domains_sign_in(client: Client, google: Stub, settings: Settings) -> None:
    settings.GOOGLE_DOMAINS = ["shop.example"]
    for claims in ({}, {"hd": ""}, {"email": "ada@shop.example", "hd": ""}):
        refused = sign_in(client, google, **claims)
        assert refused.status_code == 403
        assert "shop.example" in refused.content.decode()
    assert not User.objects.exists()
    sign_in(client, google, email="ada@shop.example", hd="shop.example")
    assert User.objects.get().email == "ada@shop.example"


def test_a_wrong_state_audience_or_issuer_is_refused(client: Client, google: Stub) -> None:
    finish_sign_in(client, google, "made-up")
    for claims in ({"aud": "another-site"}, {"iss": "https://evil.example"}, {"exp": 1}):
        sign_in(client, google, **claims)
    assert not User.objects.exists()


def test_a_failure_of_google_is_shown_and_logged(client: Client, google: Stub) -> None:
    state = authorization_request(client)["state"]
    google.answer = (500, {}, "down")
    page = client.get("/accounts/google/login/callback/", {"code": "c", "state": state})
    assert b"That did not work" in page.content
    note = ExternalServiceLog.objects.get()
    assert (note.service, note.status) == ("google", 500)
    assert "of tests alone" not in note.error


def test_the_api_redirects_to_google_and_back(client: Client, google: Stub) -> None:
    response = client.get("/api/auth/google", {"next": "/admin/customers/customer/"})
    assert response.status_code == 302
    path = response.headers["Location"]
    assert path.startswith("/accounts/google/login/")
    User.objects.create_user("ada@example.com", "a long enough secret", is_staff=True)
    back = finish_sign_in(client, google, authorization_request(client, path)["state"])
    assert back.headers["Location"] == "/admin/customers/customer/"


def test_the_sign_in_page_has_a_button_for_it(client: Client) -> None:
    assert b"Sign in with Google" in client.get("/accounts/login/").content


def test_the_button_is_absent_without_its_settings() -> None:
    script = (
        "import django; django.setup()\n"
        "from django.http import Http404\n"
        "from django.test import RequestFactory\n"
        "from django.urls import resolve\n"
        "request = RequestFactory().get('/api/auth/google/')\n"
        "for path in ('/accounts/google/login/', '/accounts/google/login/callback/'):\n"
        "    try: resolve(path)\n"
        "    except Http404: print('no page')\n"
        "match = resolve('/api/auth/google/')\n"
        "try: match.func(request)\n"
        "except Http404: print('no way')\n"
    )
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith("GOOGLE_")},
        "DJANGO_SETTINGS_MODULE": "crm.settings",
    }
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.stdout.splitlines() == ["no page", "no page", "no way"], done.stderr[-2000:]
