"""The sample data is coherent and is loaded once."""

from __future__ import annotations

import io
import re
import time

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth import authenticate
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from analytics import metrics
from analytics.returns import roi_of
from crm.accounts.models import User
from customers import customer_totals
from customers.models import Customer, Interaction, Order, Product, Segment
from marketing.campaigns import moves
from marketing.content.context import customer_context
from marketing.content.render import Renderer, tracking_for
from marketing.models import Campaign, CampaignExecution, CampaignTemplate
from tests.factories.customers import make_customer

pytestmark = pytest.mark.django_db(transaction=True)


def load() -> str:
    said = io.StringIO()
    call_command("load_sample_data", stdout=said)
    return said.getvalue()


@pytest.fixture
def loaded() -> None:
    load()


def campaign(state: str) -> Campaign:
    return Campaign.objects.get(state=state)


def test_it_loads_within_seconds() -> None:
    started = time.monotonic()
    load()
    assert time.monotonic() - started < 5


def test_the_api_of_a_demo_loads_it_once(settings: Settings) -> None:
    settings.DEMO = True
    client = APIClient()
    client.force_authenticate(User.objects.create_superuser("root@example.com", "open sesame"))

    first, second = client.post("/api/seed"), client.post("/api/seed")

    assert (first.status_code, first.data["created"]) == (201, True)
    assert (second.status_code, second.data["created"]) == (200, False)
    assert first.data["customers"] == second.data["customers"] > 0


def test_a_second_load_changes_nothing(loaded: None) -> None:
    before = [model.objects.count() for model in (Customer, Order, Interaction, Campaign, User)]

    assert "already" in load()

    assert before == [
        model.objects.count() for model in (Customer, Order, Interaction, Campaign, User)
    ]


def test_a_database_in_use_is_unchanged() -> None:
    make_customer()

    assert "other data" in load()

    assert Customer.objects.count() == 1
    assert not User.objects.exists()


def test_it_loads_where_campaigns_need_an_approval(settings: Settings) -> None:
    settings.CAMPAIGN_APPROVAL = True
    load()
    sent = Campaign.objects.exclude(state="draft")
    assert sent.count() == sent.exclude(approved_by=None).count() > 3


def test_every_kind_of_object_is_loaded(loaded: None) -> None:
    assert Customer.objects.count() == 8
    assert Product.objects.count() == 20
    assert Order.objects.count() >= 60
    assert Segment.objects.count() == 6
    assert set(Campaign.objects.values_list("state", flat=True)) == {
        "draft", "scheduled", "paused", "completed", "cancelled",
    }  # fmt: skip


def test_no_event_is_in_the_future(loaded: None) -> None:
    now = timezone.now()

    assert not Order.objects.filter(placed_at__gt=now).exists()
    assert not Interaction.objects.filter(occurred_at__gt=now).exists()


def test_stored_counters_are_correct(loaded: None) -> None:
    assert customer_totals.rebuild() == 0
    assert metrics.drift() == []


def test_every_segment_has_some_but_not_all_customers(loaded: None) -> None:
    for segment in Segment.objects.all():
        assert 0 < segment.size < 8, segment


def test_both_accounts_can_sign_in_with_confirmed_addresses(loaded: None) -> None:
    for email, password in (("admin@marketing.com", "admin123"), ("demo@demo.com", "demo123")):
        user = authenticate(email=email, password=password)
        assert user is not None
        assert EmailAddress.objects.filter(user=user, email=email, verified=True).exists()


def test_the_demo_account_sees_the_dashboard_and_no_users(
    loaded: None, settings: pytest.FixtureRequest
) -> None:
    settings.DEMO = True
    client = Client()
    shown = client.get(reverse("account_login")).content.decode()
    client.post(reverse("account_login"), {"login": "demo@demo.com", "password": "demo123"})
    client.post(reverse("second_factor"), {"code": re.search(r">(\d{6})<", shown)[1]})

    assert "Autumn collection" in client.get(reverse("admin:index")).content.decode()
    assert client.get(reverse("admin:accounts_user_changelist")).status_code == 403


def test_the_completed_campaign_earned_more_than_it_cost(loaded: None) -> None:
    totals = metrics.totals(campaign("completed").runs.all())

    assert (totals.sent, totals.opened, totals.clicked, totals.converted) == (5, 4, 2, 2)
    assert totals.opens >= totals.opened
    result = roi_of(campaign("completed"))
    assert result.roi is not None
    assert result.roi > 1
    assert not campaign("completed").runs.get().simulated


def test_the_cancelled_campaign_skipped_recipients(loaded: None) -> None:
    reasons = CampaignExecution.objects.filter(run__campaign=campaign("cancelled"))

    assert reasons.filter(skip_reason="cancelled").exists()
    assert metrics.totals(campaign("cancelled").runs.all()).sent == 1


def test_the_paused_campaign_is_simulated_and_resumable(loaded: None) -> None:
    paused = campaign("paused")
    assert paused.runs.get().simulated
    assert paused.runs.get().executions.waiting().exists()

    moves.resume(paused)

    assert paused.runs.get().state == "sending"


def test_the_scheduled_campaign_has_a_beat_entry(loaded: None) -> None:
    scheduled = campaign("scheduled")

    assert scheduled.schedule is not None
    assert scheduled.schedule.clocked.clocked_time == scheduled.scheduled_at
    assert scheduled.scheduled_at > timezone.now()
    assert scheduled.sender.simulated


def test_every_template_renders_for_every_customer(loaded: None) -> None:
    for template in CampaignTemplate.objects.all():
        renderer = Renderer(template, campaign_name="Test")
        for customer in Customer.objects.all():
            said = renderer.render(customer_context(customer), tracking_for(1))
            assert customer.first_name in said.subject
            assert "{{" not in said.html
