"""People sign in by e-mail through allauth; the admin has no login of its own."""

from __future__ import annotations

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from crm.accounts.models import User

pytestmark = pytest.mark.django_db

PASSWORD = "a long enough secret"


@pytest.fixture
def ada() -> User:
    return User.objects.create_user("ada@example.com", PASSWORD, is_staff=True)


def sign_in(client: Client, email: str, password: str = PASSWORD, target: str = "") -> object:
    path = reverse("account_login") + (f"?next={target}" if target else "")
    return client.post(path, {"login": email, "password": password})


def test_the_admin_sends_strangers_to_the_sign_in_page_and_back(client: Client, ada: User) -> None:
    response = client.get("/admin/accounts/user/", follow=True)
    path = response.redirect_chain[-1][0]
    assert path.startswith(reverse("account_login"))
    assert "next=" in path

    response = client.post(path, {"login": "ada@example.com", "password": PASSWORD})
    assert response.headers["Location"] == "/admin/accounts/user/"


@pytest.mark.parametrize("email", ["ada@example.com", "ADA@Example.com", " ada@example.com "])
def test_an_address_is_the_same_in_any_case(client: Client, ada: User, email: str) -> None:
    sign_in(client, email)
    assert client.get("/admin/").status_code == 200


def test_a_wrong_password_signs_nobody_in(client: Client, ada: User) -> None:
    response = sign_in(client, "ada@example.com", "wrong")
    assert b"not correct" in response.content
    assert client.get("/admin/").status_code == 302


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "javascript:alert(1)"]
)
def test_sign_in_leads_to_no_other_site(client: Client, ada: User, target: str) -> None:
    response = client.get(f"/admin/login/?next={target}")
    assert "evil" not in response.headers["Location"]
    response = sign_in(client, "ada@example.com", target=target)
    assert response.headers["Location"] == "/admin/"


def test_who_is_no_staff_is_told_so_instead_of_going_in_circles(client: Client) -> None:
    User.objects.create_user("guest@example.com", PASSWORD)
    sign_in(client, "guest@example.com")
    response = client.get("/admin/", follow=True)
    assert response.status_code == 403
    assert b"may not enter here" in response.content


def test_signing_out_takes_a_post(client: Client, ada: User) -> None:
    client.force_login(ada)
    client.get("/admin/logout/")
    assert client.get("/admin/").status_code == 200
    client.post("/admin/logout/")
    assert client.get("/admin/").status_code == 302


def test_strangers_cannot_sign_up_unless_the_site_is_open(client: Client) -> None:
    assert b"closed" in client.get(reverse("account_signup")).content.lower()


def test_a_forgotten_password_is_set_anew_by_mail(client: Client, ada: User) -> None:
    client.post(reverse("account_reset_password"), {"email": "ada@example.com"})
    (letter,) = mail.outbox
    assert "/accounts/password/reset/key/" in letter.body


def test_two_users_cannot_share_an_address(ada: User) -> None:
    with pytest.raises(Exception, match="user_email_unique"):
        User.objects.create_user("Ada@Example.com", PASSWORD)
