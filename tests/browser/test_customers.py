from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from customers.models import Customer, Interaction
from tests.factories.customers import make_customer

pytestmark = pytest.mark.django_db(transaction=True)


def test_all_customers_of_a_filter_are_tagged(page: Page, live_server) -> None:
    for number in range(60):
        make_customer(country="DE", last_name=f"No{number}")
    make_customer(country="FR")
    page.goto(f"{live_server.url}/admin/customers/customer/?country=DE")

    page.locator("#action-toggle").check()
    page.get_by_text("Select all 60 customers").click()
    page.locator("select[name=action]").select_option("add_tags")
    page.get_by_role("button", name="Run").click()
    expect(page.locator("dl")).to_contain_text("60")
    page.get_by_label("Tags").fill("spring, fair")
    page.get_by_role("button", name="Add tags").click()

    expect(page.get_by_text("60 of 60 customers changed.")).to_be_visible()
    expect(page.locator(".tag").first).to_have_text("spring")
    assert Customer.objects.filter(tags=["spring", "fair"]).count() == 60


def test_a_long_timeline_is_filtered_and_paged(page: Page, live_server) -> None:
    customer = make_customer()
    now = timezone.now()
    Interaction.objects.bulk_create(
        Interaction(
            customer=customer,
            type="page_viewed" if number % 2 else "order_placed",
            occurred_at=now - timedelta(hours=number),
            properties={"url": f"/tea/{number}"},
        )
        for number in range(200)
    )
    page.goto(f"{live_server.url}/admin/customers/customer/{customer.pk}/change/")
    entries = page.locator("#timeline-entries > li[data-type]")
    expect(entries).to_have_count(50)

    page.get_by_label("Show", exact=True).select_option(label="Site")
    expect(page.locator("#timeline-entries > li[data-type=order_placed]")).to_have_count(0)
    expect(entries).to_have_count(50)
    page.get_by_role("button", name="Older").click()
    expect(entries).to_have_count(100)
    expect(page.get_by_role("button", name="Older")).to_have_count(0)


def test_the_customer_page_fits_a_phone(page: Page, live_server) -> None:
    customer = make_customer(last_name="Longnamedpersonwithoutspaces" * 3)
    page.set_viewport_size({"width": 390, "height": 844})
    for path in ("", f"{customer.pk}/change/"):
        page.goto(f"{live_server.url}/admin/customers/customer/{path}")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
