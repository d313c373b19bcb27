"""Every customer is sent a message or has one skip reason, as in the dry run."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from crm import jobs
from crm.api import ids
from customers import consent
from customers.models import Customer, Suppression
from customers.timeline import types
from marketing.campaigns import assignment, audience, moves, runs
from marketing.campaigns.audience import audience_with, dry_run
from marketing.campaigns.checks import OF_THE_AUDIENCE
from marketing.campaigns.preflight import start_preflight
from marketing.campaigns.states import NobodyToSendTo
from marketing.models import Campaign, CampaignExecution, CampaignRun, SendOnce
from marketing.tracking import MessageEvent, record
from tests.factories.customers import make_customer
from tests.factories.marketing import (
    make_campaign,
    make_cap,
    make_execution,
    make_run,
    make_sender,
    make_variants,
    take_snapshot,
)

pytestmark = pytest.mark.django_db


def sms_campaign(**fields: Any) -> Campaign:
    return make_campaign(channel="sms", sender=make_sender(channel="sms"), **fields)


def launched(campaign: Campaign) -> CampaignRun:
    run = moves.launch(campaign)
    take_snapshot(run)
    return run


def reasons(run: CampaignRun) -> dict[int, str]:
    return dict(run.executions.values_list("customer_id", "skip_reason"))


def test_a_shared_address_receives_one_message(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(runs, "CHUNK", 2)
    phones = ["+4930123", "+4930123", "+4930999", "+4930123", "+4930999"]
    first, second, third, fourth, fifth = (make_customer(phone=phone) for phone in phones)

    assert reasons(launched(sms_campaign())) == {
        first.pk: "",
        second.pk: "duplicate_address",
        third.pk: "",
        fourth.pk: "duplicate_address",
        fifth.pk: "duplicate_address",
    }


def test_an_opted_out_owner_passes_the_address_on() -> None:
    unwilling, willing = make_customer(phone="+4930123"), make_customer(phone="+4930123")
    consent.opt_out(unwilling.pk, "sms", "asked")

    assert reasons(launched(sms_campaign())) == {unwilling.pk: "not_subscribed", willing.pk: ""}


def test_an_unsubscribe_link_concerns_every_owner_of_the_number() -> None:
    first, second = make_customer(phone="+4930123"), make_customer(phone="+4930123")
    campaign = sms_campaign()
    sent = launched(campaign).executions.get(customer=first)
    record([MessageEvent(sent.pk, types.UNSUBSCRIBED, timezone.now())])

    with pytest.raises(NobodyToSendTo, match=r"All 2 customers of the audience .* not subscribed"):
        moves.launch(sms_campaign())
    third = make_customer(phone="+4930999")
    assert reasons(launched(sms_campaign())) == {
        first.pk: "not_subscribed",
        second.pk: "not_subscribed",
        third.pk: "",
    }


def test_the_holdout_group_is_the_same_in_every_run() -> None:
    everybody = [make_customer() for _ in range(60)]
    campaign = make_campaign(holdout_percent=Decimal(30))
    first = launched(campaign)
    holdout = {pk for pk, reason in reasons(first).items() if reason == "holdout"}
    moves.complete(campaign)

    again = make_run(campaign, state="materialising")
    take_snapshot(again)

    salt = assignment.salt("holdout", campaign.pk)
    assert holdout == {each.pk for each in everybody if assignment.bucket(salt, each.pk) < 0.3}
    assert holdout == {pk for pk, reason in reasons(again).items() if reason == "holdout"}
    assert 5 <= len(holdout) <= 32


def test_another_campaign_has_another_holdout_group() -> None:
    for _ in range(60):
        make_customer()
    one, other = (launched(make_campaign(holdout_percent=Decimal(50))) for _ in range(2))
    assert reasons(one) != reasons(other)


def test_a_shared_address_respects_the_holdout_group() -> None:
    for number in range(40):
        make_customer(phone=f"+49301{number:04}")
        make_customer(phone=f"+49301{number:04}")

    found = Counter(reasons(launched(sms_campaign(holdout_percent=Decimal(50)))).values())

    assert found["duplicate_address"] == 40
    assert found["holdout"] + found[""] == 40


def test_a_frequency_cap_counts_all_campaigns() -> None:
    customer, fresh = make_customer(), make_customer()
    make_cap(messages=2, days=7)
    for days, state in ((1, "sent"), (2, "bounced"), (30, "sent")):
        make_execution(
            make_run(), customer, state=state, sending_at=timezone.now() - timedelta(days=days)
        )
    make_execution(make_run(), fresh, state="sent", sending_at=timezone.now() - timedelta(days=8))
    make_execution(make_run(), fresh, state="failed", sending_at=timezone.now())
    make_execution(make_run(), fresh, state="sent", sending_at=timezone.now())

    assert reasons(launched(make_campaign())) == {customer.pk: "frequency_cap", fresh.pk: ""}
    assert set(reasons(launched(make_campaign(exempt_from_caps=True))).values()) == {""}


def test_a_cap_of_another_channel_does_not_count() -> None:
    customer = make_customer()
    make_cap(channel="sms")
    make_execution(make_run(), customer, state="sent", sending_at=timezone.now())
    assert reasons(launched(make_campaign())) == {customer.pk: ""}

    make_cap(channel="email")
    with pytest.raises(NobodyToSendTo, match=r"The only customer .* frequency cap"):
        moves.launch(make_campaign())


def test_simulated_messages_count_for_simulated_caps_only() -> None:
    customer = make_customer()
    make_cap()
    simulated = make_sender(provider="simulator")
    make_execution(
        make_run(make_campaign(sender=simulated)),
        customer,
        state="sent",
        sending_at=timezone.now(),
    )
    assert reasons(launched(make_campaign())) == {customer.pk: ""}
    with pytest.raises(NobodyToSendTo, match="frequency cap"):
        moves.launch(make_campaign(sender=simulated))


def test_a_send_once_key_skips_earlier_recipients() -> None:
    recipient, failed_recipient, fresh = make_customer(), make_customer(), make_customer()
    run = make_run()
    for customer, state in ((recipient, "delivered"), (failed_recipient, "failed")):
        message = make_execution(run, customer, state=state)
        SendOnce.objects.create(key="welcome", customer=customer, execution=message)

    assert reasons(launched(make_campaign(send_once_key="welcome"))) == {
        recipient.pk: "already_sent",
        failed_recipient.pk: "",
        fresh.pk: "",
    }
    assert set(reasons(launched(make_campaign(send_once_key="goodbye"))).values()) == {""}


SITUATIONS = st.lists(
    st.fixed_dictionaries(
        {
            "phone": st.sampled_from(["", "+49301", "+49302", "+49303", "+49304"]),
            "opted_out": st.booleans(),
            "had": st.integers(0, 3),
            "had_key": st.booleans(),
        }
    ),
    min_size=1,
    max_size=12,
)


@settings(
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    situations=SITUATIONS,
    suppressed=st.booleans(),
    holdout=st.sampled_from([0, 30, 80]),
    variants=st.booleans(),
    chunk=st.sampled_from([1, 3, 100]),
)
def test_a_dry_run_matches_the_snapshot(
    situations: list[dict[str, Any]],
    suppressed: bool,
    holdout: int,
    variants: bool,
    chunk: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Customer.objects.all().delete()
    Suppression.objects.all().delete()
    make_cap(messages=2, days=7)
    earlier = [make_run() for _ in range(3)]
    for situation in situations:
        customer = make_customer(phone=situation["phone"])
        if situation["opted_out"]:
            consent.opt_out(customer.pk, "sms", "asked")
        for run in earlier[: situation["had"]]:
            make_execution(run, customer, state="sent", sending_at=timezone.now())
        if situation["had_key"]:
            SendOnce.objects.create(key="k", customer=customer)
    if suppressed:
        consent.suppress("sms", "+49301", Suppression.Reason.MANUAL, "asked")
    campaign = sms_campaign(holdout_percent=Decimal(holdout), send_once_key="k")
    if variants:
        make_variants(campaign, A=1, B=2)
    monkeypatch.setattr(runs, "CHUNK", chunk)

    planned = dry_run(campaign)
    reason, *others = planned.skipped or [""]
    if reason in OF_THE_AUDIENCE and not others and not planned.reachable:
        with pytest.raises(NobodyToSendTo):
            moves.launch(campaign)
        return
    run = launched(campaign)

    written = Counter(reasons(run).values())
    assert planned.skipped == {reason: number for reason, number in written.items() if reason}
    assert planned.reachable == written[""]
    assert planned.audience == len(situations) == sum(written.values())
    pending = run.executions.filter(state="pending")
    assert Counter(planned.variants) == (
        Counter(pending.values_list("variant", flat=True)) if variants else Counter()
    )
    assert not pending.exclude(skip_reason="").exists()


@pytest.mark.parametrize("reason", ["no address", "not subscribed", "suppressed", "frequency cap"])
def test_an_audience_skipped_for_one_reason_does_not_start(
    reason: str, api: APIClient, staff_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audience, "CHUNK", 1)
    everybody = [
        make_customer(phone="" if reason == "no address" else f"+49301{number}")
        for number in range(3)
    ]
    for customer in everybody:
        if reason == "not subscribed":
            consent.opt_out(customer.pk, "sms", "asked")
        elif reason == "suppressed":
            consent.suppress("sms", customer.phone, Suppression.Reason.MANUAL, "asked")
        elif reason == "frequency cap":
            make_cap(messages=1, days=7)
            make_execution(make_run(), customer, state="sent", sending_at=timezone.now())
    campaign = sms_campaign()
    told = f"All 3 customers of the audience would be skipped: {reason}."

    name = ids.encode("cmp", campaign.pk)
    refused = api.post(f"/api/campaigns/{name}/execute", {})
    assert (refused.status_code, refused.json()["errors"][0]["message"]) == (400, told)
    page = reverse("admin:marketing_campaign_send_now", args=[campaign.pk])
    assert told in staff_client.post(page, {"confirmed": "yes"}, follow=True).content.decode()
    job = start_preflight(campaign, by=None)
    jobs.run(job)
    job.refresh_from_db()
    assert (job.state, job.error) == ("stopped", told)
    assert not campaign.runs.exists()

    reached = make_customer(phone="+4930999")
    assert reasons(launched(campaign))[reached.pk] == ""


def test_a_dry_run_lists_customers_of_each_reason() -> None:
    reachable = make_customer(first_name="Ada", last_name="Lovelace")
    unreachable = [make_customer(email=None, external_id=f"x{number}") for number in range(12)]
    campaign = make_campaign()

    found = dry_run(campaign)

    assert [tuple(each) for each in found.samples[""]] == [
        (reachable.pk, "Ada Lovelace", reachable.email)
    ]
    assert [each.customer_id for each in found.samples["no_address"]] == [
        each.pk for each in unreachable[:10]
    ]
    more = audience_with(campaign, "no_address", after=unreachable[9].pk)
    assert [each.customer_id for each in more] == [each.pk for each in unreachable[10:]]
    assert not CampaignExecution.objects.exists()
