"""A new user works on an empty site, as `make up` serves it, from the first import to an erasure, without writing code."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.db import connection
from playwright.sync_api import Browser, Page, expect
from pytest_django import DjangoDbBlocker

from tests import migrated_database
from tests.crm.test_serve import Site

EMAIL, PASSWORD = "owner@shop.example", "a long enough password"
PATIENCE = 60_000
AGENT = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/140.0.0.0 Safari/537.36"
)
"""A reader's: the headless browser's own agent counts as a bot's."""
PEOPLE = """Kundennummer;Vorname;Nachname;E-Mail;Telefon;Stadt;Land;Geburtsdatum;Kunde seit
K1;Jürgen;Groß;juergen@example.de;030 901820;Köln;Deutschland;27.10.1958;01.02.2023
K2;Zoë;Weiß;zoe@example.de;0221 4710;Köln;Deutschland;03.04.1990;15.06.2024
K3;Zoë;Weiß;weiss@example.de;0221 4710;Köln;Deutschland;;20.07.2025
K4;Max;Müller;max@example.de;;München;Deutschland;12.12.1979;13.08.2025
"""


@pytest.fixture
def database(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """The address of an empty migrated database of its own."""
    name = f"first_campaign_{os.getpid()}"
    with django_db_blocker.unblock(), connection._nodb_cursor() as cursor:
        cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE "{migrated_database.name()}"')
    yield urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()
    with django_db_blocker.unblock(), connection._nodb_cursor() as cursor:
        cursor.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@contextmanager
def site(database: str, state: Path) -> Iterator[Site]:
    """A site that `manage.py serve` runs, with a superuser; it has to stop clean."""
    environment = {
        **os.environ,
        "DATABASE_URL": database,
        "REDIS_URL": "",
        "EMAIL_URL": "",
        "STATE_DIR": str(state),
        "DJANGO_SUPERUSER_PASSWORD": PASSWORD,
    }
    subprocess.run(
        [sys.executable, "manage.py", "createsuperuser", "--noinput", "--email", EMAIL],
        cwd=settings.BASE_DIR,
        env=environment,
        check=True,
        timeout=120,
    )
    site = Site(state, given=environment)
    try:
        yield site
    finally:
        code = site.end()
    assert code == 0
    assert "killing it" not in site.log.read_text()


def test_a_new_user_gets_from_a_file_to_an_erasure(
    browser: Browser, database: str, tmp_path: Path
) -> None:
    people = tmp_path / "kunden.csv"
    people.write_bytes(PEOPLE.encode("cp1252"))
    with site(database, tmp_path / "state") as served:
        wait_for(served)
        context = browser.new_context(base_url=served.url, viewport={"width": 1280, "height": 900})
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        faults: list[str] = []
        page.on("console", lambda said: said.type == "error" and faults.append(said.text))
        page.on("pageerror", lambda error: faults.append(str(error)))
        try:
            sign_in(page)
            import_people(page, people)
            make_segment(page)
            set_up_sender(page)
            make_template(page)
            send_campaign(page)
            message = mail_to("juergen@example.de", tmp_path / "state")
            read_and_click(browser, message)
            see_results(page)
            explain_membership(page)
            merge_doubles(page)
            erase(page)
        finally:
            context.close()
    assert faults == []


def wait_for(served: Site) -> None:
    deadline = time.monotonic() + 180
    while not served.is_ready():
        assert served.process.poll() is None, served.log.read_text()
        assert time.monotonic() < deadline, served.log.read_text()
        time.sleep(0.5)


def sign_in(page: Page) -> None:
    page.goto("/admin/")
    page.locator("#id_login").fill(EMAIL)
    page.locator("#id_password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", name="Get started")).to_be_visible()


def follow_step(page: Page, name: str) -> None:
    """Follow a step of the home page's checklist."""
    page.goto("/admin/")
    page.locator(".checklist").get_by_role("link", name=name).click()


def import_people(page: Page, people: Path) -> None:
    follow_step(page, "Import your customers")
    page.locator("input[type=file]").set_input_files(people)
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("button", name="Preview import").click()
    report = page.locator("#job-live")
    expect(report.locator("dl > div", has_text="will be created").locator("dd")).to_have_text("4")
    expect(report.locator("dl > div", has_text="will be rejected").locator("dd")).to_have_text("0")
    expect(report.locator("dl > div", has_text="unread cells").locator("dd")).to_have_text("0")
    page.get_by_role("button", name="Start import").click()
    expect(report).to_contain_text("Finished")
    expect(report.locator("dl > div", has_text="created").locator("dd")).to_have_text("4")


def make_segment(page: Page) -> None:
    follow_step(page, "Create a segment")
    page.locator("#id_name").fill("Kunden in Köln")
    page.get_by_role("button", name="Rule", exact=True).click()
    page.get_by_role("combobox", name="Field").last.fill("City")
    page.get_by_role("option", name="City", exact=True).first.click()
    page.get_by_role("combobox", name="Value").last.click()
    page.get_by_role("option", name="Köln").click()
    expect(page.locator("[data-answer]")).to_contain_text("of 4 customers, 75.0 %")
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url("**/segment/")


