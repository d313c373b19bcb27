"""The sidebar, its folded groups and Ctrl+K, by mouse and by keyboard."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.factories.customers import make_customer


def test_groups_stay_folded_and_the_sidebar_stays_scrolled(page: Page, live_server) -> None:
    page.set_viewport_size({"width": 1280, "height": 500})
    page.goto(f"{live_server.url}/admin/")
    sidebar = page.locator("#nav-sidebar-apps")
    fold = sidebar.get_by_role("button", name="Customers")
    fold.focus()
    page.keyboard.press("Enter")
    expect(sidebar.get_by_role("link", name="Segments")).to_be_hidden()

    sidebar.get_by_role("link", name="Users and roles").click()
    expect(fold).to_have_attribute("aria-expanded", "false")
    expect(sidebar.get_by_role("link", name="Segments")).to_be_hidden()

    fold.click()
    scroller = sidebar.locator(".simplebar-content-wrapper")
    scroller.evaluate("element => element.scrollTo(0, 120)")
    sidebar.get_by_role("link", name="Campaigns").evaluate("link => link.click()")
    expect(page).to_have_title("Campaigns | Kindling")
    page.wait_for_function(
        "document.querySelector('#nav-sidebar-apps .simplebar-content-wrapper')?.scrollTop === 120"
    )


def test_the_palette_starts_commands_and_finds_people(page: Page, live_server) -> None:
    make_customer(first_name="Ada", last_name="Lindqvist")
    page.goto(f"{live_server.url}/admin/")

    page.keyboard.press("Control+k")
    palette = page.locator("#command-results")
    expect(palette.get_by_role("link", name="Create a segment")).to_be_visible()
    page.keyboard.type("lindq")
    expect(palette.get_by_role("link", name="Ada Lindqvist")).to_be_visible()
    expect(palette.get_by_role("link", name="Create a segment")).to_be_hidden()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")

    expect(page).to_have_title("Ada Lindqvist | Kindling")


def test_menus_open_by_keyboard(page: Page, live_server) -> None:
    page.goto(f"{live_server.url}/admin/customers/customer/")
    user_menu = page.get_by_role("button", name="staff@example.com")
    user_menu.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Log out")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Log out")).to_be_hidden()

    page.get_by_role("button", name="Filters").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Apply Filters")).to_be_visible()
    page.keyboard.press("Escape")

    menu = page.get_by_role("button", name="Menu", exact=True)
    menu.focus()
    page.keyboard.press("Space")
    expect(page.locator("#nav-sidebar")).to_be_hidden()
