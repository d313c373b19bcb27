"""Opens, clicks and unsubscriptions are recorded through the links of a message."""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.utils import timezone

from customers import consent, identity, privacy
from customers.models import AddressOptOut, Consent, Customer, Interaction
from customers.timeline.types import MESSAGE_DELIVERED
from marketing.campaigns import moves
from marketing.campaigns.audience import dry_run
from marketing.models import Campaign, CampaignExecution, FormerMessage
from marketing.sending import turn
from marketing.tracking.engagement import MessageEvent, record
from tests.factories.customers import make_customer
from tests.factories.marketing import make_campaign, make_sender, make_template
from tests.smtp_sink import Sink

pytestmark = pytest.mark.django_db

BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
BODY = """
<p>Hi {{ customer.first_name }}</p>
<a href="https://shop.example/sale?a=1&amp;b=2">Sale</a>
<a href="https://shop.example/{{ customer.city }}">Near you</a>
"""


@pytest.fixture
def execution(sink: Sink) -> CampaignExecution:
    make_customer(email="ada@example.com", first_name="Ada", city="Bath")
    everyone = {"operator": "AND", "conditions": []}
    run = moves.launch(make_campaign(rules=everyone, template=make_template(body=BODY)))
    while turn.work_on(run.pk):
        pass
    run.executions.update(sent_at=timezone.now() - timedelta(hours=1))
    return run.executions.get()


@pytest.fixture
def client() -> Client:
    """Return a client with the user agent of a browser."""
    return Client(headers={"User-Agent": BROWSER})


@pytest.fixture
def links(execution: CampaignExecution, sink: Sink) -> dict[str, str]:
    """Return the tracking paths of the message: open, two clicks, unsubscribe."""
    body = sink.messages()[0].get_body(("html",))
    assert body is not None
    clicks = re.findall(r"/t/c/[\w-]+", body.get_content())
    (pixel,) = re.findall(r"/t/o/[\w-]+\.gif", body.get_content())
    (leave,) = re.findall(r"/u/[\w-]+", body.get_content())
    return {"open": pixel, "sale": clicks[0], "near": clicks[1], "leave": leave}


def timeline() -> list[tuple[str, bool]]:
    rows = Interaction.objects.exclude(type="message_sent").order_by("id")
    return [(each.type, each.properties["first"]) for each in rows]


def test_only_the_first_open_is_marked_first(
    client: Client, links: dict[str, str], execution: CampaignExecution
) -> None:
    for _ in range(2):
        response = client.get(links["open"])
        assert response.headers["Content-Type"] == "image/gif"
        assert "no-store" in response.headers["Cache-Control"]
    execution.refresh_from_db()
    assert execution.opened_at is not None
    assert timeline() == [("message_opened", True), ("message_opened", False)]


def test_a_click_redirects_and_counts_as_open(client: Client, links: dict[str, str]) -> None:
    response = client.get(links["sale"])
    assert response.status_code == 302
    assert response.headers["Location"] == "https://shop.example/sale?a=1&b=2"
    assert timeline() == [("message_opened", True), ("message_clicked", True)]


def test_a_link_with_a_variable_leads_to_the_sent_address(
    client: Client, links: dict[str, str]
) -> None:
    assert client.get(links["near"]).headers["Location"] == "https://shop.example/Bath"


def test_head_requests_and_page_views_count_nothing(client: Client, links: dict[str, str]) -> None:
    client.head(links["sale"])
    client.head(links["open"])
    client.get(links["leave"])
    assert timeline() == []
    assert not Consent.objects.exists()


def test_one_click_unsubscribes_without_a_session(links: dict[str, str]) -> None:
    client = Client(enforce_csrf_checks=True)
    response = client.post(
        links["leave"],
        "List-Unsubscribe=One-Click",
        content_type="application/x-www-form-urlencoded",
    )
    assert response.status_code == 200
    consent = Consent.objects.get()
    assert (consent.channel, consent.decision) == ("email", "opted_out")
    assert consent.customer.opted_out_channels == ["email"]
    assert timeline() == [("unsubscribed", True)]


def test_the_header_has_the_same_unsubscribe_link(links: dict[str, str], sink: Sink) -> None:
    assert links["leave"] in sink.messages()[0]["List-Unsubscribe"]
    assert sink.messages()[0]["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_an_unsubscribed_customer_can_subscribe_again(
    client: Client, links: dict[str, str], execution: CampaignExecution
) -> None:
    assert b"Unsubscribe from" in client.get(links["leave"]).content
    assert b"You are unsubscribed" in client.post(links["leave"]).content
    assert b"Welcome back" in client.post(links["leave"], {"subscribe": "1"}).content
    execution.customer.refresh_from_db()
    assert execution.customer.opted_out_channels == []


@pytest.mark.parametrize("path", ["/t/o/x.gif", "/t/c/x", "/u/x", "/t/c/" + "A" * 27, "/u/%00"])
def test_an_invalid_token_is_not_found(client: Client, path: str) -> None:
    assert client.get(path).status_code == 404


@pytest.mark.parametrize("gone", ["message", "customer", "campaign"])
def test_a_link_of_a_deleted_message_still_works(
    client: Client, links: dict[str, str], execution: CampaignExecution, gone: str
) -> None:
    address = execution.address
    if gone == "campaign":
        Campaign.objects.all().delete()
    else:
        (execution if gone == "message" else execution.customer).delete()

    sale = client.get(links["sale"])
    page = client.get(links["leave"])
    assert not AddressOptOut.objects.exists()
    left = client.post(links["leave"])

    assert sale.status_code == 302
    assert sale.headers["Location"].startswith("http")
    assert b"Unsubscribe from" in page.content
    assert b"You are unsubscribed" in left.content
    assert AddressOptOut.objects.get().address == address
    assert client.get(links["open"]).status_code == 200
    again = make_customer(email=address) if gone == "customer" else execution.customer
    consent.hold_opt_outs([again.pk])
    again.refresh_from_db()
    assert again.opted_out_channels == ["email"]


