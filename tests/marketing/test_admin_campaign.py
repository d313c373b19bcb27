"""The admin edits, starts, pauses and shows a campaign."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crm.accounts.models import User
from crm.events.models import MarketingEvent
from customers import consent
from marketing.admin.campaign_buttons import BUTTONS
from marketing.campaigns import moves
from marketing.campaigns.states import MOVES
from marketing.models import Campaign, CampaignRun
from tests.factories.customers import make_customer
from tests.factories.marketing import (
    make_campaign,
    make_execution,
    make_run,
    make_sender,
    make_template,
)
from tests.marketing.queries import marketing_queries

pytestmark = pytest.mark.django_db

CHANGELIST = reverse("admin:marketing_campaign_changelist")


def admin_url(campaign: Campaign, name: str = "change") -> str:
    return reverse(f"admin:marketing_campaign_{name}", args=[campaign.pk])


def notices(response) -> str:
    return " ".join(str(message) for message in get_messages(response.wsgi_request))


def form(campaign: Campaign | None = None, **fields: object) -> dict[str, object]:
    """Return the form data that a browser posts for a campaign."""
    given = {
        "name": campaign.name if campaign else "Spring",
        "template": campaign.template_id if campaign else make_template().pk,
        "sender": campaign.sender_id if campaign else make_sender().pk,
        "timezone": campaign.timezone if campaign else "UTC",
        "goal_window_days": 7,
        "variants-TOTAL_FORMS": 0,
        "variants-INITIAL_FORMS": 0,
        "type": campaign.type if campaign else "one_time",
        "interval": 1,
        "rules": '{"operator": "AND", "conditions": []}',
        "scheduled_at_0": "",
        "scheduled_at_1": "",
    }
    if campaign and campaign.scheduled_at:
        given["scheduled_at_0"] = f"{campaign.scheduled_at:%Y-%m-%d}"
        given["scheduled_at_1"] = f"{campaign.scheduled_at:%H:%M:%S}"
    return {**given, **fields}


def test_the_form_creates_a_draft_with_its_start_time(staff_client: Client, staff: User) -> None:
    given = form(
        timezone="Asia/Tokyo", scheduled_at_0="2090-01-02", scheduled_at_1="09:00", tags="a, b"
    )
    response = staff_client.post(reverse("admin:marketing_campaign_add"), given)

    assert response.status_code == 302, response.context["adminform"].form.errors
    campaign = Campaign.objects.get()
    assert campaign.state == "draft"
    assert campaign.scheduled_at == datetime(2090, 1, 2, tzinfo=UTC)
    assert campaign.tags == ["a", "b"]
    assert campaign.created_by == staff
    assert MarketingEvent.objects.get().data == {"campaign": campaign.pk}


def test_invalid_rules_are_refused_at_their_path(staff_client: Client) -> None:
    wrong = '{"operator": "AND", "conditions": [{"field": "no_such", "operator": "=", "value": 1}]}'
    response = staff_client.post(reverse("admin:marketing_campaign_add"), form(rules=wrong))
    (error,) = response.context["adminform"].form.errors["rules"]
    assert error.startswith("conditions[0]")


def test_a_skipped_local_time_becomes_the_next_valid_minute(staff_client: Client) -> None:
    given = form(timezone="Europe/Berlin", scheduled_at_0="2090-03-26", scheduled_at_1="02:30")
    staff_client.post(reverse("admin:marketing_campaign_add"), given)
    assert Campaign.objects.get().scheduled_at == datetime(2090, 3, 26, 1, tzinfo=UTC)


def test_send_now_shows_counts_before_confirmation(staff_client: Client) -> None:
    make_customer(email="fine@example.com")
    make_customer(email="good@example.com")
    make_customer(email=None, external_id="no-address")
    consent.opt_out(make_customer(email="out@example.com").pk, "email", "asked us to stop")
    campaign = make_campaign(
        template=make_template(subject="Spring is here"), sender=make_sender(from_name="The Shop")
    )

    response = staff_client.get(admin_url(campaign, "send_now"))

    text = response.content.decode()
    assert "Send to 2 customers?" in text
    assert {(fact.number, str(fact.label)) for fact in response.context["facts"]} == {
        (2, "recipients"),
        (1, "skipped: no address"),
        (1, "skipped: not subscribed"),
    }
    assert "Spring is here" in text
    assert "The Shop" in text
    assert "Simulated" not in text
    assert not CampaignRun.objects.exists()


def test_send_now_starts_a_run_after_confirmation(staff_client: Client, staff: User) -> None:
    campaign = make_campaign()
    response = staff_client.post(admin_url(campaign, "send_now"), {"confirmed": "yes"})
    assert response.url == admin_url(campaign)
    campaign.refresh_from_db()
    assert campaign.state == "running"
    assert CampaignRun.objects.get().created_by == staff


def test_a_simulated_campaign_shows_a_warning_before_sending(staff_client: Client) -> None:
    campaign = make_campaign(sender=make_sender(provider="simulator"))
    assert (
        "nothing is delivered" in staff_client.get(admin_url(campaign, "send_now")).content.decode()
    )


def test_send_now_refuses_a_campaign_without_audience(staff_client: Client) -> None:
    campaign = make_campaign(rules=None)
    response = staff_client.get(admin_url(campaign, "send_now"))
    assert response.url == admin_url(campaign)
    assert "has no audience" in notices(response)


def test_a_second_click_on_send_starts_no_second_run(staff_client: Client) -> None:
    campaign = make_campaign()
    staff_client.post(admin_url(campaign, "send_now"), {"confirmed": "yes"})
    response = staff_client.post(admin_url(campaign, "send_now"), {"confirmed": "yes"})
    assert "cannot become running" in notices(response)
    assert CampaignRun.objects.count() == 1


def test_the_schedule_button_schedules_at_the_saved_time(staff_client: Client) -> None:
    at = timezone.now() + timedelta(days=1)
    campaign = make_campaign(scheduled_at=at)
    assert "Once, on" in staff_client.get(admin_url(campaign, "schedule")).content.decode()
    staff_client.post(admin_url(campaign, "schedule"), {"confirmed": "yes"})
    campaign.refresh_from_db()
    assert (campaign.state, campaign.schedule.clocked.clocked_time) == ("scheduled", at)


def test_the_schedule_button_requires_a_time(staff_client: Client) -> None:
    response = staff_client.get(admin_url(make_campaign(), "schedule"))
    assert "Set a start" in notices(response)


def test_a_new_time_reschedules_a_scheduled_campaign(staff_client: Client) -> None:
    campaign = make_campaign()
    moves.schedule_launch(campaign, at=timezone.now() + timedelta(days=1), by=None)
    given = form(campaign, scheduled_at_0="2090-01-02", scheduled_at_1="09:00")
    response = staff_client.post(admin_url(campaign), given)
    assert "rescheduled" in notices(response)
    campaign = Campaign.objects.get()
    assert campaign.schedule.clocked.clocked_time == datetime(2090, 1, 2, 9, tzinfo=UTC)


def test_a_scheduled_campaign_cannot_lose_its_time(staff_client: Client) -> None:
    campaign = make_campaign()
    moves.schedule_launch(campaign, at=timezone.now() + timedelta(days=1), by=None)
    response = staff_client.post(
        admin_url(campaign), form(campaign, scheduled_at_0="", scheduled_at_1="")
    )
    assert "cancel the scheduled campaign" in str(response.context["adminform"].form.errors)


@pytest.mark.parametrize("state", Campaign.State.values)
def test_buttons_match_the_campaign_state(staff_client: Client, state: str) -> None:
    campaign = make_campaign(state=state, scheduled_at=timezone.now() + timedelta(days=1))
    shown = {
        button["path"] for button in staff_client.get(admin_url(campaign)).context["actions_detail"]
    }
    assert shown == {
        admin_url(campaign, name) for name, states in BUTTONS.items() if state in states
    }


def test_every_button_leads_to_an_allowed_transition() -> None:
    leads_to = {
        "send_now": "running",
        "schedule": "scheduled",
        "pause": "paused",
        "resume": "running",
        "complete": "completed",
        "cancel": "cancelled",
    }
    assert all(leads_to[name] in MOVES[state] for name in leads_to for state in BUTTONS[name])


@pytest.mark.parametrize(
    ("button", "before", "after"),
    [
        ("pause", "running", "paused"),
        ("resume", "paused", "running"),
        ("complete", "running", "completed"),
        ("cancel", "paused", "cancelled"),
    ],
)
def test_each_button_changes_the_state_after_confirmation(
    staff_client: Client, button: str, before: str, after: str
) -> None:
    campaign = make_campaign(state=before, launched_at=timezone.now())
    make_run(campaign)
    assert "waiting" in staff_client.get(admin_url(campaign, button)).content.decode()
    staff_client.post(admin_url(campaign, button), {"confirmed": "yes"})
    campaign.refresh_from_db()
    assert campaign.state == after


def test_duplicating_requires_confirmation(staff_client: Client) -> None:
    campaign = make_campaign(name="Spring")

    confirmation = staff_client.get(admin_url(campaign, "duplicate"))
    assert "Duplicate this campaign?" in confirmation.content.decode()
    assert Campaign.objects.count() == 1

    staff_client.post(admin_url(campaign, "duplicate"), {"confirmed": "yes"})
    assert Campaign.objects.exclude(pk=campaign.pk).get().state == "draft"


@pytest.mark.parametrize("state", ["running", "paused", "completed", "cancelled"])
def test_a_sent_campaign_allows_only_name_and_tag_changes(staff_client: Client, state: str) -> None:
    campaign = make_campaign(state=state)
    other = make_template()
    staff_client.post(
        admin_url(campaign), form(campaign, name="Better", tags="x", template=other.pk)
    )
    campaign.refresh_from_db()
    assert (campaign.name, campaign.tags) == ("Better", ["x"])
    assert campaign.template != other


def test_saving_keeps_a_concurrent_state_change(
    staff_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign = make_campaign()
    from marketing.admin.campaign_form import CampaignForm

    clean = CampaignForm.clean

    def launched_meanwhile(self: CampaignForm) -> object:
        Campaign.objects.update(state="running")
        return clean(self)

    monkeypatch.setattr(CampaignForm, "clean", launched_meanwhile)
    staff_client.post(admin_url(campaign), form(campaign, name="Late"))
    campaign.refresh_from_db()
    assert campaign.state == "running"


def test_a_launched_campaign_cannot_be_deleted(staff_client: Client) -> None:
    campaign = make_campaign()
    make_run(campaign)
    response = staff_client.post(admin_url(campaign, "delete"), {"post": "yes"})
    assert response.status_code == 403
    draft = make_campaign()
    staff_client.post(admin_url(draft, "delete"), {"post": "yes"})
    assert not Campaign.objects.filter(pk=draft.pk).exists()


def test_the_live_section_polls_until_the_campaign_ends(staff_client: Client) -> None:
    campaign = make_campaign(state="running")
    run = make_run(campaign)
    make_execution(run, make_customer(), state="skipped", skip_reason="suppressed")
    make_execution(run, make_customer(), state="pending")

    live = staff_client.get(admin_url(campaign, "live") + "?state=running").content.decode()
    assert 'hx-trigger="every 2s"' in live
    assert "on the suppression list" in live

    an_hour_ago = timezone.now() - timedelta(hours=1)
    CampaignRun.objects.update(state="finished", finished_at=an_hour_ago)
    Campaign.objects.update(state="completed")
    assert "HX-Refresh" in staff_client.get(admin_url(campaign, "live") + "?state=running").headers
    live = staff_client.get(admin_url(campaign, "live") + "?state=completed").content.decode()
    assert "hx-trigger" not in live


def test_the_page_shows_the_error_of_a_run(staff_client: Client) -> None:
    campaign = make_campaign(state="running")
    make_run(campaign, error="The mail server cannot be reached: refused")
    assert "cannot be reached" in staff_client.get(admin_url(campaign)).content.decode()


def test_the_list_shows_progress_in_few_queries(staff_client: Client) -> None:
    simulator = make_sender(provider="simulator")
    for number in range(8):
        campaign = make_campaign(state="completed", sender=simulator)
        run = make_run(campaign, state="finished", audience=1)
        make_execution(run, make_customer(), state="sent" if number else "pending")
    make_campaign(name="Only a draft")

    text = staff_client.get(CHANGELIST).content.decode()

    assert text.count("1 / 1") == 7
    assert text.count("0 / 1") == 1
    assert "Only a draft" in text
    assert "Simulated" in text
    assert len(marketing_queries(lambda: staff_client.get(CHANGELIST))) == 5


def test_a_user_with_view_permission_has_no_buttons(client: Client) -> None:
    from django.contrib.auth.models import Permission

    onlooker = User.objects.create_user("look@example.com", "open sesame", is_staff=True)
    onlooker.user_permissions.add(Permission.objects.get(codename="view_campaign"))
    client.force_login(onlooker)
    campaign = make_campaign()
    assert client.get(admin_url(campaign)).context["actions_detail"] == []
    response = client.post(admin_url(campaign, "send_now"), {"confirmed": "yes"})
    assert response.status_code == 403


def test_read_only_rules_are_described_in_words(staff_client: Client) -> None:
    rule = {"field": "order_count", "operator": ">=", "value": 5}
    sent = make_campaign(
        state=Campaign.State.COMPLETED, rules={"operator": "AND", "conditions": [rule]}
    )
    shown = staff_client.get(admin_url(sent)).content.decode()
    assert "Customers who have at least 5 orders" in shown


def test_invalid_old_rules_do_not_break_the_page(staff_client: Client) -> None:
    sent = make_campaign(state=Campaign.State.COMPLETED, rules={"field": "gone"})
    assert staff_client.get(admin_url(sent)).status_code == 200


def test_the_form_shows_numbers_without_trailing_zeros(staff_client: Client) -> None:
    campaign = make_campaign(holdout_percent=10, cost_per_message="0.0100", winner_after_hours=4)
    shown = staff_client.get(admin_url(campaign)).context["adminform"].form
    assert [str(shown[each].value()) for each in (
        "holdout_percent", "cost_per_message", "winner_after_hours", "winner_confidence",
    )] == ["10", "0.01", "4", "0.95"]  # fmt: skip
