"""A campaign needs the approval of a second user; a copy starts without approval."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from crm.accounts.models import User
from crm.api import ids
from customers.models import Segment
from marketing.campaigns import approval, drafts, moves
from marketing.campaigns.drafts import duplicate
from marketing.campaigns.states import NotApproved
from marketing.models import Campaign, CampaignVariant
from tests.factories.marketing import make_campaign, make_run, make_template

pytestmark = pytest.mark.django_db


@pytest.fixture
def author() -> User:
    return User.objects.create_superuser("author@example.com", "open sesame")


@pytest.fixture
def campaign(settings: Settings, author: User) -> Campaign:
    settings.CAMPAIGN_APPROVAL = True
    return drafts.create(make_campaign(), by=author)


def url(campaign: Campaign, rest: str) -> str:
    return f"/api/campaigns/{ids.encode('cmp', campaign.pk)}/{rest}"


def test_an_unapproved_campaign_cannot_start(campaign: Campaign, author: User, staff: User) -> None:
    for start in (
        lambda: moves.launch(campaign, by=staff),
        lambda: moves.schedule_launch(campaign, at=timezone.now() + timedelta(days=1), by=staff),
    ):
        with pytest.raises(NotApproved):
            start()
    with pytest.raises(PermissionDenied, match="ask another user"):
        approval.approve(campaign, by=author)
    approval.approve(campaign, by=staff)
    assert campaign.approved_by == staff
    moves.launch(campaign, by=author)


def test_a_disabled_setting_requires_no_approval(campaign: Campaign, settings: Settings) -> None:
    settings.CAMPAIGN_APPROVAL = False
    moves.launch(campaign)


def test_a_change_revokes_the_approval_by_its_editor(
    campaign: Campaign, author: User, staff: User
) -> None:
    approval.approve(campaign, by=staff)
    approval.note_change(campaign, by=staff)
    with pytest.raises(NotApproved):
        moves.launch(campaign)
    with pytest.raises(PermissionDenied):
        approval.approve(campaign, by=staff)


def test_a_changed_template_needs_a_new_approval(campaign: Campaign, staff: User) -> None:
    variant = CampaignVariant.objects.create(
        campaign=campaign, name="B", template=make_template(), weight=1
    )
    approval.approve(campaign, by=staff)
    variant.template.body = "<p>Something else</p>"
    variant.template.save()
    with pytest.raises(NotApproved, match="changed since"):
        moves.launch(campaign)


def test_the_api_returns_409_until_approval(campaign: Campaign, api: APIClient) -> None:
    assert api.post(url(campaign, "execute")).status_code == 409
    answer = api.post(url(campaign, "approve"))
    assert answer.status_code == 200, answer.data
    assert answer.data["approved_at"]
    api.patch(url(campaign, ""), {"rules": campaign.rules, "topic": None})
    assert api.post(url(campaign, "execute")).status_code == 409
    assert api.post(url(campaign, "approve")).status_code == 403


def test_a_new_name_keeps_the_approval(campaign: Campaign, api: APIClient) -> None:
    api.post(url(campaign, "approve"))
    api.patch(url(campaign, ""), {"name": "Better"})
    assert api.post(url(campaign, "execute")).status_code == 202


def test_the_author_has_no_approve_button(
    campaign: Campaign, staff_client: Client, client: Client, author: User
) -> None:
    page = reverse("admin:marketing_campaign_change", args=[campaign.pk])
    approve = reverse("admin:marketing_campaign_approve", args=[campaign.pk])
    client.force_login(author)
    assert approve not in client.get(page).content.decode()
    assert client.post(approve, {"confirmed": "yes"}).status_code == 403

    text = staff_client.get(page).content.decode()
    assert approve in text
    assert "Waiting for approval" in text
    assert "Approve this campaign?" in staff_client.get(approve).content.decode()
    staff_client.post(approve, {"confirmed": "yes"})
    campaign.refresh_from_db()
    assert campaign.approved_at
    text = staff_client.get(page).content.decode()
    assert approve not in text
    assert f"Approved by {campaign.approved_by}" in text


def test_send_buttons_appear_after_approval(
    campaign: Campaign, staff_client: Client, staff: User
) -> None:
    page = reverse("admin:marketing_campaign_change", args=[campaign.pk])
    sending = [
        reverse(f"admin:marketing_campaign_{name}", args=[campaign.pk])
        for name in ("send_now", "schedule")
    ]
    waiting = staff_client.get(page).content.decode()
    assert not any(each in waiting for each in sending)
    approval.approve(campaign, by=staff)
    approved = staff_client.get(page).content.decode()
    assert all(each in approved for each in sending)


def test_a_copy_is_a_draft_without_runs_and_results(staff: User) -> None:
    segment = Segment.objects.create(name="Fans", slug="fans")
    original = make_campaign(
        name="News", segments=[segment], type="recurring", frequency="weekly", weekdays=["mon"],
        tags=["a"], state="completed", completed_at=timezone.now(), channel="email",
    )  # fmt: skip
    CampaignVariant.objects.create(campaign=original, name="B", template=make_template(), weight=3)
    make_run(original)

    copy = duplicate(original, by=staff)
    copy.refresh_from_db()

    assert (copy.name, copy.state, copy.weekdays, copy.tags) == (
        "News (2)",
        "draft",
        ["mon"],
        ["a"],
    )
    assert list(copy.segments.all()) == [segment]
    assert copy.variants.get().weight == 3
    assert (copy.created_by, copy.completed_at, copy.runs.count()) == (staff, None, 0)
    assert duplicate(original, by=staff).name == "News (3)"


def test_a_copy_of_a_one_time_campaign_has_no_start_time(staff: User) -> None:
    original = make_campaign(scheduled_at=timezone.now() - timedelta(days=1))
    assert duplicate(original, by=staff).scheduled_at is None


def test_the_api_and_the_admin_duplicate_a_campaign(api: APIClient, staff_client: Client) -> None:
    campaign = make_campaign(name="News")
    answer = api.post(url(campaign, "duplicate"))
    assert (answer.status_code, answer.data["name"]) == (201, "News (2)")
    button = reverse("admin:marketing_campaign_duplicate", args=[campaign.pk])
    response = staff_client.post(button, {"confirmed": "yes"})
    copy = Campaign.objects.get(name="News (3)")
    assert response.url == reverse("admin:marketing_campaign_change", args=[copy.pk])