def set_up_sender(page: Page) -> None:
    follow_step(page, "Set up a sender")
    page.locator("#id_name").fill("Shop mail")
    page.get_by_label("Default").check()
    page.get_by_role("button", name="Save", exact=True).click()
    page.locator("#id_from_name").fill("The shop")
    page.locator("#id_from_address").fill("shop@shop.example")
    page.get_by_role("button", name="Save and continue editing").click()
    page.get_by_role("button", name="Send a test").click()
    expect(page.get_by_text("The provider accepted the test")).to_be_visible()


def make_template(page: Page) -> None:
    page.goto("/admin/marketing/campaigntemplate/")
    page.get_by_role("link", name="Add template").first.click()
    page.get_by_role("button", name="Offer").click()
    page.locator("#id_name").fill("Spring offer")
    expect(page.frame_locator("#template-preview iframe").get_by_text("20 % off")).to_be_visible()
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url("**/campaigntemplate/")


def send_campaign(page: Page) -> None:
    follow_step(page, "Send a campaign")
    page.locator("#id_name").fill("Spring")
    page.locator("#id_template").select_option(label="Spring offer", force=True)
    page.locator(".field-segments .select2-selection").click()
    page.locator(".select2-results__option", has_text="Kunden in Köln").click()
    page.get_by_role("button", name="Save and continue editing").click()
    page.wait_for_url("**/change/")
    page.get_by_role("link", name="Send now").click()
    expect(page.locator("body")).to_contain_text("Send to 3 customers?")
    page.get_by_role("button", name="Send now").click()
    expect(page.locator("#campaign-figures")).to_contain_text("Completed")


def mail_to(address: str, state: Path) -> EmailMessage:
    """Return the message of the campaign that the mail catcher keeps for an address."""
    deadline = time.monotonic() + PATIENCE / 1_000
    while time.monotonic() < deadline:
        for path in sorted((state / "mail").glob("*.eml")):
            message = message_from_bytes(
                path.read_bytes(), _class=EmailMessage, policy=policy.default
            )
            if message["To"] and address in message["To"]:
                return message
        time.sleep(0.5)
    raise AssertionError(f"no mail to {address}")


def read_and_click(browser: Browser, message: EmailMessage) -> None:
    """Open the message in a browser, which loads its pictures, and follow its button."""
    body = message.get_body(("html",))
    assert body is not None
    context = browser.new_context(user_agent=AGENT)
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.wait_for_timeout(1_500)  # an open within a second of the delivery counts as a bot's
    page.set_content(body.get_content(), wait_until="networkidle")
    expect(page.get_by_text("FOR JÜRGEN")).to_be_visible()
    with context.expect_page() as opened:
        page.get_by_role("link", name="Choose something").click()
    expect(opened.value.get_by_role("heading", name="Sign in")).to_be_visible()
    context.close()


def see_results(page: Page) -> None:
    results = page.locator("#campaign-results")
    for step, number in (("Sent", "3"), ("Opened", "1"), ("Clicked", "1")):
        shown = results.locator(".funnel-step", has_text=step).locator("b")
        reload_until(page, lambda shown=shown, number=number: shown.inner_text() == number)


def explain_membership(page: Page) -> None:
    """Find a customer, and ask why the segment has her: a search and two clicks."""
    page.goto("/admin/customers/customer/?q=zoe@example.de")
    page.locator("#result_list tbody a").first.click()
    page.locator(".profile-segments").get_by_role("link", name="Kunden in Köln").click()
    expect(page.locator(".explained")).to_contain_text("is a member since")
    expect(page.locator(".reasons .holds").last).to_contain_text("Köln")


def merge_doubles(page: Page) -> None:
    page.goto("/admin/customers/likelyduplicate/")
    page.get_by_role("link", name="Find duplicates").click()
    page.get_by_role("link", name="Compare and merge").click()
    page.get_by_role("button", name="Merge them").click()
    expect(page.get_by_text("The customers are merged.")).to_be_visible()
    page.goto("/admin/customers/customer/")
    expect(page.locator("#result_list tbody tr")).to_have_count(3)


def erase(page: Page) -> None:
    page.goto("/admin/customers/customer/?q=juergen@example.de")
    page.locator("#result_list tbody a").first.click()
    page.get_by_role("link", name="Erase").click()
    page.get_by_role("button", name="Erase for good").click()
    reload_until(page, lambda: "Nothing personal is left" in page.locator("#job-live").inner_text())
    page.goto("/admin/customers/customer/?q=juergen@example.de")
    expect(page.locator("#result_list tbody tr")).to_have_count(0)


def reload_until(page: Page, condition) -> None:
    deadline = time.monotonic() + PATIENCE / 1_000
    while not condition():
        assert time.monotonic() < deadline, page.locator("#content").inner_text()
        page.wait_for_timeout(1_000)
        page.reload()
