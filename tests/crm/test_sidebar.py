"""The sidebar has few entries, of the pages that a user may view, and their pages are tabs."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.http import HttpRequest
from django.test import Client, RequestFactory
from django.urls import reverse

from crm.accounts.models import User
from crm.unfold import AREAS, ModelLink, navigation, tabs

pytestmark = pytest.mark.django_db

MOST_ENTRIES = 12
CALENDAR = reverse("admin:marketing_campaign_calendar")
CAMPAIGNS = reverse("admin:marketing_campaign_changelist")
MESSAGES = reverse("admin:marketing_campaignexecution_changelist")
SEGMENTS = reverse("admin:customers_segment_changelist")


def asked(path: str, user: User) -> HttpRequest:
    request = RequestFactory().get(path)
    request.user = user
    return request


def entries(path: str, user: User) -> list[dict[str, Any]]:
    return [item for group in navigation(asked(path, user)) for item in group["items"]]


@pytest.mark.parametrize(
    ("path", "entry", "tab"),
    [
        (CALENDAR, "Campaigns", "Calendar"),
        (CAMPAIGNS, "Campaigns", "Campaigns"),
        (f"{CAMPAIGNS}5/change/", "Campaigns", None),
        (f"{MESSAGES}5/change/", "Campaigns", None),
        (SEGMENTS, "Segments", None),
        (reverse("admin:index"), "Dashboard", None),
        ("/admin/nowhere/", None, None),
    ],
)
def test_one_entry_and_one_tab_are_active(
    path: str, entry: str | None, tab: str | None, staff: User
) -> None:
    active = [str(each["title"]) for each in entries(path, staff) if each["active"]]
    assert active == [entry] * bool(entry)
    active = [str(each["title"]) for each in tabs(asked(path, staff)) if each["active"]]
    assert active == [tab] * bool(tab)


def test_at_most_twelve_entries_lead_to_every_list(staff: User) -> None:
    assert len(entries("/admin/", staff)) <= MOST_ENTRIES
    linked = {
        link.model
        for _title, area in AREAS
        for entry in area
        for link in entry.links
        if isinstance(link, ModelLink)
    }
    unlisted = {
        model._meta.label_lower
        for model, owner in admin.site._registry.items()
        if owner.has_module_permission(asked("/admin/", staff))
    } - linked
    schedules = {f"{kind}schedule" for kind in ("interval", "crontab", "solar", "clocked")}
    opened_elsewhere = {"customers.consent", "analytics.campaigncost"}
    assert unlisted <= {f"django_celery_beat.{each}" for each in schedules} | opened_elsewhere


def test_tabs_need_the_right_to_view_them(client: Client) -> None:
    onlooker = User.objects.create_user("look@example.com", "open sesame", is_staff=True)
    assert [str(each["title"]) for each in entries("/admin/", onlooker)] == [
        "Dashboard",
        "Integrations",
    ]
    assert tabs(asked(CALENDAR, onlooker)) == []
    client.force_login(onlooker)
    assert client.get(CALENDAR).status_code == 403


def test_each_page_shows_its_tabs(staff_client: Client) -> None:
    page = staff_client.get(CALENDAR).content.decode()
    assert f'<a href="{CALENDAR}" aria-current="page">Calendar</a>' in page
    assert f'<a href="{MESSAGES}">Messages</a>' in page
