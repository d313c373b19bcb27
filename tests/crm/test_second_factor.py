"""Users with a second factor must enter a code on every way to sign in."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django_otp.oath import TOTP
from pytest_django import Settings
from rest_framework.test import APIClient

from crm.accounts import second_factor
from crm.accounts.devices import RecoveryCodes, TOTPDevice, digest_of
from crm.accounts.models import AuditEntry, User

pytestmark = pytest.mark.django_db

PASSWORD = "a long enough secret"
ASK = reverse("second_factor")
ENROL = reverse("second_factor_enrol")
INSIDE = [
    "/admin/",
    "/admin/customers/customer/",
    "/accounts/password/change/",
    "/accounts/email/",
    "/",
]


@pytest.fixture
def ada() -> User:
    return User.objects.create_user("ada@example.com", PASSWORD, is_staff=True, is_superuser=True)


@pytest.fixture
def phone(ada: User) -> TOTPDevice:
    return TOTPDevice.objects.create(user=ada, name="phone")


def code(device: TOTPDevice, ahead: int = 0) -> str:
    clock = TOTP(device.bin_key, device.step, device.t0, device.digits, device.drift + ahead)
    return str(clock.token()).zfill(device.digits)


def sign_in(client: Client, target: str = "") -> str:
    path = reverse("account_login") + (f"?next={target}" if target else "")
    answer = client.post(path, {"login": "ada@example.com", "password": PASSWORD})
    return str(answer.headers["Location"])


def shown_codes(page: str) -> list[str]:
    return re.findall(r"<code.*?>(.*?)</code>", page)


def is_inside(client: Client) -> bool:
    return client.get("/admin/").status_code == 200


def test_a_password_alone_does_not_sign_in(client: Client, phone: TOTPDevice) -> None:
    assert sign_in(client) == ASK
    assert "_auth_user_id" not in client.session
    assert not is_inside(client)


def test_the_code_completes_sign_in_and_redirects(client: Client, phone: TOTPDevice) -> None:
    sign_in(client, "/admin/customers/customer/")

    answer = client.post(ASK, {"code": code(phone)})

    assert answer.headers["Location"] == "/admin/customers/customer/"
    assert is_inside(client)


def test_a_wrong_code_is_refused_and_throttled(client: Client, phone: TOTPDevice) -> None:
    sign_in(client)

    assert b"is wrong" in client.post(ASK, {"code": "000000"}).content
    assert b"is wrong" in client.post(ASK, {"code": code(phone)}).content  # too soon after
    assert not is_inside(client)


def test_a_code_works_once(client: Client, phone: TOTPDevice) -> None:
    once = code(phone)
    sign_in(client)
    client.post(ASK, {"code": once})
    client.post(reverse("account_logout"))
    sign_in(client)

    client.post(ASK, {"code": once})

    assert not is_inside(client)


def test_a_recovery_code_signs_in_once(client: Client, ada: User, phone: TOTPDevice) -> None:
    recovery = second_factor.new_recovery_codes(ada)[0]
    for expected in (True, False):
        sign_in(client)
        client.post(ASK, {"code": recovery.upper()})
        assert is_inside(client) is expected
        client.post(reverse("account_logout"))


@pytest.mark.parametrize(
    "typed", [str.upper, lambda code: code.replace("-", " "), lambda code: code.replace("-", "")]
)
def test_a_recovery_code_is_typed_in_any_form(
    client: Client, ada: User, phone: TOTPDevice, typed: Callable[[str], str]
) -> None:
    sign_in(client)
    client.post(ASK, {"code": typed(second_factor.new_recovery_codes(ada)[3])})
    assert is_inside(client)


def test_keys_and_codes_are_not_stored_in_clear(ada: User, phone: TOTPDevice) -> None:
    codes = second_factor.new_recovery_codes(ada)
    stored = f"{TOTPDevice.objects.values()}{RecoveryCodes.objects.values()}"
    key = parse_qs(urlsplit(phone.config_url).query)["secret"][0]
    clear = [phone.bin_key.hex(), key, *codes, *(code.replace("-", "") for code in codes)]
    assert [each for each in clear if each.lower() in stored.lower()] == []


def test_a_lost_key_leaves_the_recovery_codes(
    client: Client, ada: User, phone: TOTPDevice, settings: Settings
) -> None:
    recovery = second_factor.new_recovery_codes(ada)[0]
    right = code(phone)
    settings.SECRET_KEY = "another key of more than thirty-two characters"
    sign_in(client)
    assert b"is wrong" in client.post(ASK, {"code": right}).content
    RecoveryCodes.objects.get().throttle_reset()
    client.post(ASK, {"code": recovery})
    assert is_inside(client)


@pytest.mark.parametrize("token", ["", "１２３４５６", "12345", "-1", "1e5", "abcdef", "9" * 5_000])
def test_any_text_is_a_wrong_code(phone: TOTPDevice, token: str) -> None:
    assert not phone.verify_token(token)


def test_a_session_older_than_the_device_needs_a_code(client: Client, ada: User) -> None:
    client.force_login(ada)
    assert is_inside(client)
    device = TOTPDevice.objects.create(user=ada, name="phone")

    for path in INSIDE:
        assert client.get(path).headers["Location"].startswith(ASK), path
    answer = client.post(f"{ASK}?next=/admin/customers/customer/", {"code": code(device)})

    assert answer.headers["Location"] == "/admin/customers/customer/"
    assert is_inside(client)


def test_the_api_refuses_such_a_session(client: Client, ada: User, phone: TOTPDevice) -> None:
    client.force_login(ada)

    for path in ("/api/", "/api/auth/me/", "/api/customers/", "/api/schema/", "/api/docs/"):
        answer = client.get(path)
        assert answer.status_code == 401, path
        assert answer.json()["type"] == "second-factor-required"


def test_the_code_page_redirects_to_no_other_site(
    client: Client, ada: User, phone: TOTPDevice
) -> None:
    client.force_login(ada)

    answer = client.post(f"{ASK}?next=https://evil.example/", {"code": code(phone)})

    assert answer.headers["Location"] == "/admin/"


@pytest.mark.parametrize("path", ["/api/auth/login/", "/api/auth/token/"])
def test_the_api_accepts_the_code_with_the_password(phone: TOTPDevice, path: str) -> None:
    api = APIClient()
    given = {"email": "ada@example.com", "password": PASSWORD}

    asked = api.post(path, given)
    answer = api.post(path, {**given, "otp": code(phone)})

    assert asked.status_code == 401
    assert asked.json()["type"] == "second-factor-required"
    assert answer.status_code in {200, 201}
    if "token" not in answer.json():
        assert api.get("/api/auth/me/").json()["email"] == "ada@example.com"


def test_a_wrong_code_over_the_api_returns_401(phone: TOTPDevice) -> None:
    given = {"email": "ada@example.com", "password": PASSWORD, "otp": "000000"}

    assert APIClient().post("/api/auth/login/", given).status_code == 401


def test_a_device_is_enrolled_by_qr_code_with_recovery_codes(client: Client, ada: User) -> None:
    client.force_login(ada)

    page = client.get(ENROL).content.decode()
    device = TOTPDevice.objects.get(user=ada)
    wrong = client.post(ENROL, {"code": "000000"})
    assert not TOTPDevice.objects.get().confirmed
    device.refresh_from_db()
    device.throttle_reset()
    right = client.post(ENROL, {"code": code(device)}).content.decode()

    assert "<svg" in page
    assert b"is wrong" in wrong.content
    assert TOTPDevice.objects.get().confirmed
    shown = shown_codes(right)
    assert len(shown) == len(set(shown)) == second_factor.RECOVERY_CODES
    assert RecoveryCodes.objects.get().digests == [digest_of(code) for code in shown]
    assert is_inside(client)


def test_a_second_device_needs_a_code_of_the_first(
    client: Client, ada: User, phone: TOTPDevice
) -> None:
    client.force_login(ada)

    assert client.get(ENROL).headers["Location"] == ASK
    client.post(ENROL, {"code": "123456"})

    assert TOTPDevice.objects.count() == 1


def test_required_enrolment_redirects_staff_without_a_device(
    client: Client, ada: User, settings: pytest.FixtureRequest
) -> None:
    settings.REQUIRE_SECOND_FACTOR = True
    sign_in(client)

    for path in INSIDE:
        assert client.get(path).headers["Location"].startswith(ENROL), path
    assert client.get("/api/customers/").status_code == 401
    given = {"email": "ada@example.com", "password": PASSWORD}
    assert APIClient().post("/api/auth/token/", given).status_code == 403


def test_a_device_is_removed_by_code_unless_required(
    client: Client, ada: User, phone: TOTPDevice, settings: pytest.FixtureRequest
) -> None:
    manage = reverse("second_factor_manage")
    sign_in(client)
    client.post(ASK, {"code": code(phone)})

    client.post(manage, {"code": "000000", "remove": "1"})
    assert second_factor.has_device(ada)
    phone.refresh_from_db()
    phone.throttle_reset()
    settings.REQUIRE_SECOND_FACTOR = True
    codes = second_factor.new_recovery_codes(ada)
    refused = client.post(manage, {"code": code(phone, 1), "remove": "1"})
    assert refused.status_code == 403
    assert second_factor.has_device(ada)
    assert RecoveryCodes.objects.get().digests == [digest_of(code) for code in codes]


@pytest.mark.django_db(transaction=True)
def test_new_recovery_codes_end_the_old_ones(
    client: Client, ada: User, phone: TOTPDevice, mailoutbox: list
) -> None:
    old = second_factor.new_recovery_codes(ada)
    mailoutbox.clear()
    manage = reverse("second_factor_manage")
    sign_in(client)
    assert client.post(manage, {"code": old[0]}).status_code == 302, "a password is not enough"
    client.post(ASK, {"code": old[0]})
    page = client.get(manage).content.decode()
    wrong = client.post(manage, {"code": "000000"})
    assert b"is wrong" in wrong.content
    assert RecoveryCodes.objects.get().digests == [digest_of(code) for code in old[1:]]
    phone.refresh_from_db()
    phone.throttle_reset()
    RecoveryCodes.objects.get().throttle_reset()
    assert client.post(manage, {"code": old[0]}).content.decode().count("<code") == 0, "used up"
    RecoveryCodes.objects.get().throttle_reset()
    phone.refresh_from_db()
    phone.throttle_reset()
    answer = client.post(manage, {"code": old[1]})
    new = shown_codes(answer.content.decode())

    assert len(new) == second_factor.RECOVERY_CODES
    assert not {*new} & {*old}
    assert RecoveryCodes.objects.get().digests == [digest_of(code) for code in new]
    assert "no-store" in answer["Cache-Control"]
    assert not any(each in page + client.get(manage).content.decode() for each in new)
    assert is_inside(client), "a session that began with a former recovery code continues"
    assert second_factor.check(ada, old[2]) is None
    actions = [*AuditEntry.objects.values_list("action", flat=True)]
    assert actions.count("replaced recovery codes") == 2
    assert "second factor refused" in actions
    assert [mail.subject for mail in mailoutbox] == ["Your recovery codes were replaced"]
    assert not any(each in mailoutbox[0].body for each in new)


@pytest.mark.django_db(transaction=True)
def test_setup_and_removal_leave_an_entry_and_a_mail(
    client: Client, ada: User, mailoutbox: list
) -> None:
    client.force_login(ada)
    client.get(ENROL)
    device = TOTPDevice.objects.get(user=ada)
    recovery = shown_codes(client.post(ENROL, {"code": code(device)}).content.decode())[0]
    client.post(reverse("second_factor_manage"), {"code": recovery, "remove": "1"})

    assert not second_factor.has_device(ada)
    entries = AuditEntry.objects.filter(kind="accounts.user", object_id=str(ada.pk))
    actions = [*entries.order_by("pk").values_list("action", "actor")]
    assert ("set up second factor", ada.email) in actions
    assert ("removed second factor", ada.email) in actions
    assert [mail.subject for mail in mailoutbox] == [
        "Your account has a second factor",
        "Your second factor was removed",
    ]
    assert [mail.to for mail in mailoutbox] == [[ada.email]] * 2


def test_a_password_reset_does_not_bypass_the_second_factor(
    client: Client, ada: User, phone: TOTPDevice, mailoutbox: list
) -> None:
    client.post(reverse("account_reset_password"), {"email": "ada@example.com"})
    link = next(word for word in mailoutbox[0].body.split() if "/reset/key/" in word)
    page = client.get(link, follow=True)
    path = page.redirect_chain[-1][0]
    client.post(path, {"password1": "another long secret", "password2": "another long secret"})

    assert not is_inside(client)
    assert "_auth_user_id" not in client.session


def test_only_a_demo_site_shows_its_accounts(
    client: Client, settings: pytest.FixtureRequest
) -> None:
    login = reverse("account_login")
    assert b"demo123" not in client.get(login).content

    settings.DEMO = True

    assert b"demo123" in client.get(login).content


def test_a_request_looks_for_devices_once(client: Client, ada: User) -> None:
    client.force_login(ada)
    with CaptureQueriesContext(connection) as queries:
        client.get("/admin/")
    about_devices = [each["sql"] for each in queries if "accounts_totpdevice" in each["sql"]]
    assert len(about_devices) == 1
