"""Staff write a message beside its preview, insert variables and images, and restore an earlier version."""

from __future__ import annotations

import os
from typing import Any

import pytest
from PIL import Image as Pixels
from playwright.sync_api import Page, expect
from pytest_django import Settings

from marketing.models import CampaignTemplate, Image, Snippet
from tests.factories.customers import make_customer

ADD = "/admin/marketing/campaigntemplate/add/"


@pytest.fixture(autouse=True)
def media(settings: Settings, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


def shoot(page: Page, name: str) -> None:
    if folder := os.environ.get("SHOTS"):
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)


def test_a_starter_is_edited_and_previewed(page: Page, live_server) -> None:
    make_customer(first_name="Ada", last_name="Byron", order_count=5)
    page.goto(live_server.url + ADD)
    page.get_by_role("button", name="Offer").click()
    frame = page.frame_locator("#template-preview iframe")
    expect(frame.get_by_text("FOR ADA")).to_be_visible()
    expect(frame.get_by_text("You have ordered 5 times")).to_be_visible()
    expect(page.locator("[data-clean]")).to_be_visible()
    shoot(page, "starter")
    for name in ("Phone", "Dark", "Plain text"):
        page.get_by_role("tab", name=name).click()
        shoot(page, f"starter-{name}")
    expect(page.locator("[data-plain]")).to_contain_text("20 % off your next order")

    page.locator("#id_subject").fill("REALLY CHEAP")
    expect(page.locator("[data-findings]")).to_contain_text("all capitals")

    body = page.locator("#id_body")
    body.fill("<mjml>\n<mj-body>\n<mj-section>\n</mj-body></mjml>")
    expect(page.get_by_role("alert")).to_contain_text("<mj-section> is not closed (line 3)")
    expect(page.locator(".code-lines .is-wrong").first).to_have_text("3")
    shoot(page, "error")


def test_variables_snippets_and_images_are_inserted(
    page: Page, live_server, tmp_path: Any, settings: Any
) -> None:
    settings.SITE_URL = live_server.url  # images are named by it
    make_customer(first_name="Ada", city="London")
    Snippet.objects.create(name="footer", description="Who we are", body="<p>The Shop Ltd.</p>")
    file = tmp_path / "Red shoes.png"
    Pixels.new("RGB", (300, 200), "crimson").save(file)
    page.goto(live_server.url + ADD)
    body = page.locator("#id_body")
    body.fill("<p>Hello </p>")
    body.press("Home")
    for _ in range(9):
        body.press("ArrowRight")
    row = page.locator("[data-code]", has=body)

    row.get_by_role("button", name="Variable").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Find a variable").fill("customer.city")
    expect(dialog.get_by_role("button", name="customer.city London")).to_be_visible()
    shoot(page, "variables")
    dialog.get_by_role("button", name="customer.city London").click()
    expect(body).to_have_value("<p>Hello {{ customer.city }}</p>")

    body.press("End")
    row.get_by_role("button", name="Snippet").click()
    page.get_by_role("dialog").get_by_role("button", name="footer").click()
    row.get_by_role("button", name="Image").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("New image").set_input_files(file)
    dialog.get_by_label("Alternative text").fill("Red shoes")
    shoot(page, "images")
    dialog.get_by_role("button", name="Upload").click()

    expect(dialog).to_be_hidden()
    expect(body).to_have_value(
        "<p>Hello {{ customer.city }}</p>{% render 'footer' %}"
        f'<img src="{Image.objects.get().url}" alt="Red shoes" width="300" style="max-width:100%;height:auto">'
    )
    frame = page.frame_locator("#template-preview iframe")
    expect(frame.get_by_text("Hello London")).to_be_visible()
    expect(frame.get_by_text("The Shop Ltd.")).to_be_visible()


def test_keys_indent_and_leave_the_editor(page: Page, live_server) -> None:
    page.goto(live_server.url + ADD)
    body = page.locator("#id_body")
    body.focus()
    page.keyboard.press("Tab")
    page.keyboard.type("<p>")
    page.keyboard.press("Enter")
    page.keyboard.type("x")
    expect(body).to_have_value("  <p>\n  x")
    page.keyboard.press("Shift+Tab")
    expect(body).to_have_value("  <p>\nx")
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    expect(body).not_to_be_focused()


def test_an_earlier_version_is_compared_and_restored(page: Page, live_server) -> None:
    page.goto(live_server.url + ADD)
    page.locator("#id_name").fill("Spring")
    page.locator("#id_subject").fill("Spring is here")
    page.locator("#id_body").fill("<p>Hello</p>\n<p>Old words</p>")
    page.get_by_role("button", name="Save and continue editing").click()
    page.wait_for_url("**/change/")
    page.locator("#id_body").fill("<p>Hello</p>\n<p>New words</p>")
    page.get_by_role("button", name="Save and continue editing").click()
    expect(page.get_by_role("link", name="Version 2")).to_be_visible()
    shoot(page, "change")
    page.get_by_role("link", name="Version 1").click()
    expect(page.locator(".changes .is-new")).to_contain_text("New words")
    shoot(page, "version")
    page.get_by_role("button", name="Restore this version").click()
    page.wait_for_url("**/change/")
    expect(page.locator("#id_body")).to_have_value("<p>Hello</p>\n<p>Old words</p>")
    assert CampaignTemplate.objects.get().versions.count() == 3


def test_an_sms_shows_only_its_own_fields(page: Page, live_server) -> None:
    page.goto(live_server.url + ADD)
    page.locator("#id_channel").select_option("sms")
    expect(page.locator("#id_subject")).to_be_hidden()
    page.locator("#id_body").fill("Sale – today")
    expect(page.locator("[data-size]")).to_contain_text("1 (UCS-2, 12)")
    expect(page.locator("[data-findings]")).to_contain_text("70 characters")
    shoot(page, "sms")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_a_phone(page: Page, live_server, scheme: Any) -> None:
    make_customer(first_name="Ada")
    page.set_viewport_size({"width": 390, "height": 844})
    page.emulate_media(color_scheme=scheme)
    page.goto(live_server.url + ADD)
    page.get_by_role("button", name="Welcome").click()
    expect(page.locator("[data-subject]")).to_contain_text("Welcome, Ada")
    shoot(page, f"small-{scheme}")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
