"""The list of campaigns shows audience and rates, and changes many campaigns at once."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from analytics.models import CampaignMetrics
from crm.accounts.models import User
from crm.roles import Role
from customers.models import Segment
from marketing.models import Campaign
from tests.factories.marketing import make_campaign, make_run

pytestmark = pytest.mark.django_db

CHANGELIST = reverse("admin:marketing_campaign_changelist")


def act(client: Client, action: str, *campaigns: Campaign, **more: str) -> str:
    chosen = {"action": action, "_selected_action": [each.pk for each in campaigns], **more}
    return client.post(CHANGELIST, chosen, follow=True).content.decode()


def states(*campaigns: Campaign) -> list[str]:
    return [Campaign.objects.get(pk=each.pk).state for each in campaigns]


def test_it_shows_channel_audience_and_rates(staff_client: Client) -> None:
    vip = Segment.objects.create(name="VIP", slug="vip")
    campaign = make_campaign(name="Spring", segments=[vip], state="completed")
    counted = {"sent": 10, "delivered": 10, "opened": 5, "clicked": 2, "converted": 1}
    CampaignMetrics.objects.create(run=make_run(campaign), hour=timezone.now(), **counted)

    page = staff_client.get(CHANGELIST).content.decode()

    for text in ("Spring", "E-mail · One-time", "VIP", "50.0%", "20.0%"):
        assert text in page


def test_a_role_without_results_sees_no_rates(client: Client) -> None:
    campaign = make_campaign(state="completed")
    CampaignMetrics.objects.create(run=make_run(campaign), hour=timezone.now(), sent=4, opened=2)
    user = User.objects.create_user("look@example.com", "open sesame", is_staff=True)
    group = Group.objects.create(name="Viewers")
    group.permissions.add(
        *Group.objects.get(name=Role.ANALYST).permissions.filter(codename="view_campaign")
    )
    user.groups.add(group)
    client.force_login(user)

    assert "50.0%" not in client.get(CHANGELIST).content.decode()


def test_many_campaigns_pause_and_resume(staff_client: Client) -> None:
    running = [make_campaign(name=f"Running {number}") for number in range(2)]
    for each in running:
        make_run(each)
        Campaign.objects.filter(pk=each.pk).update(state="running")
    draft = make_campaign(name="Only a draft")

    question = act(staff_client, "pause_chosen", *running, draft)
    assert "Pause these campaigns?" in question
    assert states(*running) == ["running", "running"]

    report = act(staff_client, "pause_chosen", *running, draft, confirmed="yes")
    assert states(*running, draft) == ["paused", "paused", "draft"]
    assert "2 campaigns changed." in report
    assert "Only a draft: " in report

    act(staff_client, "resume_chosen", *running, confirmed="yes")
    assert states(*running) == ["running", "running"]


def test_drafts_are_deleted_and_launched_ones_stay(staff_client: Client) -> None:
    draft, launched = make_campaign(), make_campaign(state="completed")
    make_run(launched)

    report = act(staff_client, "discard", draft, launched, confirmed="yes")

    assert [*Campaign.objects.all()] == [launched]
    assert "A launched campaign cannot be deleted" in report


def test_a_viewer_has_no_actions(client: Client) -> None:
    user = User.objects.create_user("analyst@example.com", "open sesame", is_staff=True)
    user.groups.add(Group.objects.get(name=Role.ANALYST))
    client.force_login(user)
    draft = make_campaign()

    act(client, "discard", draft, confirmed="yes")

    assert Campaign.objects.filter(pk=draft.pk).exists()
