"""Users sign in by email through allauth; the admin has no login of its own."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.core import mail
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from crm.accounts.models import User

pytestmark = pytest.mark.django_db

PASSWORD = "a long enough secret"


@pytest.fixture
def ada() -> User:
    return User.objects.create_user("ada@example.com", PASSWORD, is_staff=True)


def sign_in(client: Client, email: str, password: str = PASSWORD, target: str = "") -> object:
    path = reverse("account_login") + (f"?next={target}" if target else "")
    return client.post(path, {"login": email, "password": password})


def test_the_admin_redirects_to_sign_in_and_back(client: Client, ada: User) -> None:
    response = client.get("/admin/accounts/user/", follow=True)
    path = response.redirect_chain[-1][0]
    assert path.startswith(reverse("account_login"))
    assert "next=" in path

    response = client.post(path, {"login": "ada@example.com", "password": PASSWORD})
    assert response.headers["Location"] == "/admin/accounts/user/"


@pytest.mark.parametrize("email", ["ada@example.com", "ADA@Example.com", " ada@example.com "])
def test_an_email_address_ignores_case(client: Client, ada: User, email: str) -> None:
    sign_in(client, email)
    assert client.get("/admin/").status_code == 200


def test_a_wrong_password_does_not_sign_in(client: Client, ada: User) -> None:
    response = sign_in(client, "ada@example.com", "wrong")
    assert b"not correct" in response.content
    assert client.get("/admin/").status_code == 302


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "javascript:alert(1)"]
)
def test_sign_in_redirects_to_no_other_site(client: Client, ada: User, target: str) -> None:
    response = client.get(f"/admin/login/?next={target}")
    assert "evil" not in response.headers["Location"]
    response = sign_in(client, "ada@example.com", target=target)
    assert response.headers["Location"] == "/admin/"


def test_users_without_staff_status_see_a_notice_not_a_loop(client: Client) -> None:
    User.objects.create_user("guest@example.com", PASSWORD)
    sign_in(client, "guest@example.com")
    response = client.get("/admin/", follow=True)
    assert response.status_code == 403
    assert b"may not enter here" in response.content


def test_signing_out_needs_a_post(client: Client, ada: User) -> None:
    client.force_login(ada)
    client.get("/admin/logout/")
    assert client.get("/admin/").status_code == 200
    client.post("/admin/logout/")
    assert client.get("/admin/").status_code == 302


def test_signing_up_needs_an_open_site(client: Client) -> None:
    assert b"closed" in client.get(reverse("account_signup")).content.lower()


def test_a_forgotten_password_is_reset_by_email(client: Client, ada: User) -> None:
    client.post(reverse("account_reset_password"), {"email": "ada@example.com"})
    (letter,) = mail.outbox
    assert "/accounts/password/reset/key/" in letter.body
    assert letter.body.startswith(f"Hello from {settings.SITE_NAME}!")
    assert "example.com" not in letter.body


def test_two_users_cannot_share_an_address(ada: User) -> None:
    with pytest.raises(Exception, match="user_email_unique"):
        User.objects.create_user("Ada@Example.com", PASSWORD)


def test_a_new_address_counts_once_it_is_confirmed(client: Client, settings: Settings) -> None:
    settings.SIGNUP_OPEN = True
    given = {"email": "eve@example.com", "password1": PASSWORD, "password2": PASSWORD}
    client.post(reverse("account_signup"), given)
    sign_in(client, "eve@example.com")
    assert "_auth_user_id" not in client.session
    link = re.search(r"http\S+/confirm-email/\S+", mail.outbox[0].body)
    assert link
    client.post(urlsplit(link[0]).path)
    sign_in(client, "eve@example.com")
    assert "_auth_user_id" in client.session
    assert client.get("/admin/").status_code in (302, 403)


def test_answers_do_not_reveal_accounts(client: Client, ada: User, settings: Settings) -> None:
    """Compare the answers to resets, sign-ups and wrong passwords of known and unknown addresses."""
    settings.SIGNUP_OPEN = True

    def answers(email: str) -> list[tuple[int, str | None, int]]:
        forgotten = client.post(reverse("account_reset_password"), {"email": email})
        new = {"email": email, "password1": PASSWORD, "password2": PASSWORD}
        signed_up = Client().post(reverse("account_signup"), new)
        wrong = Client().post("/api/auth/token", {"email": email, "password": "wrong"})
        return [
            (answer.status_code, answer.headers.get("Location"), len(answer.content))
            for answer in (forgotten, signed_up, wrong)
        ]

    assert answers("ada@example.com") == answers("nobody@example.com")


def test_reset_emails_are_throttled(client: Client, ada: User) -> None:
    statuses = [
        client.post(reverse("account_reset_password"), {"email": "ada@example.com"}).status_code
        for _ in range(8)
    ]
    assert 429 in statuses
    assert len(mail.outbox) < 8


@pytest.mark.parametrize("host", ["evil.example", "testserver:1337", "127.0.0.1:1337"])
def test_mails_link_to_the_site_alone(
    client: Client, ada: User, settings: Settings, host: str
) -> None:
    """Ask for a reset, sign up, sign up again and add an address under another host or port."""
    settings.SITE_URL, settings.SIGNUP_OPEN = "https://crm.example.com", True
    settings.ALLOWED_HOSTS = ["testserver", "127.0.0.1"]
    for email in ("ada@example.com", "new@example.com"):
        new = {"email": email, "password1": PASSWORD, "password2": PASSWORD}
        forgotten = client.post(reverse("account_reset_password"), {"email": email}, HTTP_HOST=host)
        Client().post(reverse("account_signup"), new, HTTP_HOST=host)
        assert (forgotten.status_code == 400) is (host == "evil.example")
    client.force_login(ada)
    client.post(
        reverse("account_email"), {"action_add": "", "email": "b@example.com"}, HTTP_HOST=host
    )

    links = [
        link for letter in mail.outbox for link in re.findall(r"https?://[^\s/]+", letter.body)
    ]
    assert len(links) >= (0 if host == "evil.example" else 4)
    assert set(links) <= {"https://crm.example.com"}
    assert not any(host in letter.body for letter in mail.outbox)


def test_api_links_start_with_the_site_url(staff_client: Client, settings: Settings) -> None:
    settings.SITE_URL = "https://crm.example.com"
    for slug in ("a", "b"):
        staff_client.post("/api/topics", {"slug": slug, "name": slug}, "application/json")
    page = staff_client.get("/api/topics?page_size=1", HTTP_HOST="testserver:1337")
    assert page.json()["next"] == "https://crm.example.com/api/topics/?page=2&page_size=1"
    root = staff_client.get("/api/", HTTP_HOST="testserver:1337")
    assert root.json()["topics"].startswith("https://crm.example.com/api/topics")


def test_a_probe_needs_no_host_of_the_site(client: Client, settings: Settings) -> None:
    settings.ALLOWED_HOSTS, settings.SECURE_SSL_REDIRECT = ["crm.example.com"], True
    assert client.get("/healthz", HTTP_HOST="10.1.2.3:8000").status_code == 200
    assert client.get("/accounts/login/", HTTP_HOST="localhost").status_code == 400
