"""The admin manages variants, limits, frequency caps and quiet hours."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from marketing.campaigns import moves
from marketing.models import Campaign, FrequencyRule, QuietHours
from tests.factories.customers import make_customer
from tests.factories.marketing import make_campaign, make_template, make_variants, take_snapshot
from tests.marketing.test_admin_campaign import admin_url, form

pytestmark = pytest.mark.django_db


def with_variants(*weights: int, **fields: object) -> dict[str, object]:
    given = form(**fields) | {"variants-TOTAL_FORMS": len(weights)}
    for place, weight in enumerate(weights):
        given |= {
            f"variants-{place}-name": "ABC"[place],
            f"variants-{place}-weight": weight,
            f"variants-{place}-template": make_template().pk,
        }
    return given


def test_the_form_saves_variants_winner_and_limits(staff_client: Client) -> None:
    given = with_variants(
        1, 3, winner_by="time", test_share=20, holdout_percent="5", hourly_limit=500
    )
    response = staff_client.post(reverse("admin:marketing_campaign_add"), given)

    assert response.status_code == 302, response.context["adminform"].form.errors
    campaign = Campaign.objects.get()
    assert list(campaign.variants.values_list("name", "weight")) == [("A", 1), ("B", 3)]
    assert (campaign.winner_by, campaign.test_share) == ("time", 20)
    assert (campaign.holdout_percent, campaign.hourly_limit) == (Decimal(5), 500)
    shown = staff_client.get(admin_url(campaign)).content.decode()
    assert "25%" in shown
    assert "75%" in shown


def test_a_test_audience_of_100_percent_is_refused(staff_client: Client) -> None:
    given = with_variants(1, 1, winner_by="confidence", test_share=100)
    response = staff_client.post(reverse("admin:marketing_campaign_add"), given)
    assert "less than 100" in str(response.context["adminform"].form.errors)


def test_a_launched_campaign_shows_read_only_variants(staff_client: Client) -> None:
    campaign = make_campaign()
    make_variants(campaign, A=1, B=1)
    moves.launch(campaign)
    shown = staff_client.get(admin_url(campaign)).content.decode()
    assert 'name="variants-0-weight"' not in shown
    assert "50%" in shown


def test_the_confirmation_lists_customers_by_skip_reason(staff_client: Client) -> None:
    make_customer(first_name="Ada", last_name="Lovelace")
    unreachable = [
        make_customer(first_name="Nobody", email=None, external_id=f"x{number}")
        for number in range(12)
    ]
    campaign = make_campaign()

    confirmation = staff_client.get(admin_url(campaign, "send_now")).content.decode()
    assert "Ada Lovelace" in confirmation
    assert "The customer has no address for this channel." in confirmation
    assert reverse("admin:customers_customer_change", args=[unreachable[0].pk]) in confirmation

    full_list = f"{admin_url(campaign, 'audience')}?reason=no_address"
    assert full_list in confirmation
    listed = staff_client.get(full_list).content.decode()
    assert all(
        reverse("admin:customers_customer_change", args=[each.pk]) in listed for each in unreachable
    )
    assert "Ada Lovelace" not in listed


def test_the_page_shows_when_the_winner_is_chosen(staff_client: Client) -> None:
    for _ in range(10):
        make_customer()
    campaign = make_campaign(test_share=20, winner_by="time")
    make_variants(campaign, A=1, B=1)
    take_snapshot(moves.launch(campaign))
    assert "wait for the winner, until" in staff_client.get(admin_url(campaign)).content.decode()

    Campaign.objects.update(winner="B", winner_why="Clicked: A 1 of 5, B 4 of 5.")
    shown = staff_client.get(admin_url(campaign)).content.decode()
    assert "Winner: B. Clicked: A 1 of 5, B 4 of 5." in shown


def test_the_admin_manages_caps_and_quiet_hours(staff_client: Client) -> None:
    for model, given in (
        ("frequencyrule", {"name": "Weekly", "messages": 3, "days": 7, "active": "on"}),
        ("quiethours", {"name": "Night", "starts_at": "21:00", "ends_at": "8:00", "active": "on"}),
    ):
        response = staff_client.post(
            reverse(f"admin:marketing_{model}_add"), {**given, "channel": ""}
        )
        assert response.status_code == 302, response.context["adminform"].form.errors
        listed = staff_client.get(reverse(f"admin:marketing_{model}_changelist"))
        assert given["name"] in listed.content.decode()
    assert FrequencyRule.objects.get().messages == 3
    assert f"{QuietHours.objects.get().starts_at:%H:%M}" == "21:00"
