"""Users list and end their sessions; a new password ends the others."""

from __future__ import annotations

import pytest
from django.test import Client

from crm.accounts.models import User
from crm.accounts.templatetags.account_pages import browser_name, is_phone

pytestmark = pytest.mark.django_db

PASSWORD = "a long enough secret"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
    " Version/17.5 Mobile/15E148 Safari/604.1"
)


@pytest.fixture
def ada() -> User:
    return User.objects.create_user("ada@example.com", PASSWORD, is_staff=True)


def signed_in(user_agent: str = FIREFOX) -> Client:
    client = Client(HTTP_USER_AGENT=user_agent)
    client.post("/accounts/login/", {"login": "ada@example.com", "password": PASSWORD})
    assert is_in(client)
    return client


def is_in(client: Client) -> bool:
    return client.get("/admin/").status_code == 200


def test_sessions_are_listed_by_browser_and_address(ada: User) -> None:
    here, _phone = signed_in(), signed_in(IPHONE)
    page = here.get("/accounts/sessions/").content.decode()
    assert "Firefox on Linux" in page
    assert "Safari on iPhone" in page
    assert "127.0.0.1" in page


def test_the_other_sessions_can_be_ended(ada: User) -> None:
    here, phone = signed_in(), signed_in(IPHONE)
    here.post("/accounts/sessions/")
    assert is_in(here)
    assert not is_in(phone)


def test_all_sessions_can_be_ended_at_once(ada: User) -> None:
    here, phone = signed_in(), signed_in(IPHONE)
    assert here.post("/accounts/sessions/end/").status_code == 302
    assert not is_in(here)
    assert not is_in(phone)


def test_a_user_cannot_end_sessions_of_another(ada: User) -> None:
    here = signed_in()
    User.objects.create_user("bob@example.com", PASSWORD, is_staff=True)
    bob = Client()
    bob.post("/accounts/login/", {"login": "bob@example.com", "password": PASSWORD})
    bob.post("/accounts/sessions/end/")
    assert is_in(here)


def test_a_get_request_ends_no_session(ada: User) -> None:
    here = signed_in()
    assert here.get("/accounts/sessions/end/").status_code == 405
    assert is_in(here)


def test_a_new_password_ends_the_other_sessions(ada: User) -> None:
    here, phone = signed_in(), signed_in(IPHONE)
    changed = here.post(
        "/accounts/password/change/",
        {
            "oldpassword": PASSWORD,
            "password1": "another long secret",
            "password2": "another long secret",
        },
    )
    assert changed.status_code == 302
    assert is_in(here)
    assert not is_in(phone)


@pytest.mark.parametrize(
    ("user_agent", "name", "phone"),
    [
        (FIREFOX, "Firefox on Linux", False),
        (IPHONE, "Safari on iPhone", True),
        ("curl/8.5.0", "curl/8.5.0", False),
    ],
)
def test_browsers_have_familiar_names(user_agent: str, name: str, phone: bool) -> None:
    assert browser_name(user_agent) == name
    assert is_phone(user_agent) is phone
