"""The admin and the API manage senders and never show their secrets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from crm.outbound.models import ExternalServiceLog
from customers.models import Suppression
from marketing.channels import registry
from marketing.channels.base import TransientError
from marketing.models import Sender, SenderBreaker
from tests.factories.marketing import make_campaign, make_run, make_sender
from tests.http_stub import Stub, serving
from tests.smtp_sink import Sink

pytestmark = pytest.mark.django_db

TWILIO = {
    "name": "Texts",
    "channel": "sms",
    "provider": "twilio",
    "from_address": "+15005550006",
    "settings": {"account_sid": "AC1", "auth_token": "t0ken"},
}


@pytest.fixture
def stub(settings: Settings) -> Iterator[Stub]:
    settings.OUTBOUND_ALLOW_PRIVATE = True
    with serving() as stub:
        yield stub


def test_the_api_creates_a_sender_and_hides_its_secret(api: APIClient) -> None:
    response = api.post("/api/senders", TWILIO)
    assert response.status_code == 201
    assert response.data["settings"] == {"account_sid": "AC1", "auth_token": "••••••••"}
    assert response.data["receipts_url"].endswith(f"/hooks/twilio/{response.data['id']}/")
    sender = Sender.objects.get()
    assert sender.setting("auth_token") == "t0ken"
    for page in ("/api/senders", f"/api/senders/{response.data['id']}"):
        assert "t0ken" not in api.get(page).content.decode()
    assert "t0ken" not in str(Sender.objects.values())


def test_a_secret_can_reference_an_environment_variable(
    api: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SENDER_TEXTS_TOKEN", "t0ken")
    given = {**TWILIO, "settings": {"account_sid": "AC1", "auth_token": "env:SENDER_TEXTS_TOKEN"}}
    assert (
        api.post("/api/senders", given).data["settings"]["auth_token"] == "env:SENDER_TEXTS_TOKEN"
    )
    assert Sender.objects.get().setting("auth_token") == "t0ken"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"settings": {"account_sid": "AC1"}}, "auth_token"),
        (
            {"settings": {"account_sid": "AC1", "auth_token": "env:SENDER_NO_SUCH_THING"}},
            "NO_SUCH_THING",
        ),
        (
            {"settings": {"account_sid": "AC1", "auth_token": "env:SECRET_KEY"}},
            "cannot use SECRET_KEY",
        ),
        (
            {"settings": {"account_sid": "AC1", "auth_token": "env:LLM_API_KEY"}},
            "cannot use LLM_API_KEY, only variables whose name starts with SENDER_",
        ),
        (
            {
                "channel": "email",
                "provider": "smtp",
                "from_address": "a@shop.example",
                "settings": {"url": "env:EMAIL_URL"},
            },
            "cannot use EMAIL_URL",
        ),
        (
            {
                "channel": "email",
                "provider": "resend",
                "from_address": "a@shop.example",
                "settings": {"api_key": "k", "signing_secret": "env:GOOGLE_CLIENT_SECRET"},
            },
            "cannot use GOOGLE_CLIENT_SECRET",
        ),
        ({"settings": {"colour": "red"}}, "Known: account_sid, auth_token"),
        ({"channel": "email"}, "does not carry"),
        ({"provider": "pigeon"}, "provider"),
        ({"from_address": ""}, "from_address"),
        ({"settings": [1]}, "settings"),
    ],
)
def test_invalid_sender_settings_are_refused_by_name(
    api: APIClient, change: dict[str, object], field: str
) -> None:
    response = api.post("/api/senders", {**TWILIO, **change})
    assert response.status_code == 400
    assert field in response.content.decode()
    assert not Sender.objects.exists()


def test_a_change_preserves_unnamed_secrets(api: APIClient) -> None:
    public_id = api.post("/api/senders", TWILIO).data["id"]
    changed = api.patch(f"/api/senders/{public_id}", {"settings": {"account_sid": "AC2"}})
    assert changed.status_code == 200
    sender = Sender.objects.get()
    assert (sender.setting("account_sid"), sender.setting("auth_token")) == ("AC2", "t0ken")


MASTODON = {
    "name": "Posts",
    "channel": "social",
    "provider": "mastodon",
    "settings": {"url": "https://mastodon.social", "token": "t0ken"},
}
MAILGUN = {
    "name": "Mail",
    "channel": "email",
    "provider": "mailgun",
    "from_address": "hello@shop.example",
    "settings": {"api_key": "k3y", "webhook_signing_key": "s1gn", "sender_domain": "shop.example"},
}
HOOK = {
    "name": "Hook",
    "channel": "webhook",
    "provider": "webhook",
    "settings": {"url": "https://shop.example/in"},
}


@pytest.mark.parametrize(
    ("sender", "change", "asked"),
    [
        (MASTODON, {"settings": {"url": "https://listener.example"}}, ["token"]),
        (MASTODON, {"settings": {"url": "https://mastodon.social.listener.example"}}, ["token"]),
        (MASTODON, {"settings": {"url": "http://mastodon.social"}}, ["token"]),
        (
            MASTODON,
            {"settings": {"url": "https://listener.example", "token": "••••••••"}},
            ["token"],
        ),
        (TWILIO, {"settings": {"api_url": "https://listener.example"}}, ["auth_token"]),
        (
            MAILGUN,
            {"settings": {"api_url": "https://listener.example", "api_key": "k3y"}},
            ["webhook_signing_key"],
        ),
        (MAILGUN, {"provider": "brevo"}, ["api_key"]),
        (
            MAILGUN,
            {"provider": "postal", "settings": {"api_url": "https://listener.example"}},
            ["api_key"],
        ),
        (HOOK, {"settings": {"url": "https://listener.example/in"}}, ["secret"]),
    ],
)
def test_another_server_needs_the_secrets_again(
    api: APIClient, sender: dict[str, Any], change: dict[str, Any], asked: list[str]
) -> None:
    page = f"/api/senders/{api.post('/api/senders', sender).data['id']}"
    before = Sender.objects.values().get()
    refused = api.patch(page, change)
    assert refused.status_code == 400
    assert [each["path"] for each in refused.data["errors"]] == [
        f"settings.{each}" for each in asked
    ]
    assert Sender.objects.values().get() == before

    entered = {**change.get("settings", {}), **dict.fromkeys(asked, "another")}
    moved = api.patch(page, {**change, "settings": entered})
    assert moved.status_code == 200, moved.data
    assert {Sender.objects.get().setting(name) for name in asked} == {"another"}


def test_the_mask_of_a_secret_changes_nothing(api: APIClient) -> None:
    read = api.post("/api/senders", TWILIO).data
    written = api.patch(f"/api/senders/{read['id']}", {"settings": read["settings"]})
    assert written.status_code == 200
    assert Sender.objects.get().setting("auth_token") == "t0ken"


def test_push_keys_are_generated(api: APIClient) -> None:
    given = {"name": "Push", "channel": "push", "provider": "webpush"}
    assert api.post("/api/senders", given).status_code == 201
    assert Sender.objects.get().setting("private_key")


def test_a_test_is_sent_through_the_account(api: APIClient, stub: Stub) -> None:
    stub.answer = (201, {}, '{"sid": "SM1"}')
    given = {**TWILIO, "settings": {**TWILIO["settings"], "api_url": stub.url}}  # type: ignore[dict-item]
    public_id = api.post("/api/senders", given).data["id"]
    response = api.post(f"/api/senders/{public_id}/test-send", {"to": "+4915112345678"})
    assert response.status_code == 200
    assert response.data == {"provider_id": "SM1", "simulated": False, "url": "", "remarks": []}
    assert "It works" in stub.requests[0].form["Body"]


def test_a_failed_test_send_returns_the_reason(api: APIClient, stub: Stub) -> None:
    stub.answer = (400, {}, '{"code": 21211, "message": "Invalid To"}')
    given = {**TWILIO, "settings": {**TWILIO["settings"], "api_url": stub.url}}  # type: ignore[dict-item]
    public_id = api.post("/api/senders", given).data["id"]
    response = api.post(f"/api/senders/{public_id}/test-send", {"to": "+4915112345678"})
    assert response.status_code == 502
    assert "Invalid To" in response.content.decode()
    Suppression.objects.create(channel="sms", address="+4915112345678")
    suppressed = api.post(f"/api/senders/{public_id}/test-send", {"to": "+4915112345678"})
    assert "suppressed" in suppressed.content.decode()
    assert api.post(f"/api/senders/{public_id}/test-send", {}).status_code == 502


def test_the_api_returns_the_status_of_a_sender(api: APIClient) -> None:
    sender = make_sender()
    SenderBreaker.objects.create(sender=sender, state="open")
    ExternalServiceLog.objects.create(
        at=timezone.now(), service="x", account=sender.public_id, method="POST", target="x", ms=1, error="503 oh no"
    )  # fmt: skip
    standing = api.get(f"/api/senders/{sender.public_id}").data["standing"]
    assert standing["breaker"] == "open"
    assert [each["what"] for each in standing["last_errors"]] == ["503 oh no"]


def test_a_sender_uses_its_own_smtp_server(api: APIClient, sink: Sink, settings: Settings) -> None:
    settings.EMAIL_PORT, settings.OUTBOUND_ALLOW_PRIVATE = 1, True
    given = {
        "name": "Own", "channel": "email", "provider": "smtp", "from_address": "hello@shop.example",
        "settings": {"url": f"smtp://127.0.0.1:{sink.port}"},
    }  # fmt: skip
    public_id = api.post("/api/senders", given).data["id"]
    response = api.post(f"/api/senders/{public_id}/test-send", {"to": "ada@example.com"})
    assert response.status_code == 200
    assert sink.messages()[0]["Subject"] == "[Test] Own"
    wrong = api.patch(f"/api/senders/{public_id}", {"settings": {"url": "http://x"}})
    assert wrong.status_code == 400


def test_the_admin_requires_the_provider_settings(staff_client: Client) -> None:
    basics = {"name": "Texts", "channel": "sms", "provider": "twilio"}
    added = staff_client.post("/admin/marketing/sender/add/", basics)
    sender = Sender.objects.get()
    page = f"/admin/marketing/sender/{sender.pk}/change/"
    assert added.headers["Location"] == page
    assert b"setting_auth_token" in staff_client.get(page).content

    whole = {
        **basics, "from_address": "+15005550006", "setting_account_sid": "AC1", "setting_auth_token": "t0ken", "connections": 4,
        "cost_per_message": 0, "setting_api_url": "",
    }  # fmt: skip
    assert staff_client.post(page, {**whole, "setting_auth_token": ""}).status_code == 200
    assert staff_client.post(page, whole).status_code == 302
    shown = staff_client.get(page).content.decode()
    assert "t0ken" not in shown
    assert "Status" in shown
    assert staff_client.post(page, {**whole, "setting_auth_token": ""}).status_code == 302
    sender.refresh_from_db()
    assert sender.setting("auth_token") == "t0ken"


def test_the_admin_asks_for_the_secret_of_another_server(
    api: APIClient, staff_client: Client
) -> None:
    api.post("/api/senders", MASTODON)
    page = f"/admin/marketing/sender/{Sender.objects.get().pk}/change/"
    form = {
        "name": "Posts", "channel": "social", "provider": "mastodon", "connections": 1, "cost_per_message": 0,
        "setting_url": "https://listener.example", "setting_token": "", "setting_visibility": "",
    }  # fmt: skip
    refused = staff_client.post(page, form)
    assert refused.context["adminform"].form.errors == {
        "setting_token": ["Enter it again: it would go to another server."]
    }
    assert Sender.objects.get().setting("url") == "https://mastodon.social"
    assert staff_client.post(page, {**form, "setting_token": "another"}).status_code == 302
    assert Sender.objects.get().setting("token") == "another"


def test_the_admin_sends_a_test(staff_client: Client, sink: Sink) -> None:
    sender = make_sender()
    path = f"/admin/marketing/sender/{sender.pk}/test/"
    answer = staff_client.post(path, {"to": "ada@example.com"}, follow=True)
    assert "The provider accepted the test" in answer.content.decode()
    assert len(sink.arrived) == 1
    assert staff_client.get(path).status_code == 405


def test_a_user_reconnects_a_provider_on_its_page(
    staff_client: Client,
) -> None:
    run = make_run(make_campaign(state="paused"), state="paused", pause_reason="provider")
    SenderBreaker.objects.create(
        sender=run.sender, state="open", probe_at=timezone.now(), last_error="503 oh no"
    )
    page = f"/admin/marketing/sender/{run.sender_id}/change/"
    assert "works-again" in staff_client.get(page).content.decode()

    staff_client.post(f"/admin/marketing/sender/{run.sender_id}/works-again/")

    run.refresh_from_db()
    assert (SenderBreaker.objects.get().state, run.state) == ("closed", "queued")
    assert "works-again" not in staff_client.get(page).content.decode()


def test_reseal_encrypts_secrets_with_the_new_key(settings: Settings) -> None:
    sender, lost = make_sender(), make_sender()
    for each in (sender, lost):
        each.set_setting("url", "smtp://mail.example")
        each.save()
    Sender.objects.filter(pk=lost.pk).update(credentials={"url": "sealed:nonsense"})
    old, settings.SECRET_KEY = settings.SECRET_KEY, "another key of more than thirty-two characters"
    settings.SECRET_KEY_FALLBACKS = [old]
    with pytest.raises(CommandError, match=lost.name):
        call_command("reseal")
    settings.SECRET_KEY_FALLBACKS = []
    sender.refresh_from_db()
    assert sender.setting("url") == "smtp://mail.example"


def test_a_missing_secret_is_a_transient_error(
    api: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SENDER_TEXTS_TOKEN", "t0ken")
    given = {**TWILIO, "settings": {"account_sid": "AC1", "auth_token": "env:SENDER_TEXTS_TOKEN"}}
    public_id = api.post("/api/senders", given).data["id"]
    monkeypatch.delenv("SENDER_TEXTS_TOKEN")
    with pytest.raises(TransientError, match="SENDER_TEXTS_TOKEN"):
        registry.connect(Sender.objects.get())
    response = api.post(f"/api/senders/{public_id}/test-send", {"to": "+4915112345678"})
    assert response.status_code == 502
    assert (
        "SENDER_TEXTS_TOKEN"
        in api.get(f"/api/senders/{public_id}").data["standing"]["faults"]["auth_token"]
    )
