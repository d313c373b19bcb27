"""A preflight renders the message for all recipients and lists failures."""

from __future__ import annotations

import pytest
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

from crm import jobs
from customers.models import Customer
from marketing.campaigns import moves, preflight
from marketing.campaigns.moves import NotReady
from marketing.models import Campaign, CampaignVariant, Preflight, Snippet
from marketing.sending import turn
from tests.factories.customers import make_customer
from tests.factories.marketing import make_campaign, make_sender, make_template
from tests.marketing.test_admin_campaign import admin_url

pytestmark = pytest.mark.django_db

FAILS_FOR_SOME = "{{ 10 | divided_by: customer.attributes.parts }}"


@pytest.fixture
def broken() -> Customer:
    """Return the customer whose message fails, among five valid and one unreachable."""
    for _ in range(5):
        make_customer(attributes={"parts": 2})
    make_customer(email=None, external_id="x", attributes={"parts": 0})
    return make_customer(first_name="Zero", last_name="Parts", attributes={"parts": 0})


@pytest.fixture
def campaign() -> Campaign:
    return make_campaign(
        sender=make_sender(provider="simulator"), template=make_template(body=FAILS_FOR_SOME)
    )


def run_preflight(campaign: Campaign, monkeypatch: pytest.MonkeyPatch | None = None) -> Preflight:
    job = preflight.start_preflight(campaign, by=None)
    jobs.run(job)
    job.refresh_from_db()
    return job


def test_a_preflight_lists_failures_and_sends_nothing(
    broken: Customer, campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preflight, "CHUNK", 2)
    job = run_preflight(campaign)
    assert (job.state, job.total, job.done, job.failed) == ("finished", 6, 6, 1)
    (failure,) = job.failures.all()
    assert failure.customer == broken
    assert "divided_by" in failure.error
    assert not campaign.runs.exists()


def test_a_failed_preflight_blocks_the_launch_unless_waived(
    broken: Customer, campaign: Campaign
) -> None:
    run_preflight(campaign)
    with pytest.raises(NotReady, match="Zero Parts"):
        moves.launch(campaign)

    run = moves.launch(campaign, skip_invalid=True)
    while turn.work_on(run.pk):
        pass
    assert run.executions.get(customer=broken).skip_reason == "invalid_content"
    assert run.executions.filter(state="sent").count() == 5


@pytest.mark.parametrize("part", ["subject", "preheader", "plain_text", "snippet"])
def test_a_change_of_any_part_makes_a_preflight_stale(
    broken: Customer, campaign: Campaign, part: str
) -> None:
    snippet = Snippet.objects.create(name="footer", body="Bye")
    campaign.template.body = "Hello {% render 'footer' %}"
    campaign.template.save()
    job = run_preflight(campaign)
    assert job.failed == 0
    assert preflight.is_current(Preflight.objects.get(pk=job.pk))

    changed, name = (snippet, "body") if part == "snippet" else (campaign.template, part)
    setattr(changed, name, FAILS_FOR_SOME)
    changed.save()
    assert not preflight.is_current(Preflight.objects.get(pk=job.pk))
    assert run_preflight(campaign).failed == 1


def test_a_changed_template_makes_a_preflight_stale(broken: Customer, campaign: Campaign) -> None:
    job = run_preflight(campaign)
    campaign.template.body = "Hello"
    campaign.template.save()
    job = Preflight.objects.get(pk=job.pk)
    assert not preflight.is_current(job)
    preflight.check_preflight(job.campaign)


def test_a_preflight_can_be_required(campaign: Campaign, settings: Settings) -> None:
    make_customer(attributes={"parts": 1})
    settings.PREFLIGHT_REQUIRED = True
    with pytest.raises(NotReady, match="preflight first"):
        moves.launch(campaign)
    run_preflight(campaign)
    moves.launch(campaign)


def test_a_preflight_under_way_blocks_launch_and_preflight(
    campaign: Campaign,
) -> None:
    job = preflight.start_preflight(campaign, by=None)
    assert preflight.start_preflight(campaign, by=None) == job
    assert jobs.unattended(Preflight) == [job.pk]
    with pytest.raises(NotReady, match="under way"):
        moves.launch(campaign)
    preflight.stop_preflight(campaign)
    assert not jobs.work_on("marketing.preflight", job.pk)
    moves.launch(campaign)


def test_a_preflight_renders_every_possible_variant(broken: Customer) -> None:
    campaign = make_campaign(winner_by="time", test_share=1)
    for name, body in (("Good", "Hello"), ("Bad", FAILS_FOR_SOME)):
        CampaignVariant.objects.create(
            campaign=campaign, name=name, template=make_template(body=body)
        )
    # by chance, one in two hundred is in the test audience with the good variant
    for _ in range(5):
        make_customer(attributes={"parts": 0})
    job = run_preflight(campaign)
    assert job.failures.count() >= 4
    assert {each.variant for each in job.failures.all()} == {"Bad"}


def test_invalid_content_stops_the_preflight(campaign: Campaign) -> None:
    make_customer()
    type(campaign.template).objects.update(body="{% if %}")
    campaign.template.refresh_from_db()
    job = run_preflight(campaign)
    assert job.state == "stopped"
    assert job.error


def test_the_api_starts_reads_and_overrides_a_preflight(
    api: APIClient, broken: Customer, campaign: Campaign
) -> None:
    from crm.api import ids

    url = f"/api/campaigns/{ids.encode('cmp', campaign.pk)}"
    assert api.get(f"{url}/preflight/").status_code == 404
    started = api.post(f"{url}/preflight/")
    assert (started.status_code, started.data["status"]) == (202, "running")
    jobs.run(Preflight.objects.get())
    found = api.get(f"{url}/preflight/").data
    assert (found["status"], found["failed"], found["current"]) == ("finished", 1, True)
    assert found["failures"][0]["name"] == "Zero Parts"

    refused = api.post(f"{url}/execute/")
    assert refused.status_code == 400
    assert "Zero Parts" in str(refused.data)
    assert api.post(f"{url}/execute/", {"skip_invalid": True}).status_code == 202


def test_the_admin_shows_and_confirms_a_preflight(
    staff_client: Client, broken: Customer, campaign: Campaign
) -> None:
    assert "No preflight yet" in staff_client.get(admin_url(campaign, "preflight")).content.decode()
    staff_client.post(admin_url(campaign, "preflight"), {"do": "start"})
    shown = staff_client.get(admin_url(campaign, "preflight")).content.decode()
    assert 'hx-select="#preflight"' in shown
    jobs.run(Preflight.objects.get())
    shown = staff_client.get(admin_url(campaign, "preflight")).content.decode()
    assert "The message fails for 1 customer." in shown
    assert "Zero Parts" in shown
    assert 'hx-select="#preflight"' not in shown

    confirmation = staff_client.get(admin_url(campaign, "send_now")).content.decode()
    assert 'name="skip_invalid"' in confirmation
    staff_client.post(admin_url(campaign, "send_now"), {"confirmed": "yes"})
    assert not campaign.runs.exists()
    staff_client.post(admin_url(campaign, "send_now"), {"confirmed": "yes", "skip_invalid": "on"})
    assert campaign.runs.exists()


def test_a_preflight_of_an_empty_audience_says_so(campaign: Campaign, staff_client: Client) -> None:
    Customer.objects.all().delete()
    run_preflight(campaign)
    url = admin_url(campaign, "preflight")
    page = staff_client.get(url).content.decode()
    assert "The audience has no recipients" in page
    assert "0 / 0" not in page