@pytest.mark.parametrize("survivor", ["ada", "bob"])
def test_a_link_counts_for_the_customer_of_a_merge(
    sink: Sink, client: Client, survivor: str
) -> None:
    customers = {name: make_customer(email=f"{name}@example.com") for name in ("ada", "bob")}
    body = '<a href="https://shop.example/{{ customer.email }}">Sale</a>'
    run = moves.launch(make_campaign(template=make_template(body=body)))
    while turn.work_on(run.pk):
        pass
    mails = {mail["To"].addresses[0].username: mail for mail in sink.messages()}
    clicks = {
        name: re.findall(r"/t/c/[\w-]+", mail.get_body(("html",)).get_content())[0]
        for name, mail in mails.items()
    }
    (duplicate,) = set(customers) - {survivor}
    identity.merge(customers[survivor].pk, customers[duplicate].pk)

    for name in customers:
        click = client.get(clicks[name])
        assert click.headers["Location"] == f"https://shop.example/{name}@example.com"
        leave = urlsplit(mails[name]["List-Unsubscribe"].strip("<>")).path
        page = client.post(leave, {"List-Unsubscribe": "One-Click"})
        assert b"You are unsubscribed" in page.content
        customers[survivor].refresh_from_db()
        assert customers[survivor].opted_out_channels == ["email"]
        assert AddressOptOut.objects.filter(address=f"{name}@example.com").exists()
        consent.opt_in(customers[survivor].pk, "email", "again")
    assert run.executions.get().unsubscribed_at


@pytest.mark.parametrize("order", ["abc", "cba", "undone"])
def test_links_count_after_a_chain_of_merges(sink: Sink, client: Client, order: str) -> None:
    """Merge three records that got one batch, and leave by the link of each."""
    names = ("a", "b", "c")
    customers = {name: make_customer(email=f"{name}@example.com") for name in names}
    run = moves.launch(
        make_campaign(template=make_template(body="<a href='https://a.example'>x</a>"))
    )
    while turn.work_on(run.pk):
        pass
    leave = {
        mail["To"].addresses[0].username: urlsplit(mail["List-Unsubscribe"].strip("<>")).path
        for mail in sink.messages()
    }
    first, second, third = (customers[name].pk for name in (names if order != "cba" else "cba"))
    identity.merge(second, first)
    done = identity.merge(third, second)
    if order == "undone":
        identity.undo(done.pk)

    for name in names:
        assert client.get(leave[name]).status_code == 200
        assert b"You are unsubscribed" in client.post(leave[name]).content
        assert AddressOptOut.objects.filter(address=f"{name}@example.com").exists()
    for customer in Customer.objects.all():
        assert customer.opted_out_channels == ["email"]


def test_a_number_of_two_records_gets_one_message() -> None:
    """Two records with one number, one of which had opted in with another number before."""
    phone = "+4915112345678"
    one, other = make_customer(phone=phone), make_customer(phone=phone)
    sender = make_sender(provider="simulator", channel="sms", from_address="+15005550006")
    template = make_template(channel="sms", body="Sale!")
    campaign = make_campaign(sender=sender, channel="sms", template=template)
    run = moves.launch(campaign)
    while turn.work_on(run.pk):
        pass
    assert run.executions.filter(address=phone).exclude(state="skipped").count() == 1
    assert run.executions.get(state="skipped").skip_reason == "duplicate_address"

    consent.opt_out_addresses("sms", [phone], "Replied STOP")
    late = make_customer(phone="+4915112345679")
    consent.opt_in(late.pk, "sms", "a form")
    Customer.objects.filter(pk=late.pk).update(phone=phone)
    consent.hold_opt_outs([late.pk])
    identity.merge(one.pk, other.pk)
    later = dry_run(make_campaign(sender=sender, channel="sms", template=template))
    assert later.reachable == 0


def test_an_erased_customer_can_still_unsubscribe(
    client: Client, links: dict[str, str], execution: CampaignExecution
) -> None:
    privacy.erase(execution.customer, by=None)
    assert client.post(links["leave"]).status_code == 200
    execution.delete()
    assert client.post(links["leave"]).status_code == 200
    assert not FormerMessage.objects.get().address


def test_a_click_or_receipt_resolves_an_unconfirmed_message(
    client: Client, links: dict[str, str], execution: CampaignExecution
) -> None:
    CampaignExecution.objects.update(state="unconfirmed")
    client.get(links["sale"])
    execution.refresh_from_db()
    assert execution.state == "sent"

    CampaignExecution.objects.update(state="unconfirmed")
    record([MessageEvent(execution.pk, MESSAGE_DELIVERED, timezone.now())])
    execution.refresh_from_db()
    assert execution.state == "delivered"


def test_repeated_events_in_a_batch_have_one_first(execution: CampaignExecution) -> None:
    now = timezone.now()
    record([MessageEvent(execution.pk, "message_clicked", now, link="https://a.example")] * 2)
    assert timeline() == [
        ("message_opened", True),
        ("message_clicked", True),
        ("message_clicked", False),
    ]
