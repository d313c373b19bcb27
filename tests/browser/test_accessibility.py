"""axe finds nothing serious or critical on the pages of the admin, in light and dark."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Browser, BrowserContext, Page

from crm.accounts.models import User
from crm.roles import Role
from customers.models import Customer
from marketing.models import Campaign, CampaignTemplate, Enrollment, Sender, Workflow

AXE = files("axe_playwright_python") / "axe.min.js"
"""axe-core, as a package brings it: https://github.com/dequelabs/axe-core."""
TROUBLE = """async () => {
    const {violations} = await axe.run({resultTypes: ["violations"]});
    return violations.filter(({impact}) => ["serious", "critical"].includes(impact))
        .flatMap(({id, nodes}) => nodes.map(({html}) => `${id}: ${html.slice(0, 200)}`));
}"""
THEMES = ("light", "dark")

PAGES = (
    "index", "analytics_customers", "marketing_campaign_calendar", "marketing_campaign_add", "customers_serviceinteraction_add",
    "customers_customer_changelist", "marketing_campaign_changelist", "marketing_workflow_add",
)  # fmt: skip
"""One page of each kind: what a kind shares, such as its lists, is in one template."""
ROWS = (Customer, Campaign, CampaignTemplate, Sender, Workflow, Enrollment)


@pytest.fixture
def context(browser: Browser) -> Any:
    """A context whose policy lets axe run."""
    context: BrowserContext = browser.new_context(
        viewport={"width": 1440, "height": 900}, bypass_csp=True
    )
    yield context
    context.close()


def test_no_page_of_any_role_has_serious_findings(page: Page, live_server: Any) -> None:
    call_command("load_sample_data", made_up=80, verbosity=0)
    found = {
        f"{address} {theme}": trouble
        for address in _addresses()
        for theme in THEMES
        if (trouble := _trouble(page, live_server.url + address, theme))
    }
    for role in (each for each in Role if each is not Role.ADMINISTRATOR):
        _sign_in(page, live_server.url, role)
        addresses = [reverse("admin:index"), *_changes(*_seen_by(role))]
        found |= {
            f"{address} as {role}": trouble
            for address in addresses
            if (trouble := _trouble(page, live_server.url + address, THEMES[0]))
        }
    assert found == {}


def _seen_by(role: Role) -> list[type[Model]]:
    models: tuple[type[Model], ...] = (Customer, Campaign)
    given = Group.objects.get(name=role).permissions
    return [
        each for each in models if given.filter(codename=f"view_{each._meta.model_name}").exists()
    ]


def _sign_in(page: Page, site: str, role: Role) -> None:
    """Sign in as a user of a role, whose pages lack buttons and show masked data."""
    user = User.objects.create_user(f"{role.value.split()[0].lower()}@example.com", is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    client = Client()
    client.force_login(user)
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies(
        [{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": site}]
    )


def _addresses() -> list[str]:
    return [*(reverse(f"admin:{name}") for name in PAGES), *_changes(*ROWS)]


def _changes(*models: type[Model]) -> list[str]:
    """Return the page of the first row of each model."""
    rows = [model._default_manager.order_by("pk").first() for model in models]
    return [
        reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
        for row in rows
        if row
    ]


def _trouble(page: Page, url: str, theme: str) -> list[str]:
    """Return what axe finds on a page, loaded for the first theme and switched for the second."""
    if theme == THEMES[0]:
        page.goto(url)
        page.wait_for_load_state("networkidle")
        page.evaluate(AXE.read_text())
        page.add_style_tag(content="* { transition: none !important; animation: none !important }")
    page.evaluate(
        "theme => document.documentElement.classList.toggle('dark', theme === 'dark')", theme
    )
    found: list[str] = page.evaluate(TROUBLE)
    return found
