"""Staff write a rule, see who matches, save, and refresh."""

from __future__ import annotations

import json

from playwright.sync_api import Page, expect

from customers.models import Segment
from tests.factories.customers import make_customer


def test_staff_build_a_rule_see_the_count_save_and_refresh(page: Page, live_server) -> None:
    make_customer(total_spend=2500, order_count=60, first_name="Grace")
    make_customer(total_spend=2500, order_count=2)
    page.goto(f"{live_server.url}/admin/customers/segment/add/")
    page.locator("#id_name").fill("Big spenders")

    page.get_by_role("button", name="Spent over 2,000 and at least 50 orders").click()

    answer = page.locator("[data-answer]")
    expect(answer).to_contain_text("1 of 2 customers, 50.0 %")
    expect(answer).to_contain_text(
        "Customers who spent more than $2,000.00 and have at least 50 orders"
    )
    expect(answer.get_by_role("link", name="Grace")).to_be_visible()

    page.get_by_label("Value").nth(1).fill("1")
    expect(answer).to_contain_text("2 of 2 customers")

    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("link", name="Big spenders").first.click()
    page.get_by_role("link", name="Refresh now").click()

    expect(page.get_by_text("2 people").first).to_be_visible()
    segment = Segment.objects.get(slug="big-spenders")
    assert segment.size == 2
    assert segment.rules["conditions"][1] == {"field": "order_count", "operator": ">=", "value": 1}


def test_a_mistake_in_the_json_is_shown_at_its_path(page: Page, live_server) -> None:
    page.goto(f"{live_server.url}/admin/customers/segment/add/")
    page.get_by_role("tab", name="JSON").click()

    wrong = {
        "operator": "AND",
        "conditions": [{"field": "city", "operator": "between", "value": [1, 2]}],
    }
    page.locator("#id_rules").fill(json.dumps(wrong))

    expect(page.locator("[data-answer]")).to_contain_text("conditions[0].operator")
    expect(page.locator("[data-answer]")).to_contain_text("does not apply to text field")


def test_groups_nest_in_the_builder_and_json_follows(page: Page, live_server) -> None:
    page.goto(f"{live_server.url}/admin/customers/segment/add/")

    page.get_by_role("button", name="Group").click()
    page.get_by_role("button", name="Any of").nth(1).click()
    page.get_by_role("button", name="Rule", exact=True).nth(1).click()
    page.get_by_label("Field").select_option("city")
    page.get_by_label("Value").fill("Berlin")

    assert json.loads(page.locator("#id_rules").input_value()) == {
        "operator": "AND",
        "conditions": [
            {
                "operator": "OR",
                "conditions": [{"field": "city", "operator": "=", "value": "Berlin"}],
            }
        ],
    }


def test_the_rules_fit_a_phone(page: Page, live_server) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{live_server.url}/admin/customers/segment/add/")
    page.get_by_role("button", name="Spent over 2,000 and at least 50 orders").click()

    expect(page.locator("[data-answer]")).to_contain_text("of 0 customers")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
