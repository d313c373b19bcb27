"""Ten failed sign-ins lock the pair of account and address: nobody else, and the account nowhere else."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from crm.accounts import sign_in_limits
from crm.accounts.models import User
from crm.accounts.sign_in_limits import Limit

pytestmark = pytest.mark.django_db

PASSWORD = "a long enough secret"
ADA = "ada@example.com"
WAIT = re.compile("Try again in 1[0-5] minutes, or reset your password")
HOME, OFFICE = "192.0.2.1", "192.0.2.2"


@pytest.fixture(autouse=True)
def ada() -> User:
    User.objects.create_user("bob@example.com", PASSWORD, is_staff=True)
    return User.objects.create_user(ADA, PASSWORD, is_staff=True)


def sign_in(address: str = HOME, email: str = ADA, password: str = PASSWORD) -> Any:
    """Sign in on the page, from an address; True, or the page that refuses it."""
    client = Client(REMOTE_ADDR=address)
    answer = client.post(reverse("account_login"), {"login": email, "password": password})
    return "_auth_user_id" in client.session or answer.content.decode()


def ask_token(address: str = HOME, email: str = ADA, password: str = PASSWORD) -> Any:
    given = {"email": email, "password": password}
    return Client(REMOTE_ADDR=address).post("/api/auth/token", given, "application/json")


def fail(times: int, address: str = HOME, email: str = ADA) -> None:
    for _attempt in range(times):
        assert ask_token(address, email, "wrong").status_code == 401


def test_ten_failures_lock_the_pair_alone_and_say_until_when() -> None:
    fail(9)
    assert "not correct" in sign_in(password="wrong")

    assert WAIT.search(sign_in())
    refused = ask_token()
    assert refused.status_code == 429
    assert 600 < int(refused["Retry-After"]) <= 900
    assert WAIT.search(refused.json()["detail"])
    assert sign_in(OFFICE) is True
    assert sign_in(email="bob@example.com") is True
    assert WAIT.search(sign_in(email=" ADA@Example.com "))


@pytest.mark.parametrize("email", ["nobody@example.com", "ADA@EXAMPLE.COM"])
def test_spellings_and_unknown_accounts_are_counted_alike(email: str) -> None:
    fail(10, email=email)
    assert ask_token(email=email.lower()).status_code == 429


def test_nine_failures_and_a_success_lock_nothing() -> None:
    for _round in range(2):
        fail(9)
        assert sign_in() is True


def test_addresses_of_one_ipv6_network_count_as_one() -> None:
    for at in range(10):
        fail(1, f"2001:db8::{at:x}")
    assert ask_token("2001:db8::ffff").status_code == 429
    assert ask_token("2001:db8:0:1::1").status_code == 201


def test_a_lock_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sign_in_limits, "PAIR", Limit(2, 1))
    fail(2)
    assert ask_token().status_code == 429
    time.sleep(1.1)
    assert ask_token().status_code == 201


def test_many_addresses_lock_an_account_for_new_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sign_in_limits, "ACCOUNT", Limit(12, 3600))
    assert sign_in(HOME) is True
    for at in range(12):
        fail(1, f"198.51.100.{at}")

    assert re.search("[56][0-9] minutes", sign_in("198.51.100.99"))
    assert sign_in(HOME) is True
    assert sign_in("198.51.100.99", "bob@example.com") is True
    fail(9)
    assert "not correct" in sign_in(HOME, password="wrong")
    assert "Try again" in sign_in(HOME)


def test_one_address_with_many_accounts_is_locked_for_new_accounts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sign_in_limits, "ADDRESS", Limit(5, 900))
    assert sign_in(HOME) is True
    for at in range(5):
        fail(1, email=f"{at}@example.com")

    assert "Try again" in sign_in(email="bob@example.com")
    assert sign_in(HOME) is True
    assert sign_in(OFFICE, "bob@example.com") is True


def test_a_password_reset_unlocks_the_address(client: Client) -> None:
    fail(10)
    client.post(reverse("account_reset_password"), {"email": ADA}, REMOTE_ADDR=HOME)
    link = next(part for part in mail.outbox[0].body.split() if "/reset/key/" in part)
    form = client.get(link, follow=True, REMOTE_ADDR=HOME).redirect_chain[-1][0]
    new = "another long secret"
    client.post(form, {"password1": new, "password2": new}, REMOTE_ADDR=HOME)
    assert sign_in(password=new) is True


def test_attempts_in_parallel_exceed_no_limit() -> None:
    attempts = [sign_in_limits.SignIn(ADA, HOME) for _each in range(12)]
    for attempt in attempts[:10]:
        attempt.begin()
    for attempt in attempts[10:]:
        with pytest.raises(sign_in_limits.Locked):
            attempt.begin()
