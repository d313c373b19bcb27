"""The pages of sending name content, sender, simulation and errors."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from marketing.models import SenderBreaker
from marketing.sending import sender_accounts
from tests.factories.customers import make_customer
from tests.factories.marketing import (
    make_campaign,
    make_execution,
    make_run,
    make_sender,
    make_template,
    make_variants,
)

pytestmark = pytest.mark.django_db

MESSAGES = reverse("admin:marketing_campaignexecution_changelist")


def page_text(client: Client, name: str, *args: object) -> str:
    return client.get(reverse(f"admin:marketing_{name}", args=args)).content.decode()


def test_the_confirmation_shows_the_message_of_each_variant(
    staff_client: Client,
) -> None:
    make_customer(first_name="Ada", email="ada@example.com")
    campaign = make_campaign(name="Two ways", template=make_template(subject="Of no variant"))
    make_variants(campaign, Warm=1, Sunny=1)
    confirmation = page_text(staff_client, "campaign_send_now", campaign.pk)
    assert "Two ways" in confirmation
    for name in ("Warm", "Sunny"):
        assert f"<b>Variant {name}</b> as Ada receives it" in confirmation
        assert f'<p class="message-subject text-important">{name}</p>' in confirmation
    assert "Of no variant" not in confirmation


def test_the_confirmation_renders_for_a_recipient(staff_client: Client) -> None:
    make_customer(first_name="Ada <b>", email="ada@example.com")
    confirmation = page_text(staff_client, "campaign_send_now", make_campaign().pk)
    assert "Hello Ada &lt;b&gt;" in confirmation
    assert (
        'sandbox="allow-popups allow-popups-to-escape-sandbox" title="The message" srcdoc="'
        in confirmation
    )
    assert "customer.first_name" not in confirmation


def test_the_confirmation_names_arms_without_recipients(staff_client: Client) -> None:
    make_customer(email="only@example.com")
    campaign = make_campaign(holdout_percent="0.01")
    make_variants(campaign, Warm=1, Sunny=1)
    confirmation = page_text(staff_client, "campaign_send_now", campaign.pk)
    assert sum(f"Variant {name}: 0" in confirmation for name in ("Warm", "Sunny")) == 1
    assert "the audience is too small for its weight" in confirmation
    assert "No customers in the holdout group of 0.01 %" in confirmation


def test_the_confirmation_shows_subject_and_sender_address(
    staff_client: Client,
) -> None:
    sender = make_sender(from_name="", from_address="hello@kindling.example")
    campaign = make_campaign(sender=sender, template=make_template(subject="Hello"))
    confirmation = page_text(staff_client, "campaign_send_now", campaign.pk)
    assert '<p class="message-subject text-important">Hello</p>' in confirmation
    assert "<b>From:</b> hello@kindling.example" in confirmation


def test_the_list_marks_simulated_messages(staff_client: Client) -> None:
    real = make_run(make_campaign())
    make_execution(real, make_customer(), state="delivered")
    assert "Simulated" not in staff_client.get(MESSAGES).content.decode()

    invented = make_run(make_campaign(sender=make_sender(provider="simulator")))
    message = make_execution(invented, make_customer(), state="delivered")
    assert "Simulated" in staff_client.get(MESSAGES).content.decode()
    assert "Simulated" in page_text(staff_client, "campaignexecution_change", message.pk)


def test_an_unreachable_server_appears_in_sender_errors(
    staff_client: Client,
) -> None:
    sender = make_sender()
    SenderBreaker.objects.create(
        sender=sender, state="open", last_error="Connection refused", last_error_at=timezone.now()
    )
    assert [each.what for each in sender_accounts.status_of(sender).errors] == [
        "Connection refused"
    ]

    page = page_text(staff_client, "sender_change", sender.pk)
    assert page.index("The provider failed every message") < page.index('id="sender_form"')


def test_the_page_names_missing_sender_settings(staff_client: Client) -> None:
    sender = make_sender(provider="twilio", channel="sms", from_address="")
    page = page_text(staff_client, "sender_change", sender.pk)
    assert "<b>Account SID:</b> Twilio needs this." in page


def test_a_sent_campaign_without_variants_shows_no_table(
    staff_client: Client,
) -> None:
    sent = make_campaign(state="completed")
    assert "variants-heading" not in page_text(staff_client, "campaign_change", sent.pk)
    make_variants(sent, Warm=1)
    assert "variants-heading" in page_text(staff_client, "campaign_change", sent.pk)
