from __future__ import annotations

from playwright.sync_api import Page, expect


def test_staff_see_the_dashboard_first(page: Page, live_server) -> None:
    page.goto(live_server.url)

    expect(page).to_have_url(f"{live_server.url}/admin/")
    expect(page.get_by_role("link", name="Users and roles")).to_be_visible()


def test_a_stranger_has_to_sign_in(context, live_server) -> None:
    page = context.new_page()
    page.goto(f"{live_server.url}/admin/")

    expect(page.get_by_role("textbox", name="Email")).to_be_visible()
