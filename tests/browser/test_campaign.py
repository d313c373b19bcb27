"""Staff create, schedule, send and analyse a campaign in a browser, with a real worker, beat and mail server."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.utils import timezone
from playwright.sync_api import Page, expect

from customers.models import Customer, Segment
from marketing.campaigns import moves
from marketing.models import Campaign
from tests.factories.marketing import make_campaign, make_sender
from tests.smtp_sink import Sink, running

ROOT = Path(__file__).resolve().parents[2]
PEOPLE = 40
PATIENCE = 120_000


@contextmanager
def worker(sink: Sink) -> Iterator[None]:
    """A Celery worker with an embedded beat, on the database of the test."""
    name = connection.settings_dict["NAME"]
    database = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()
    process = subprocess.Popen(
        [sys.executable, "-m", "celery", "-A", "crm", "worker", "--beat", "--concurrency", "1",
         "--loglevel", "warning", "--without-gossip", "--without-mingle"],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": database, "EMAIL_URL": sink.url},
        start_new_session=True,
    )  # fmt: skip
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture
def people() -> None:
    Customer.objects.bulk_create(
        Customer(first_name="Ada", email=f"p{number}@example.com") for number in range(PEOPLE)
    )
    Segment.objects.create(name="Everybody", slug="everybody")
    make_sender(name="Slow mail", is_default=True, per_second=3, connections=1)


def shoot(page: Page, name: str) -> None:
    if folder := os.environ.get("SHOTS"):
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)
        page.evaluate("document.documentElement.classList.add('dark')")
        page.set_viewport_size({"width": 390, "height": 844})
        page.screenshot(path=f"{folder}/{name}-dark-phone.png", full_page=True)
        page.evaluate("document.documentElement.classList.remove('dark')")
        page.set_viewport_size({"width": 1280, "height": 900})


@pytest.mark.usefixtures("people")
def test_a_campaign_is_scheduled_sent_paused_and_analysed(page: Page, live_server) -> None:
    for name in ("Warm", "Sunny"):
        write_template(page, live_server.url, name)
    with running(Sink()) as sink, worker(sink):
        write_campaign(page, live_server.url, "Spring", variants=("Warm", "Sunny"))
        schedule(page)
        watch_it_start(page)
        hold_and_let_go(page, sink)
        read_the_result(page)
    assert len(sink.arrived) == PEOPLE
    assert set(sink.recipients().values()) == {1}
    assert {message["Subject"] for message in sink.messages()} == {"Warm, Ada", "Sunny, Ada"}


def test_the_form_shows_fields_of_a_frequency_and_next_runs(page: Page, live_server) -> None:
    page.goto(f"{live_server.url}/admin/marketing/campaign/add/")
    expect(page.locator(".field-frequency")).to_be_hidden()
    page.locator("#id_type").select_option("recurring")
    page.locator("#id_frequency").select_option("monthly")
    expect(page.locator(".field-weekdays")).to_be_hidden()
    page.locator("#id_day_of_month").fill("31")
    page.locator("#id_scheduled_at_0").fill("2090-01-15")
    page.locator("#id_scheduled_at_1").fill("09:00")
    runs = page.locator("#campaign-next-runs")
    expect(runs).to_contain_text("Tue 31 Jan 2090, 09:00")
    expect(runs).to_contain_text("Tue 28 Feb 2090, 09:00")

    page.locator("#id_frequency").select_option("weekly")
    expect(page.locator(".field-day_of_month")).to_be_hidden()
    page.get_by_label("Friday").check()
    expect(runs).to_contain_text("Fri 20 Jan 2090")
    page.locator("#id_frequency").select_option("secondly")
    expect(runs).to_contain_text("at least 10 seconds")
    shoot(page, "schedule")


def test_the_calendar_becomes_a_list_on_a_phone(page: Page, live_server) -> None:
    campaign = make_campaign(name="Weekly news", type="recurring", frequency="weekly")
    moves.schedule_launch(campaign, at=datetime(2090, 2, 6, 10, tzinfo=UTC), by=None)
    page.goto(f"{live_server.url}/admin/marketing/campaign/calendar/?month=2090-02")
    expect(page.get_by_role("link", name="10:00 Weekly news")).to_have_count(4)
    expect(page.locator(".calendar > .is-empty").first).to_be_visible()
    shoot(page, "calendar")

    page.set_viewport_size({"width": 390, "height": 844})
    expect(page.locator(".calendar > .is-empty").first).to_be_hidden()
    expect(page.get_by_text("Mon 6 Feb")).to_be_visible()
    page.set_viewport_size({"width": 1280, "height": 900})
    page.get_by_role("link", name="Next month").click()
    page.wait_for_url("**month=2090-03")
    expect(page.get_by_role("link", name="10:00 Weekly news")).to_have_count(5)
    assert len(page.locator(".calendar > li:visible").all()) % 7 == 0


def test_fields_of_a_goal_and_a_winner_appear_with_the_choice(page: Page, live_server) -> None:
    page.goto(f"{live_server.url}/admin/marketing/campaign/add/")
    expect(page.locator("#id_goal_kind")).to_be_hidden()
    page.get_by_text("Measurement:").click()
    expect(page.locator("#id_goal_event")).to_be_hidden()
    page.locator("#id_goal_kind").select_option("event")
    expect(page.locator("#id_goal_event")).to_be_visible()
    page.get_by_role("heading", name="Audience filter").click()
    form, rules = (
        page.locator("#campaign_form").bounding_box(),
        page.locator(".rules").first.bounding_box(),
    )
    assert form
    assert rules
    assert rules["width"] > 0.9 * form["width"]
    page.get_by_text("A/B test winner").click()
    expect(page.locator("#id_test_share")).to_be_hidden()
    page.locator("#id_winner_by").select_option("time")
    expect(page.locator("#id_test_share")).to_be_visible()


def write_template(page: Page, site: str, name: str) -> None:
    page.goto(f"{site}/admin/marketing/campaigntemplate/add/")
    page.locator("#id_name").fill(name)
    page.locator("#id_subject").fill(f"{name}, {{{{ customer.first_name }}}}")
    page.locator("#id_body").fill("<p>Hello {{ customer.first_name }}, it is spring.</p>")
    preview = page.frame_locator("#template-preview iframe")
    expect(preview.get_by_text("Hello Ada, it is spring.")).to_be_visible()
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url("**/campaigntemplate/")


def write_campaign(page: Page, site: str, name: str, *, variants: tuple[str, ...]) -> None:
    page.goto(f"{site}/admin/marketing/campaign/add/")
    page.locator("#id_name").fill(name)
    page.locator("#id_template").select_option(label=variants[0], force=True)
    page.locator(".field-segments .select2-selection").click()
    page.locator(".select2-results__option", has_text="Everybody").click()
    at = timezone.now() + timedelta(seconds=50)
    page.locator("#id_scheduled_at_0").fill(f"{at:%Y-%m-%d}")
    page.locator("#id_scheduled_at_1").fill(f"{at:%H:%M:%S}")
    expect(page.locator("#campaign-next-runs")).to_contain_text(f"{at:%H:%M:%S}")
    for number, variant in enumerate(variants):
        page.get_by_role("link", name="Add another Variant").click()
        page.locator(f"#id_variants-{number}-name").fill(variant)
        page.locator(f"#id_variants-{number}-template").select_option(label=variant)
    page.get_by_role("button", name="Save and continue editing").click()
    page.wait_for_url("**/change/")


def schedule(page: Page) -> None:
    page.locator("a[href$='/schedule/']").click()
    expect(page.locator("body")).to_contain_text(f"Send to {PEOPLE} customers?")
    page.get_by_role("button", name="Schedule campaign").click()
    expect(page.locator("#campaign-live")).to_contain_text("Next runs")
    assert Campaign.objects.get().schedule is not None


def watch_it_start(page: Page) -> None:
    bar = page.get_by_role("progressbar")
    expect(bar).to_be_visible(timeout=PATIENCE)
    expect(bar).not_to_have_attribute("aria-valuenow", "0", timeout=PATIENCE)
    expect(page.locator("#campaign-live")).to_contain_text(f"of {PEOPLE} done")
    shoot(page, "sending")


def hold_and_let_go(page: Page, sink: Sink) -> None:
    page.locator("#live-pause").click()
    expect(page.locator("#live-resume")).to_be_visible()
    page.wait_for_timeout(2_000)  # what is on its way may arrive
    arrived = len(sink.arrived)
    assert 0 < arrived < PEOPLE
    page.wait_for_timeout(2_000)
    assert len(sink.arrived) == arrived
    shoot(page, "paused")
    page.locator("#live-resume").click()


def read_the_result(page: Page) -> None:
    figures = page.locator("#campaign-figures")
    expect(figures).to_contain_text("Completed", timeout=PATIENCE)
    expect(figures.get_by_role("link", name=f"{PEOPLE} Sent")).to_be_visible()
    results = page.locator("#campaign-results")
    expect(results.locator(".funnel-step", has_text="Sent").locator("b")).to_have_text(
        str(PEOPLE), timeout=PATIENCE
    )
    shoot(page, "result")
