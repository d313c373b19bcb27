"""The preference centre saves topics, pauses and opt-outs without login."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.utils import timezone

from customers import consent
from customers.models import Consent, Customer, Interaction, Pause, Topic
from marketing.campaigns.audience import dry_run
from marketing.content import preview, tokens
from marketing.content.tokens import Purpose
from marketing.models import CampaignExecution, CampaignRun, CampaignTemplate
from tests.factories.customers import make_customer
from tests.factories.marketing import make_campaign, make_execution, make_run

pytestmark = pytest.mark.django_db


@pytest.fixture
def execution() -> CampaignExecution:
    Topic.objects.create(slug="offers", name="Offers", description="Once a week")
    Topic.objects.create(slug="news", name="News")
    customer = make_customer(email="ada@example.com", phone="+4930123456")
    return make_execution(make_run(), customer, state="sent")


@pytest.fixture
def url(execution: CampaignExecution) -> str:
    return f"/u/{tokens.make_token(Purpose.UNSUBSCRIBE, execution.pk)}/"


def customer_of(execution: CampaignExecution) -> Customer:
    return Customer.objects.get(pk=execution.customer_id)


def test_the_page_shows_channels_and_no_personal_data(client: Client, url: str) -> None:
    page = client.get(url).content.decode()
    for shown in ("E-mail", "SMS", "Offers", "Once a week", 'value="email:news"', "60 days"):
        assert shown in page
    assert "ada" not in page
    assert "<script" not in page


def test_a_visit_changes_nothing(client: Client, url: str) -> None:
    client.get(url)
    client.head(url)
    assert not Consent.objects.exists()
    assert not Interaction.objects.exists()


def test_topics_are_saved_per_channel(
    client: Client, url: str, execution: CampaignExecution
) -> None:
    wanted = ["email", "email:news", "sms", "sms:news", "sms:offers", "whatsapp"]
    page = client.post(url, {"save": "1", "want": wanted}).content.decode()
    assert "From now on you get what is chosen below." in page
    assert customer_of(execution).opted_out_channels == []
    assert customer_of(execution).opted_out_topics == [
        "email:offers",
        "whatsapp:news",
        "whatsapp:offers",
    ]
    client.post(url, {"save": "1", "want": wanted})
    assert Consent.objects.count() == 3


def test_an_opt_out_counts_as_unsubscribed_message(
    client: Client, url: str, execution: CampaignExecution
) -> None:
    client.post(url, {"save": "1", "want": ["sms", "whatsapp"]})
    execution.refresh_from_db()
    assert execution.unsubscribed_at is not None
    assert customer_of(execution).opted_out_channels == ["email"]


@pytest.mark.parametrize("days", [30, 60, 90])
def test_a_pause_skips_the_customer_until_it_ends(
    client: Client, url: str, execution: CampaignExecution, days: int
) -> None:
    want = ["email", "email:news", "email:offers", "sms", "whatsapp"]
    client.post(url, {"save": "1", "want": want, "pause": str(days)})
    until = customer_of(execution).paused_until
    assert until is not None
    assert abs(until - timezone.now() - timedelta(days=days)) < timedelta(minutes=1)
    assert dry_run(make_campaign()).skipped == {"not_subscribed": 1}

    assert "The pause is over" in client.post(url, {"resume": "1"}).content.decode()
    assert dry_run(make_campaign()).reachable == 1
    assert Pause.objects.count() == 2


def test_a_pause_of_unknown_length_is_ignored(client: Client, url: str) -> None:
    client.post(url, {"save": "1", "want": ["email"], "pause": "99999999"})
    assert not Pause.objects.exists()


def test_unsubscribe_all_is_undone_for_one_channel(
    client: Client, url: str, execution: CampaignExecution
) -> None:
    page = client.post(url, {"unsubscribe_all": "1"}).content.decode()
    assert "You are unsubscribed from everything" in page
    assert customer_of(execution).opted_out_channels == ["email", "sms", "whatsapp"]
    assert "Welcome back" in client.post(url, {"subscribe": "1"}).content.decode()
    assert customer_of(execution).opted_out_channels == ["sms", "whatsapp"]


def test_one_click_unsubscribes_from_one_channel(url: str) -> None:
    client = Client(enforce_csrf_checks=True)
    answer = client.post(
        url, "List-Unsubscribe=One-Click", content_type="application/x-www-form-urlencoded"
    )
    assert answer.status_code == 200
    assert "Location" not in answer.headers
    decision = Consent.objects.get()
    assert (decision.channel, decision.topic, decision.decision) == ("email", "", "opted_out")
    client.post(url, "List-Unsubscribe=One-Click", content_type="application/x-www-form-urlencoded")
    assert Customer.objects.get().opted_out_channels == ["email"]


def test_a_link_of_a_simulated_message_unsubscribes(
    client: Client, url: str, execution: CampaignExecution
) -> None:
    CampaignRun.objects.update(simulated=True)
    assert "You are unsubscribed" in client.post(url).content.decode()
    assert customer_of(execution).opted_out_channels == ["email"]


def test_the_page_shows_choices_made_elsewhere(
    client: Client, url: str, execution: CampaignExecution
) -> None:
    consent.opt_out(execution.customer_id, "email", "asked", topic="offers")
    page = client.get(url).content.decode()
    assert 'value="email:offers" >' in page
    assert 'value="email:news" checked>' in page


@pytest.mark.parametrize("language", ["en", "EN-us", "xx", "", "not a language"])
def test_the_page_works_in_any_customer_language(
    client: Client, url: str, execution: CampaignExecution, language: str
) -> None:
    Customer.objects.update(language=language)
    assert client.get(url).status_code == 200


def test_the_link_of_a_preview_says_so(client: Client) -> None:
    template = CampaignTemplate(name="Hello", subject="Hello", body="<p>Hello</p>")
    html = preview(template, Customer()).html
    path = urlsplit(html.partition('href="')[2].partition('"')[0]).path
    for send in (client.get, client.post):
        answer = send(path)
        assert (answer.status_code, "This is a preview" in answer.content.decode()) == (200, True)
    assert not Consent.objects.exists()
