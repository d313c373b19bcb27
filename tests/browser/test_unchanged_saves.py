"""Staff open a page, change nothing and save: nothing changes. A browser sends CRLF for every line end."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.utils import quote
from django.core.management import call_command
from django.db.models import Model, TextField
from django.forms.models import model_to_dict
from django.urls import reverse
from playwright.sync_api import Page, expect

from marketing.content.starters import STARTERS
from marketing.models import CampaignTemplate, Snippet

ADD_TEMPLATE = "/admin/marketing/campaigntemplate/add/"
AS_TYPED = (
    "First line\n\n  {{ customer.first_name }}\u00a0& co.\n{% if true %}\n  last{% endif %}  \n"
)
EDITED = [
    model
    for model, model_admin in admin.site._registry.items()
    if model_admin.__class__.__module__.startswith(("crm", "customers", "marketing", "analytics"))
]


@pytest.mark.parametrize("starter", STARTERS, ids=lambda starter: str(starter.name))
def test_a_starter_is_saved_as_it_stands(page: Page, live_server: Any, starter: Any) -> None:
    page.goto(live_server.url + ADD_TEMPLATE)
    page.locator("#id_name").fill("From a starter")
    page.get_by_role("button", name=str(starter.name)).click()
    expect(page.locator("#id_subject")).to_have_value(str(starter.subject))

    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url("**/campaigntemplate/")

    assert CampaignTemplate.objects.get().body == starter.body


def test_a_snippet_keeps_its_lines_and_spaces(page: Page, live_server: Any) -> None:
    page.goto(live_server.url + "/admin/marketing/snippet/add/")
    page.locator("#id_name").fill("footer")
    page.locator("#id_body").fill(AS_TYPED)

    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url("**/snippet/")

    assert Snippet.objects.get().body == AS_TYPED


def test_sample_data_is_saved_unchanged(page: Page, live_server: Any) -> None:
    call_command("load_sample_data", verbosity=0)
    saved = 0
    for model in EDITED:
        for row in model._default_manager.order_by("-pk")[:3]:
            before = _texts(row)
            if before and _save(page, live_server.url + _change_page(row)):
                saved += 1
                row.refresh_from_db()
                assert _texts(row) == before, f"{model.__name__} {row}"
    assert saved >= 10


def _change_page(row: Model) -> str:
    meta = row._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[quote(row.pk)])


def _texts(row: Model) -> dict[str, Any]:
    texts = [field.name for field in row._meta.fields if isinstance(field, TextField)]
    return model_to_dict(row, texts)


def _save(page: Page, url: str) -> bool:
    """Press Save if the page has it, without errors; return whether it has."""
    page.goto(url)
    button = page.get_by_role("button", name="Save and continue editing")
    if not button.count():
        return False
    button.click()
    page.wait_for_load_state()
    expect(page.locator(".errornote, .errorlist")).to_have_count(0)
    return True
