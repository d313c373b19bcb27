"""Rotating SECRET_KEY twice ends no link, no fingerprint of an erasure, and no secret."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from django.core import mail
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from analytics.models import SharedDashboard
from analytics.shared_dashboards import links
from crm import checks, credentials
from crm.accounts.devices import TOTPDevice
from crm.accounts.models import User
from crm.events.models import WebhookEndpoint
from crm.events.webhooks import endpoints
from customers import consent
from customers.models import ErasedAddress, ErasureKey, WriteKey
from customers.tracking_api import keys
from marketing.content import tokens
from marketing.content.tokens import Purpose
from marketing.models import Sender
from tests.factories.customers import make_customer
from tests.factories.marketing import make_execution, make_run, make_sender

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).resolve().parents[2]
Check = Callable[[], bool]
NEW_KEY = "key number {} of more than thirty-two characters"


@pytest.fixture
def rotate(settings: Settings) -> Callable[[], None]:
    """Put a new key into SECRET_KEY and the old one first into SECRET_KEY_FALLBACKS, as docs/settings.md says."""

    def rotated() -> None:
        settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
        settings.SECRET_KEY = NEW_KEY.format(len(settings.SECRET_KEY_FALLBACKS))

    return rotated


def make_user(**fields: Any) -> User:
    return User.objects.create_user(
        f"user-{User.objects.count()}@example.com", "a long secret", **fields
    )


def unsubscribe_link() -> Check:
    path = f"/u/{tokens.make_token(Purpose.UNSUBSCRIBE, make_execution(make_run(), make_customer()).pk)}/"
    return lambda: Client().get(path).status_code == 200


def tracked_token(purpose: Purpose) -> Callable[[], Check]:
    def make() -> Check:
        token = tokens.make_token(purpose, 7, 1)
        return lambda: tokens.read_token(purpose, token) == (7, 1)

    return make


def shared_dashboard() -> Check:
    expires = timezone.now() + timedelta(days=7)
    link = SharedDashboard.objects.create(name="Wall", dashboard="customers", expires_at=expires)
    path = reverse("shared-dashboard", args=[links.token(link)])
    return lambda: Client().get(path).status_code == 200


def password_reset() -> Check:
    user = make_user()
    Client().post(reverse("account_reset_password"), {"email": user.email})
    link = next(word for word in mail.outbox[-1].body.split() if "/reset/key/" in word)
    return lambda: bool(Client().get(link, follow=True).context.get("form"))


def address_confirmation() -> Check:
    address = EmailAddress.objects.get(user=make_user())
    EmailAddress.objects.filter(pk=address.pk).update(verified=False)
    key = EmailConfirmationHMAC(address).key
    return lambda: EmailConfirmationHMAC.from_key(key) is not None


def session() -> Check:
    client = Client()
    client.force_login(make_user(is_staff=True))
    return lambda: client.get("/accounts/password/change/").status_code == 200


SIGNED = {
    "unsubscribe link": unsubscribe_link,
    **{f"token {purpose.value}": tracked_token(purpose) for purpose in Purpose},
    "shared dashboard": shared_dashboard,
    "password reset": password_reset,
    "address confirmation": address_confirmation,
    "session": session,
}
"""Links and sessions: they end with the last key that signed them."""


def sender() -> Check:
    made = make_sender()
    made.set_setting("url", "smtp://mail.example")
    made.save()
    return lambda: Sender.objects.get(pk=made.pk).setting("url") == "smtp://mail.example"


def webhook(rotations: int) -> Callable[[], Check]:
    def make() -> Check:
        endpoint = WebhookEndpoint(name="Shop", url="https://shop.example/")
        secrets = [
            endpoints.create(endpoint),
            *(endpoints.rotate(endpoint) for _n in range(rotations)),
        ]

        def signs_with_all() -> bool:
            found = WebhookEndpoint.objects.get(pk=endpoint.pk)
            return endpoints.signing_keys(found, timezone.now()) == secrets[::-1]

        return signs_with_all

    return make


def fingerprint() -> Check:
    address = f"erased-{ErasedAddress.objects.count()}@example.com"
    consent.remember_erased([address])
    return lambda: consent.erased_among([address, "other@example.com"]) == {address}


def phone() -> Check:
    device = TOTPDevice.objects.create(user=make_user(), name="phone")
    address = device.config_url
    return lambda: TOTPDevice.objects.get(pk=device.pk).config_url == address


def browser_key() -> Check:
    key, _text = keys.issue_key("page", "browser")
    secret = keys.secret_of(key)
    return lambda: keys.secret_of(WriteKey.objects.get(pk=key.pk)) == secret


SEALED = {
    "accounts.TOTPDevice.key": phone,
    "customers.WriteKey.secret": browser_key,
    "marketing.Sender.credentials": sender,
    "events.WebhookEndpoint.secret": webhook(0),
    "events.WebhookEndpoint.previous_secret": webhook(1),
    "customers.ErasureKey.sealed": fingerprint,
}
"""Secrets by column, with what needs them: `reseal` lets them outlive every key."""


def test_all_that_a_key_made_survives_two_rotations(rotate: Callable[[], None]) -> None:
    made: dict[str, Check] = {}
    for generation in range(3):
        made |= {f"{name}, key {generation}": make() for name, make in (SIGNED | SEALED).items()}
        rotate()
    assert [name for name, works in made.items() if not works()] == []


def test_resealed_secrets_outlive_the_keys(rotate: Callable[[], None], settings: Settings) -> None:
    made: list[tuple[str, Check]] = []
    for _generation in range(2):
        made += [(name, make()) for name, make in SEALED.items()]
        rotate()
    call_command("reseal")
    settings.SECRET_KEY_FALLBACKS = []
    assert [name for name, works in made if not works()] == []


def test_every_sealed_column_is_rotated_here() -> None:
    columns = {
        f"{model._meta.app_label}.{model.__name__}.{field.name}"
        for model, field in credentials.sealed_columns()
    }
    assert columns == set(SEALED)


def test_only_credentials_reads_the_secret_key() -> None:
    """Else a new use would know no fallbacks."""
    allowed = {"crm/credentials.py", "crm/settings.py", "crm/env.py", "crm/checks.py"}
    using = {
        str(path.relative_to(ROOT))
        for app in ("crm", "customers", "marketing", "analytics")
        for path in (ROOT / app).rglob("*.py")
        if re.search(r"(settings|env)\.SECRET_KEY|salted_hmac\((?!.*secret=)", path.read_text())
    }
    assert using <= allowed


def test_an_erased_customer_is_refused_after_rotations(
    rotate: Callable[[], None], settings: Settings
) -> None:
    consent.remember_erased(["una@example.com"])
    for _twice in range(2):
        rotate()
        call_command("reseal")
        settings.SECRET_KEY_FALLBACKS = []
    assert consent.blocks("email", "una@example.com")


def test_a_lost_key_never_forgets_erasures_in_silence(settings: Settings) -> None:
    consent.remember_erased(["una@example.com"])
    assert not list(checks.check_secrets(None, ["default"]))
    settings.SECRET_KEY = NEW_KEY
    with pytest.raises(credentials.Unreadable, match="SECRET_KEY_FALLBACKS"):
        consent.erased_among(["una@example.com"])
    assert [each.id for each in checks.check_secrets(None, ["default"])] == ["kindling.E005"]
    with pytest.raises(CommandError, match="erasure"):
        call_command("reseal")
    call_command("reseal", forget_erasures=True)
    assert not ErasureKey.objects.exists()
    assert consent.erased_among(["una@example.com"]) == set()
    assert not list(checks.check_secrets(None, ["default"]))
