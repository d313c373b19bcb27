"""Opens and clicks of bots are counted separately and trigger nothing."""

from __future__ import annotations

import re
from collections import Counter
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from analytics import metrics
from crm.events import reader
from customers.models import Interaction, Order
from marketing.campaigns import moves
from marketing.models import CampaignExecution, CampaignRun, LinkHit
from marketing.sending import turn
from marketing.tracking import click_filter, conversions
from marketing.tracking.bots import why_bot
from tests.factories.customers import make_customer, make_order
from tests.factories.marketing import EVERYONE, make_campaign, make_template
from tests.smtp_sink import Sink

pytestmark = pytest.mark.django_db

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
BODY = "".join(f'<a href="https://shop.example/{n}">{n}</a>' for n in range(1, 6))


@pytest.fixture
def execution(sink: Sink) -> CampaignExecution:
    """Send a message with five links, dated a minute ago."""
    make_customer()
    run = moves.launch(make_campaign(rules=EVERYONE, template=make_template(body=BODY)))
    while turn.work_on(run.pk):
        pass
    run.executions.update(sent_at=timezone.now() - timedelta(minutes=1))
    return run.executions.get()


@pytest.fixture
def links(execution: CampaignExecution, sink: Sink) -> list[str]:
    body = sink.messages()[0].get_body(("html",))
    assert body is not None
    return re.findall(r"/t/[oc]/[\w-]+(?:\.gif)?", body.get_content())


@pytest.fixture
def client() -> Client:
    return Client(headers={"User-Agent": FIREFOX})


def classify_hits() -> None:
    click_filter.process_hits(timezone.now() + timedelta(seconds=10))


def recorded_events() -> Counter[str]:
    kinds = Interaction.objects.exclude(type="message_sent").values_list("type", flat=True)
    return Counter(kind.removeprefix("message_") for kind in kinds)


def test_one_click_counts_as_human(client: Client, links: list[str]) -> None:
    client.get(links[1])
    assert recorded_events() == {}, "it waits for what else is asked for"
    classify_hits()
    assert recorded_events() == {"opened": 1, "clicked": 1}
    assert not LinkHit.objects.exists()


def test_two_clicks_count_as_human(client: Client, links: list[str]) -> None:
    client.get(links[1])
    client.get(links[2])
    classify_hits()
    assert recorded_events()["clicked"] == 2


def test_a_click_on_the_hidden_link_marks_a_bot(
    client: Client, links: list[str], execution: CampaignExecution
) -> None:
    client.get(links[1])
    assert client.get(links[-2]).headers["Location"] == "http://127.0.0.1:8000"
    classify_hits()
    assert recorded_events() == {"clicked_by_machine": 1}
    execution.refresh_from_db()
    assert execution.clicked_at is None
    assert execution.opened_at is None
    assert execution.clicked_by_machine_at is not None


def test_many_clicks_at_once_mark_a_bot(client: Client, links: list[str]) -> None:
    for link in links[:3]:
        client.get(link)
    classify_hits()
    assert recorded_events() == {"clicked_by_machine": 3}


def test_a_human_click_after_a_scanner_counts(
    client: Client, links: list[str], execution: CampaignExecution
) -> None:
    for link in links[:3]:
        client.get(link)
    LinkHit.objects.update(at=timezone.now() - timedelta(seconds=30))
    client.get(links[2])
    classify_hits()
    assert recorded_events() == {"clicked_by_machine": 3, "opened": 1, "clicked": 1}
    execution.refresh_from_db()
    assert execution.clicked_at is not None


def test_recent_clicks_stay_unclassified(client: Client, links: list[str]) -> None:
    client.get(links[1])
    assert click_filter.process_hits(timezone.now() + timedelta(seconds=1)) == 0


def test_a_later_click_counts_at_once(
    client: Client, links: list[str], execution: CampaignExecution
) -> None:
    CampaignExecution.objects.update(sent_at=timezone.now() - timedelta(hours=2))
    client.get(links[1])
    assert recorded_events() == {"opened": 1, "clicked": 1}


@pytest.mark.parametrize(
    ("agent", "headers"),
    [
        ("", {}),
        ("Mozilla/5.0", {}),
        ("python-requests/2.32", {}),
        ("Mozilla/5.0 (compatible; Barracuda Sentinel)", {}),
        ("Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)", {}),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/120.0 Safari/537.36", {}),
        (FIREFOX, {"Sec-Purpose": "prefetch;prerender"}),
        (FIREFOX, {"X-Moz": "prefetch"}),
    ],
)  # fmt: skip
def test_a_bots_open_is_not_an_open(
    links: list[str], execution: CampaignExecution, agent: str, headers: dict[str, str]
) -> None:
    pixel = next(link for link in links if link.endswith(".gif"))
    Client(headers={"User-Agent": agent, **headers}).get(pixel)
    assert recorded_events() == {"opened_by_machine": 1}
    execution.refresh_from_db()
    assert execution.opened_at is None
    assert execution.opened_by_machine_at is not None


def test_an_open_right_after_sending_is_a_bots(
    client: Client, links: list[str], execution: CampaignExecution
) -> None:
    CampaignExecution.objects.update(sent_at=timezone.now())
    client.get(next(link for link in links if link.endswith(".gif")))
    assert recorded_events() == {"opened_by_machine": 1}


@pytest.mark.parametrize(
    ("address", "machine"),
    [("17.58.63.10", True), ("40.94.31.2", False), ("104.47.10.36", True), ("93.184.216.34", False), ("::1", False), ("", False)],
)  # fmt: skip
def test_known_scanner_networks_are_bots(address: str, machine: bool) -> None:
    assert (why_bot(FIREFOX, address=address) == "network") is machine


def test_mail_proxies_of_providers_are_not_bots() -> None:
    gmail = (
        "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
    )
    yahoo = "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html"
    iphone = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148"
    assert [why_bot(agent) for agent in (gmail, yahoo, iphone)] == ["", "", ""]


def test_a_bots_click_causes_no_conversion(
    client: Client, links: list[str], execution: CampaignExecution
) -> None:
    for link in links[:3]:
        client.get(link)
    classify_hits()
    make_order(execution.customer, placed_at=timezone.now() + timedelta(minutes=1))
    assert conversions.count_orders(Order.objects.values_list("pk", flat=True)) == 0


@pytest.mark.django_db(transaction=True)
def test_metrics_count_bot_clicks_separately(client: Client, links: list[str]) -> None:
    for link in links[:3]:
        client.get(link)
    LinkHit.objects.update(at=timezone.now() - timedelta(seconds=30))
    client.get(links[2])
    classify_hits()
    reader.catch_up(metrics.SUBSCRIBER)
    sums = metrics.totals(CampaignRun.objects.all())
    assert (sums.clicked, sums.clicks, sums.clicked_by_machine) == (1, 1, 1)


def test_bot_clicks_are_no_customer_activity(
    client: Client, links: list[str], execution: CampaignExecution
) -> None:
    for link in links[:3]:
        client.get(link)
    classify_hits()
    execution.customer.refresh_from_db()
    assert execution.customer.last_interaction_at is None
