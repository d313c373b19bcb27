"""Staff build a workflow with the mouse and with the keyboard, publish it, and see its customers."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from marketing.models import Enrollment, Workflow
from tests.factories.customers import make_customer
from tests.factories.marketing import make_sender, make_template
from tests.factories.workflows import define, enroll, make_workflow

pytestmark = pytest.mark.django_db(transaction=True)

SAVED = "Draft saved"


def cards(page: Page) -> list[str]:
    return [each.get_attribute("data-card") or "" for each in page.locator("[data-card]").all()]


def open_draft(page: Page, url: str, starter: str) -> Workflow:
    page.goto(f"{url}/admin/marketing/workflow/add/")
    page.get_by_role("button", name=starter).click()
    expect(page.locator("[data-state]")).to_contain_text(SAVED)
    return Workflow.objects.latest("pk")


def add(page: Page, place: int, step: str) -> None:
    page.get_by_role("button", name="Add a step").nth(place).click()
    page.get_by_role("menuitem", name=step, exact=True).click()


def test_a_welcome_series_is_changed_and_published_by_mouse(page: Page, live_server) -> None:
    make_sender()
    workflow = open_draft(page, live_server.url, "Welcome series")
    add(page, 1, "Split by rules")
    expect(page.locator("[data-card=split]")).to_have_attribute("aria-pressed", "true")
    page.locator(".wf-branch").first.get_by_role("button", name="Add a step").click()
    page.get_by_role("menuitem", name="Update the customer").click()
    expect(page.locator("[data-state]")).to_contain_text("problems before publishing: 1")
    page.get_by_role("combobox", name="Add tags").fill("new")
    page.get_by_role("combobox", name="Add tags").press("Enter")
    expect(page.locator("[data-state]")).to_have_text(SAVED)
    assert cards(page)[:4] == ["entry", "hello", "split", "update"]
    page.drag_and_drop("[data-type=wait]", "[data-role=plus] >> nth=0")
    expect(page.locator("[data-card=wait]")).to_be_visible()
    page.locator("[data-card=wait]").click()
    page.get_by_label("Length", exact=True).fill("3")
    page.get_by_label("Unit").select_option("hours")
    expect(page.locator("[data-card=wait]")).to_contain_text("3 hours")
    page.get_by_role("link", name="Publish").click()
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_text("Version 1 published.")).to_be_visible()
    workflow.refresh_from_db()
    assert workflow.state == Workflow.State.ACTIVE
    assert workflow.version
    definition = workflow.version.definition
    assert definition["start"] == "wait"
    assert definition["steps"]["wait"] == {"type": "wait", "for": "3h", "next": "hello"}
    split = definition["steps"]["split"]
    assert split["branches"][0]["next"] == "update"
    assert (definition["steps"]["update"]["next"], split["next"]) == ("two_days", "two_days")


def test_a_workflow_is_built_with_the_keyboard_alone(page: Page, live_server) -> None:
    make_sender()
    make_template(name="Hello")
    workflow = open_draft(page, live_server.url, "Blank workflow")
    keys = page.keyboard
    page.locator("[data-card=entry]").focus()
    keys.press("ArrowDown")
    keys.press("Enter")
    expect(page.get_by_role("menuitem", name="Send a message")).to_be_focused()
    keys.press("Enter")
    page.get_by_role("combobox", name="Template").focus()
    keys.type("Hel")
    keys.press("Enter")
    expect(page.locator("[data-card=send]")).to_contain_text("Hello")
    keys.press("Escape")
    expect(page.locator("[data-card=send]")).to_be_focused()
    expect(page.locator("[data-state]")).to_have_text(SAVED)
    keys.press("Control+c")
    keys.press("ArrowDown")
    keys.press("Control+v")
    expect(page.locator("[data-card=send_2]")).to_be_visible()
    page.locator("[data-card=send]").focus()
    keys.press("Delete")
    expect(page.locator("[data-card=send]")).to_have_count(0)
    keys.press("Control+z")
    expect(page.locator("[data-card=send]")).to_be_visible()
    expect(page.locator("[data-state]")).to_have_text(SAVED)
    workflow.refresh_from_db()
    assert workflow.draft["start"] == "send"
    assert [each["template"] for each in workflow.draft["steps"].values()] == ["Hello", "Hello"]


def test_settings_changed_one_after_the_other_are_all_kept(page: Page, live_server) -> None:
    workflow = open_draft(page, live_server.url, "Blank workflow")
    add(page, 0, "Experiment")
    page.get_by_label("Weight").nth(0).fill("3")
    page.get_by_label("Weight").nth(1).fill("2")
    add(page, 0, "Update the customer")
    page.get_by_role("button", name="Add", exact=True).click()
    page.get_by_label("Name", exact=True).nth(1).fill("plan")
    page.get_by_label("Value", exact=True).fill("gold")
    page.get_by_label("Value", exact=True).press("Tab")
    add(page, 0, "Wait")
    page.get_by_label("Wait", exact=True).select_option(label="For the hours of a window")
    page.get_by_label("From", exact=True).fill("10:00")
    page.get_by_label("To", exact=True).fill("18:00")
    add(page, 0, "Wait for an event")
    for place, name in enumerate(["store", "channel"]):
        page.get_by_role("button", name="Condition on the event").click()
        page.get_by_label("Property").nth(2 * place).fill(name)
        page.get_by_label("Property").nth(2 * place).press("Enter")
    expect(page.locator("[data-state]")).to_contain_text(SAVED)
    workflow.refresh_from_db()
    steps = workflow.draft["steps"]
    assert [each["weight"] for each in steps["experiment"]["branches"]] == [3, 2]
    assert steps["update"]["attributes"] == {"plan": "gold"}
    assert steps["wait"]["window"] == {"from": "10:00", "to": "18:00"}
    assert [each["field"] for each in steps["wait_for"]["where"]] == ["store", "channel"]


def test_the_live_page_leads_to_the_customers_of_a_step(page: Page, live_server) -> None:
    workflow = make_workflow(define({"pause": {"type": "wait", "for": "1h"}}))
    enroll(workflow, make_customer(first_name="Ada", last_name="Byron"))
    page.goto(f"{live_server.url}/admin/marketing/workflow/{workflow.pk}/live/")
    page.locator(".wf-figures").get_by_role("link", name="1").click()
    page.get_by_role("link", name="Ada Byron").click()
    page.get_by_role("link", name="End passage").click()
    page.get_by_role("button", name="End passage").click()
    expect(page.get_by_text("Removed by a user").first).to_be_visible()
    assert Enrollment.objects.get().state == Enrollment.State.EXITED
