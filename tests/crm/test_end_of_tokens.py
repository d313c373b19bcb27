"""API tokens end with what they were created by: a password, the sessions, an account without a second factor."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.core.mail import EmailMessage
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks
from pytest_django.fixtures import Settings
from rest_framework.test import APIClient

from crm.accounts import tokens
from crm.accounts.devices import TOTPDevice
from crm.accounts.models import ApiToken, AuditEntry, User
from crm.roles import Role
from tests.factories.accounts import in_role

pytestmark = pytest.mark.django_db

PASSWORD = "a long enough secret"


@pytest.fixture
def ada() -> User:
    return User.objects.create_user("ada@example.com", PASSWORD, is_staff=True)


def works(text: str) -> bool:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {text}")
    return client.get("/api/auth/me").status_code == 200


def test_a_new_password_ends_tokens(ada: User) -> None:
    _token, text = tokens.issue(ada)
    ada.name = "Ada"
    ada.save()
    assert works(text)

    ada.set_password("another long secret")
    ada.save()

    assert not works(text)


def test_changing_the_password_on_its_page_ends_tokens(ada: User) -> None:
    _token, text = tokens.issue(ada)
    client = Client()
    client.force_login(ada)
    new = {"password1": "another long secret", "password2": "another long secret"}
    client.post("/accounts/password/change/", {"oldpassword": PASSWORD, **new})
    assert User.objects.get().check_password(new["password1"])
    assert not works(text)


def test_resetting_the_password_by_mail_ends_tokens(
    ada: User, mailoutbox: list[EmailMessage]
) -> None:
    _token, text = tokens.issue(ada)
    client = Client()
    client.post("/accounts/password/reset/", {"email": ada.email})
    link = re.search(r"/accounts/password/reset/key/\S+", str(mailoutbox[0].body))
    assert link
    assert works(text)
    form = client.get(link[0], follow=True).redirect_chain[-1][0]
    client.post(form, {"password1": "another long secret", "password2": "another long secret"})
    assert User.objects.get().check_password("another long secret")
    assert not works(text)


def test_an_administrators_new_password_for_a_user_ends_tokens(ada: User) -> None:
    _token, text = tokens.issue(ada)
    client = Client()
    client.force_login(User.objects.create_superuser("root@example.com", PASSWORD))
    new = {"password1": "another long secret", "password2": "another long secret"}
    page = f"/admin/accounts/user/{ada.pk}/password/"
    client.post(page, {**new, "usable_password": "true"})
    assert User.objects.get(pk=ada.pk).check_password(new["password1"])
    assert not works(text)


def test_deactivating_a_user_ends_tokens_for_good(ada: User) -> None:
    _token, text = tokens.issue(ada)
    ada.is_active = False
    ada.save()
    assert not works(text)
    ada.is_active = True
    ada.save()
    assert not works(text)


def test_a_token_loses_rights_with_the_role_of_its_user() -> None:
    marketer = in_role(Role.MARKETER)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {tokens.issue(marketer)[1]}")
    assert client.get("/api/campaigns").status_code == 200
    marketer.groups.clear()
    assert client.get("/api/campaigns").status_code == 403
    marketer.is_staff = False
    marketer.save()
    assert client.get("/api/").status_code == 403


def test_signing_in_ends_no_token(ada: User) -> None:
    _token, text = tokens.issue(ada)
    assert User.objects.get().check_password(PASSWORD)
    assert Client().login(email=ada.email, password=PASSWORD)
    assert works(text)


def test_signing_out_everywhere_ends_tokens(ada: User) -> None:
    _token, text = tokens.issue(ada)
    client = Client()
    client.force_login(ada)
    client.post("/accounts/sessions/end/")
    assert not works(text)


def test_a_new_second_factor_ends_tokens_created_without_one(ada: User) -> None:
    _token, without = tokens.issue(ada)
    TOTPDevice.objects.create(user=ada, name="phone")
    _token, with_one = tokens.issue(ada, with_second_factor=True)
    assert not works(without)
    assert works(with_one)


def test_a_required_second_factor_ends_tokens_created_without_one(
    ada: User, settings: Settings
) -> None:
    _token, text = tokens.issue(ada)
    settings.REQUIRE_SECOND_FACTOR = True
    assert not works(text)


def test_a_token_lasts_at_most_a_year(staff_client: Client) -> None:
    page = reverse("admin:accounts_apitoken_add")
    later = timezone.now() + timedelta(days=366)
    given = {"scopes": ["read"], "expires_at_0": f"{later:%F}", "expires_at_1": "00:00"}
    answer = staff_client.post(page, given)
    assert "at most 365 days" in answer.content.decode()
    assert not ApiToken.objects.exists()


def test_the_api_issues_no_longer_token(ada: User) -> None:
    wanted = {"email": ada.email, "password": PASSWORD, "lifetime_days": 366}
    answer = APIClient().post("/api/auth/token", wanted, format="json")
    assert answer.status_code == 400
    with pytest.raises(ValueError, match="365"):
        tokens.issue(ada, lifetime=timedelta(days=366))


def test_an_administrator_resets_a_lost_second_factor(
    ada: User,
    mailoutbox: list[EmailMessage],
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    TOTPDevice.objects.create(user=ada, name="phone")
    _token, text = tokens.issue(ada, with_second_factor=True)
    client = Client()
    client.force_login(in_role(Role.ADMINISTRATOR))
    page = reverse("admin:accounts_user_reset_second_factor", args=[ada.pk])

    assert "Reset the second factor of" in client.get(page).content.decode()
    assert TOTPDevice.objects.filter(user=ada).exists()
    with django_capture_on_commit_callbacks(execute=True):
        assert client.post(page, {"confirmed": "1"}).status_code == 302

    assert not TOTPDevice.objects.filter(user=ada).exists()
    assert not works(text)
    assert [mail.to for mail in mailoutbox] == [["ada@example.com"]]
    entry = AuditEntry.objects.get(action="reset second factor")
    assert (entry.object_id, entry.actor) == (str(ada.pk), "administrator@example.com")


def test_only_a_superuser_resets_that_of_a_superuser(staff: User) -> None:
    TOTPDevice.objects.create(user=staff, name="phone")
    client = Client()
    client.force_login(in_role(Role.ADMINISTRATOR))
    page = reverse("admin:accounts_user_reset_second_factor", args=[staff.pk])
    assert client.post(page, {"confirmed": "1"}).status_code == 403
    assert TOTPDevice.objects.filter(user=staff).exists()
