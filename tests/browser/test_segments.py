"""Staff build rules with the mouse or the keyboard alone, preview the audience, save and refresh."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from crm.api import ids
from crm.statement_timeout import QueryTimeout, statement_timeout
from customers.models import Segment
from customers.segments.previews import count
from customers.timeline import NewInteraction, record_interactions
from tests.factories.customers import make_customer
from tests.factories.marketing import make_campaign


def test_a_two_level_rule_is_built_with_the_mouse(page: Page, live_server) -> None:
    berlin, paris = _people_in_three_cities()
    page.goto(f"{live_server.url}/admin/customers/segment/add/")
    page.locator("#id_name").fill("Big spenders here or there")
    answer = page.locator("[data-answer]")
    expect(answer).to_contain_text("of 4 customers, 100.0 %")

    _button(page, "Rule").click()
    _choose_field(page, "Total spend")
    page.get_by_label("Operator").select_option(">")
    page.get_by_label("Value").fill("2000")
    expect(answer).to_contain_text("of 4 customers, 75.0 %")

    _button(page, "Group").click()
    _button(page, "Any of").nth(1).click()
    for city in ("Berlin", "Paris"):
        _button(page, "Rule").nth(1).click()
        _choose_field(page, "City")
        page.get_by_role("combobox", name="Value").last.click()
        page.get_by_role("option", name=city).click()
    expect(answer).to_contain_text("of 4 customers, 50.0 %")
    expect(answer).to_contain_text("Customers who spent more than $2,000.00 and")

    _button(page, "Save").click()
    page.wait_for_url("**/segment/")
    _refresh(page, "Big spenders here or there")

    segment = Segment.objects.get(slug="big-spenders-here-or-there")
    assert segment.rules == _spent_and_lives_in("Berlin", "Paris")
    assert set(segment.members.values_list("pk", flat=True)) == {berlin.pk, paris.pk}


def test_a_two_level_rule_is_built_with_the_keyboard_alone(page: Page, live_server) -> None:
    berlin, paris = _people_in_three_cities()
    page.goto(f"{live_server.url}/admin/customers/segment/add/")
    answer = page.locator("[data-answer]")
    expect(answer).to_contain_text("of 4 customers, 100.0 %")
    keys = page.keyboard

    _tab_to(page, "#id_name")
    keys.type("Big spenders by keys")
    _tab_to(page, "[data-role=add-rule]")
    keys.press("Enter")
    keys.type("total sp")
    expect(page.get_by_role("option", name="Total spend", exact=True)).to_be_visible()
    keys.press("Enter")
    keys.type("more")  # the operator, by its first letters
    keys.press("Tab")
    keys.type("2000")
    expect(answer).to_contain_text("of 4 customers, 75.0 %")

    _tab_to(page, "[data-path=''] > .rules-head [data-role=add-group]", back=True)
    keys.press("Enter")
    keys.press("Tab")
    keys.press("Space")
    for city in ("Berlin", "Paris"):
        _tab_to(page, "[data-path='1'] > .rules-head [data-role=add-rule]", back=city == "Paris")
        keys.press("Enter")
        keys.type("city")
        expect(page.get_by_role("option", name="City", exact=True)).to_be_visible()
        keys.press("Enter")
        keys.press("Tab")
        keys.type(city)
    expect(answer).to_contain_text("of 4 customers, 50.0 %")

    _tab_to(page, "[name=_save]")
    keys.press("Enter")
    page.wait_for_url("**/segment/")
    _refresh(page, "Big spenders by keys")

    segment = Segment.objects.get(slug="big-spenders-by-keys")
    assert segment.rules == _spent_and_lives_in("Berlin", "Paris")
    assert set(segment.members.values_list("pk", flat=True)) == {berlin.pk, paris.pk}


def test_a_preset_is_adapted_and_refreshed(page: Page, live_server) -> None:
    make_customer(order_count=6, first_name="Grace")
    make_customer(order_count=2)
    page.goto(f"{live_server.url}/admin/customers/segment/add/")
    page.locator("#id_name").fill("Regulars")

    _button(page, "Frequent buyers").click()

    answer = page.locator("[data-answer]")
    expect(answer).to_contain_text("of 2 customers, 50.0 %")
    expect(answer).to_contain_text("Customers who have at least 5 orders")
    expect(answer.get_by_role("link", name="Grace")).to_be_visible()

    page.get_by_label("Value").fill("2")
    expect(answer).to_contain_text("of 2 customers, 100.0 %")

    _button(page, "Save").click()
    _refresh(page, "Regulars")

    expect(page.get_by_text("2 customers").first).to_be_visible()
    assert Segment.objects.get(slug="regulars").rules["conditions"] == [
        {"field": "order_count", "operator": ">=", "value": 2}
    ]


def test_a_rule_about_behaviour_is_built(page: Page, live_server) -> None:
    page.goto(f"{live_server.url}/admin/customers/segment/add/")

    _button(page, "Rule").click()
    _choose_field(page, "Order")
    page.get_by_label("Measure").select_option("sum:amount")
    page.get_by_label("Value").fill("500")
    page.get_by_label("Days back").fill("90")
    _button(page, "Add a condition on the event").click()
    page.get_by_role("combobox", name="Property").fill("cat")
    page.get_by_role("option", name="Category").click()
    page.get_by_role("combobox", name="Value").last.fill("Books")

    assert _written(page)["conditions"] == [
        {
            "event": "order_placed",
            "operator": ">=",
            "value": 500,
            "aggregate": "sum:amount",
            "within_days": 90,
            "where": [{"field": "category", "operator": "=", "value": "Books"}],
        }
    ]
    expect(page.locator("[data-answer]")).to_contain_text("of 0 customers")


def test_rules_are_moved_duplicated_and_undone(page: Page, live_server) -> None:
    page.set_viewport_size({"width": 1280, "height": 1400})  # what is dragged to is not below a bar
    page.goto(f"{live_server.url}/admin/customers/segment/add/")
    _write_json(page, _rule("city"), _rule("region"), {"operator": "OR", "conditions": []})

    page.get_by_role("group", name="Rule 1").get_by_label("Move down").click()
    assert _shape(page) == ["region", "city", []]
    page.keyboard.press("Enter")  # the focus went with the rule: on, into the group
    assert _shape(page) == ["region", ["city"]]
    page.get_by_role("group", name="Rule 2.1").get_by_label("Duplicate").click()
    assert _shape(page) == ["region", ["city", "city"]]
    _drag_behind(page, "Rule 1", "Rule 2.2")
    assert _shape(page) == [["city", "city", "region"]]
    page.get_by_role("group", name="Group 1").get_by_label("Remove").first.click()

    for shape in ([["city", "city", "region"]], ["region", ["city", "city"]]):
        page.keyboard.press("Control+z")
        assert _shape(page) == shape
    _button(page, "Redo").click()
    assert _shape(page) == [["city", "city", "region"]]


def test_several_values_are_tokens(page: Page, live_server) -> None:
    make_customer(city="Berlin", tags=["vip"])
    page.goto(f"{live_server.url}/admin/customers/segment/add/")

    _button(page, "Rule").click()
    _choose_field(page, "City")
    page.get_by_label("Operator").select_option("in")
    page.get_by_role("combobox", name="Value").click()
    page.get_by_role("option", name="Berlin").click()
    page.keyboard.type("Paris,Rome")

    assert _written(page)["conditions"][0]["value"] == ["Berlin", "Paris", "Rome"]
    _button(page, "Remove: Berlin").click()
    assert _written(page)["conditions"][0]["value"] == ["Paris", "Rome"]


def test_an_incomplete_rule_is_not_counted(page: Page, live_server) -> None:
    make_customer()
    page.goto(f"{live_server.url}/admin/customers/segment/add/")

    _button(page, "Rule").click()

    expect(page.locator("[data-drafts]")).to_contain_text("Incomplete rules, not in the preview: 1")
    expect(page.locator("[data-answer]")).to_contain_text("of 1 customer, 100.0 %")


def test_a_slow_count_goes_on_until_it_is_exact(
    page: Page, live_server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _number in range(5):
        make_customer()
    monkeypatch.setattr(count, "EXACT_WITHIN", -1)
    monkeypatch.setattr(count, "statement_timeout", _never_at_once)
    monkeypatch.setattr(count, "CHUNK", 2)
    monkeypatch.setattr(count, "STEP", 0)

    with page.expect_response(lambda answer: "data-progress" in answer.text()):
        page.goto(f"{live_server.url}/admin/customers/segment/add/")

    expect(page.locator("[data-answer]")).to_contain_text("of 5 customers, 100.0 %")
    expect(page.locator("[data-progress]")).to_have_count(0)


def _never_at_once(milliseconds: int) -> Any:
    if milliseconds < count.LONGEST_MS:
        raise QueryTimeout
    return statement_timeout(milliseconds)


def test_an_error_in_the_json_stands_at_its_path(page: Page, live_server) -> None:
    page.goto(f"{live_server.url}/admin/customers/segment/add/")

    _write_json(page, {"field": "city", "operator": "between", "value": [1, 2]})

    expect(page.locator("[data-answer]")).to_contain_text("conditions[0].operator")
    expect(page.locator("[data-answer]")).to_contain_text("does not apply to text field")
    expect(page.locator(".rules-row.is-wrong")).to_have_count(1)


def test_an_unsaved_change_shows_entering_and_leaving(page: Page, live_server) -> None:
    segment = Segment.objects.create(name="Here", slug="here", rules=_all_of(_rule("city", "Rome")))
    Segment.objects.create(
        name="Both",
        slug="both",
        rules=_all_of({**_rule("segment", "here"), "operator": "contains"}),
    )
    for city in ("Rome", "Oslo", "Oslo"):
        customer = make_customer(city=city)
        if city == "Rome":
            segment.memberships.create(customer=customer)
    page.goto(f"{live_server.url}/admin/customers/segment/{segment.pk}/change/")
    expect(page.locator("[data-answer]")).to_contain_text("of 3 customers")
    expect(page.get_by_text("Change on save")).to_have_count(0)

    page.get_by_role("combobox", name="Value").fill("Oslo")

    effect = page.locator(".rules-effect")
    expect(effect).to_contain_text("+2")
    expect(effect).to_contain_text("−1")
    expect(effect.get_by_role("link", name="Both")).to_be_visible()


def test_a_campaign_has_the_same_builder(page: Page, live_server) -> None:
    customer = make_customer()
    sale = make_campaign(name="Summer sale")
    opened = NewInteraction(
        customer.pk, "message_opened", timezone.now(), campaign_id=sale.pk, properties={}
    )
    record_interactions([opened])
    make_customer()
    campaign = make_campaign(rules=None)
    page.goto(f"{live_server.url}/admin/marketing/campaign/{campaign.pk}/change/")
    expect(page.locator("[data-answer]")).to_contain_text("of 2 customers, 100.0 %")

    page.get_by_role("heading", name="Audience filter").click()
    _button(page, "Rule").click()
    _choose_field(page, "Message opened")
    _button(page, "Add a condition on the event").click()
    page.get_by_role("combobox", name="Property").fill("camp")
    page.get_by_role("option", name="Campaign").click()
    page.get_by_role("combobox", name="Value").last.fill("summer")
    page.get_by_role("option", name="Summer sale").click()
    expect(page.locator("[data-answer]")).to_contain_text("of 2 customers, 50.0 %")

    page.get_by_role("button", name="Save and continue editing").click()
    page.wait_for_load_state()
    campaign.refresh_from_db()
    assert campaign.rules["conditions"][0]["where"] == [
        {"field": "campaign", "operator": "=", "value": ids.encode("cmp", sale.pk)}
    ]


def test_the_rules_fit_a_phone(page: Page, live_server) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{live_server.url}/admin/customers/segment/add/")
    _button(page, "High value").click()

    expect(page.locator("[data-answer]")).to_contain_text("of 0 customers")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def _people_in_three_cities() -> tuple[Any, Any]:
    """Big spenders in Berlin and Paris, one elsewhere, and one customer who spent little."""
    berlin, paris, _oslo = (
        make_customer(total_spend=2500, city=city) for city in ("Berlin", "Paris", "Oslo")
    )
    make_customer(total_spend=10, city="Berlin")
    return berlin, paris


def _rule(field: str, value: str = "x") -> dict[str, Any]:
    return {"field": field, "operator": "=", "value": value}


def _all_of(*conditions: dict[str, Any]) -> dict[str, Any]:
    return {"operator": "AND", "conditions": list(conditions)}


def _spent_and_lives_in(*cities: str) -> dict[str, Any]:
    return _all_of(
        {"field": "total_spend", "operator": ">", "value": 2000},
        {"operator": "OR", "conditions": [_rule("city", city) for city in cities]},
    )


def _button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True)


def _choose_field(page: Page, name: str) -> None:
    """Return a control of the rule that was added last."""
    page.get_by_role("combobox", name="Field").last.fill(name)
    page.get_by_role("option", name=name, exact=True).first.click()


def _tab_to(page: Page, selector: str, *, back: bool = False) -> None:
    for _step in range(200):
        if page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
            return
        page.keyboard.press("Shift+Tab" if back else "Tab")
    raise AssertionError(f"{selector} is not reached by the keyboard")


def _drag_behind(page: Page, rule: str, other: str) -> None:
    target = page.get_by_role("group", name=other)
    box = target.bounding_box()
    assert box
    page.get_by_role("group", name=rule).locator(".rules-grip").drag_to(
        target, target_position={"x": box["width"] / 2, "y": box["height"] - 4}
    )


def _refresh(page: Page, name: str) -> None:
    page.get_by_role("link", name=name).first.click()
    page.get_by_role("link", name="Refresh now").click()
    expect(page.get_by_text(" ms").first).to_be_visible()


def _write_json(page: Page, *conditions: dict[str, Any]) -> None:
    page.get_by_role("tab", name="JSON").click()
    page.locator("#id_rules").fill(json.dumps(_all_of(*conditions)))
    page.get_by_role("tab", name="Builder").click()


def _written(page: Page) -> dict[str, Any]:
    return json.loads(page.locator("#id_rules").input_value())


def _shape(page: Page) -> list[Any]:
    """Return the rules as field names, with groups as lists."""

    def of(rule: dict[str, Any]) -> Any:
        return [of(each) for each in rule["conditions"]] if "conditions" in rule else rule["field"]

    shape: list[Any] = of(_written(page))
    return shape
