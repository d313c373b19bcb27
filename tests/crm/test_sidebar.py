"""The sidebar links the pages a user may view and marks the current one."""

from __future__ import annotations

import pytest
from django.test import Client, RequestFactory
from django.urls import reverse

from crm.accounts.models import User
from crm.unfold import navigation

pytestmark = pytest.mark.django_db

CALENDAR = reverse("admin:marketing_campaign_calendar")
CAMPAIGNS = reverse("admin:marketing_campaign_changelist")


def items(path: str, user: User) -> dict[str, bool]:
    request = RequestFactory().get(path)
    request.user = user
    return {item["link"]: item["active"] for area in navigation(request) for item in area["items"]}


@pytest.mark.parametrize(
    ("path", "here"),
    [
        (CALENDAR, CALENDAR),
        (CAMPAIGNS, CAMPAIGNS),
        (f"{CAMPAIGNS}5/change/", CAMPAIGNS),
        (reverse("admin:index"), reverse("admin:index")),
        ("/admin/nowhere/", None),
    ],
)
def test_at_most_one_link_is_active(path: str, here: str | None, staff: User) -> None:
    active = [link for link, is_active in items(path, staff).items() if is_active]
    assert active == ([here] if here else [])


def test_the_calendar_link_needs_the_right_to_view_campaigns(client: Client) -> None:
    onlooker = User.objects.create_user("look@example.com", "open sesame", is_staff=True)
    assert CALENDAR not in items("/admin/", onlooker)
    client.force_login(onlooker)
    assert client.get(CALENDAR).status_code == 403
