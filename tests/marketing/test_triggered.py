"""A triggered campaign sends to customers with its event, within its limits."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from django.utils import timezone
from rest_framework.test import APIClient

from crm.events import reader
from customers import consent
from customers.models import Customer, Interaction
from customers.segments.membership import incremental
from customers.timeline import NewInteraction, record_interactions, types
from marketing.campaigns import checks, moves
from marketing.models import Campaign, CampaignExecution, CampaignRun
from marketing.sending import turn
from marketing.sending.turn import work_on
from tests.factories.customers import make_customer, make_order
from tests.factories.marketing import make_campaign, make_template
from tests.smtp_sink import Sink

pytestmark = pytest.mark.django_db(transaction=True)


def make_triggered(**fields: Any) -> Campaign:
    given = {"type": "triggered", "trigger_event": "Trial Started", "rules": None, **fields}
    campaign = make_campaign(**given)
    moves.launch(campaign)
    return campaign


def record_event(
    customer: Customer,
    event: str = "Trial Started",
    *,
    ago: timedelta = timedelta(),
    **properties: Any,
) -> None:
    record_interactions(
        [NewInteraction(customer.pk, event, timezone.now() - ago, properties=properties)]
    )
    reader.drain_all()


def shift_days(campaign: Campaign, days: int) -> None:
    """Move batches and messages this many days into the past."""
    ago = timedelta(days=days)
    campaign.runs.update(due_at=F("due_at") - ago)
    CampaignExecution.objects.filter(run__campaign=campaign).update(
        created_at=F("created_at") - ago
    )


def messages(campaign: Campaign) -> list[tuple[str, str]]:
    rows = CampaignExecution.objects.filter(run__campaign=campaign).order_by("pk")
    return list(rows.values_list("address", "state"))


def test_only_customers_with_the_event_get_the_message(sink: Sink) -> None:
    ada, bob = make_customer(email="ada@example.com"), make_customer(email="bob@example.com")
    campaign = make_triggered()
    record_event(ada)
    record_event(bob, "Something Else")
    for run in campaign.runs.all():
        work_on(run.pk)

    assert messages(campaign) == [("ada@example.com", "sent")]
    assert sink.recipients() == {"ada@example.com": 1}
    campaign.refresh_from_db()
    assert campaign.state == "running"


def test_a_message_has_the_properties_of_its_event(sink: Sink) -> None:
    template = make_template(
        subject="Your {{ event.plan }} trial",
        body="<p>{{ event.seats[0].name | upcase }} {{ event.price | times: 2 }}</p>",
    )
    ada, bob = make_customer(email="ada@example.com"), make_customer(email="bob@example.com")
    plus = [{"field": "price", "operator": ">", "value": 5}]
    campaign = make_triggered(template=template, trigger_where=plus)
    trials = [
        (ada, {"plan": "free", "price": 0}),
        (ada, {"plan": "pro", "price": 10, "seats": [{"name": "Ann"}]}),
        (ada, {"plan": "max", "price": 90}),
        (bob, {"plan": "team", "price": 20, "seats": [{"name": "Ben"}]}),
    ]
    record_interactions(
        NewInteraction(customer.pk, "Trial Started", timezone.now(), properties=properties)
        for customer, properties in trials
    )
    reader.drain_all()
    work_on(campaign.runs.get().pk)

    sent = {message["To"]: message for message in sink.messages()}
    subjects = {to.addresses[0].addr_spec: sent[to]["Subject"] for to in sent}
    assert subjects == {
        "ada@example.com": "Your pro trial",
        "bob@example.com": "Your team trial",
    }
    bodies = [message.get_body(("plain",)).get_content() for message in sink.messages()]
    assert [("ANN 20" in body, "BEN 40" in body) for body in bodies] in (
        [(True, False), (False, True)],
        [(False, True), (True, False)],
    )


def test_a_message_has_the_properties_of_its_order(api: APIClient) -> None:
    make_customer(external_id="ada")
    campaign = make_triggered(trigger_event="order_placed")
    orders = [
        {"id": f"o{n}", "customer_id": "ada", "amount": n, "items": ["A book"]} for n in (1, 2)
    ]
    assert api.post("/api/orders", orders[0], format="json").status_code == 201
    assert api.post("/api/orders", orders[1], format="json").status_code == 201
    reader.drain_all()
    context = CampaignExecution.objects.get(run__campaign=campaign).context
    assert context["event"]["order"] == "o1"
    assert "A book" in context["event"]["products"]


@pytest.mark.parametrize(
    ("fields", "findings"),
    [({"trigger_event": "Trial Started", "type": "triggered"}, 0), ({}, 1)],
)
def test_only_triggered_campaigns_know_the_event(fields: dict[str, str], findings: int) -> None:
    template = make_template(subject="Your trial", body="{{ event.plan }} {{ unsubscribe_url }}")
    found = checks.findings(make_campaign(template=template, **fields))
    unknown = [each for each in found.get(template, []) if each.code == "unknown_variable"]
    assert len(unknown) == findings


def test_a_repeated_event_sends_one_message() -> None:
    ada = make_customer()
    campaign = make_triggered()
    for _time in range(3):
        record_event(ada)
    shift_days(campaign, 40)
    record_event(ada)
    assert len(messages(campaign)) == 1


def test_a_customer_receives_it_again_after_the_interval() -> None:
    ada = make_customer()
    campaign = make_triggered(trigger_again_days=30)
    record_event(ada)
    shift_days(campaign, 29)
    record_event(ada)
    assert len(messages(campaign)) == 1
    shift_days(campaign, 1)
    record_event(ada)
    assert len(messages(campaign)) == 2
    assert campaign.runs.count() == 2


def test_only_matching_events_trigger() -> None:
    ada = make_customer()
    where = [{"field": "plan", "operator": "=", "value": "pro"}]
    campaign = make_triggered(trigger_where=where)
    record_event(ada, plan="free")
    assert messages(campaign) == []
    record_event(ada, plan="pro")
    assert len(messages(campaign)) == 1


def test_a_message_waits_for_the_delay() -> None:
    campaign = make_triggered(trigger_delay_minutes=90)
    record_event(make_customer())
    waits = CampaignExecution.objects.get(run__campaign=campaign)
    assert waits.next_attempt_at
    assert timedelta(minutes=89) < waits.next_attempt_at - timezone.now() <= timedelta(minutes=90)


def test_an_unsubscribed_customer_is_skipped_with_the_reason() -> None:
    ada = make_customer()
    consent.opt_out(ada.pk, "email", "asked")
    campaign = make_triggered()
    record_event(ada)
    assert CampaignExecution.objects.get(run__campaign=campaign).skip_reason == "not_subscribed"


def test_the_audience_filter_applies() -> None:
    german = {"field": "country", "operator": "=", "value": "DE"}
    campaign = make_triggered(rules={"operator": "AND", "conditions": [german]})
    record_event(make_customer(country="FR"))
    assert messages(campaign) == []
    record_event(make_customer(country="DE"))
    assert len(messages(campaign)) == 1


def test_an_old_event_triggers_nothing() -> None:
    campaign = make_triggered()
    record_event(make_customer(), ago=timedelta(days=3))
    assert messages(campaign) == []


def test_a_paused_campaign_ignores_events_until_resumed() -> None:
    campaign = make_triggered()
    moves.pause(campaign)
    record_event(make_customer())
    assert messages(campaign) == []
    moves.resume(campaign)
    record_event(make_customer())
    assert len(messages(campaign)) == 1


def test_a_days_batch_ends_and_the_campaign_continues(sink: Sink) -> None:
    campaign = make_triggered()
    record_event(make_customer())
    run = campaign.runs.get()
    work_on(run.pk)
    turn.unattended_batches()
    run.refresh_from_db()
    assert run.state == CampaignRun.State.SENDING
    shift_days(campaign, 1)
    turn.unattended_batches()
    run.refresh_from_db()
    campaign.refresh_from_db()
    assert (run.state, run.audience, campaign.state) == ("finished", 1, "running")
    moves.complete(campaign)
    assert campaign.state == "completed"


def test_orders_trigger_messages(api: APIClient) -> None:
    ada = make_customer(external_id="ada")
    campaign = make_triggered(trigger_event="order_placed")
    order = {"id": "o1", "customer_id": "ada", "amount": "12.50", "items": ["A book"]}
    assert api.post("/api/orders", order, format="json").status_code == 201
    reader.drain_all()
    assert messages(campaign) == [(ada.email, "pending")]


def test_an_order_triggers_for_its_own_buyer(api: APIClient) -> None:
    """Even if the interaction has the id of another customer's order."""
    ada, eve = make_customer(external_id="ada"), make_customer()
    other = make_order(eve, placed_at=timezone.now())
    campaign = make_triggered(trigger_event="order_placed")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT setval(pg_get_serial_sequence('customers_interaction', 'id'), %s, false),"
            " setval(pg_get_serial_sequence('customers_order', 'id'), %s)",
            [other.pk, other.pk + 100],
        )
    order = {"id": "o1", "customer_id": "ada", "amount": "12.50", "items": ["A book"]}
    assert api.post("/api/orders", order, format="json").status_code == 201
    assert Interaction.objects.get(customer=ada).pk == other.pk
    reader.drain_all()
    assert messages(campaign) == [(ada.email, "pending")]


def test_an_event_of_another_customers_order_is_ignored() -> None:
    other = make_order(make_customer(), placed_at=timezone.now())
    campaign = make_triggered(trigger_event="order_placed")
    record_event(make_customer(), "order_placed", order=other.external_id)
    assert messages(campaign) == []


def test_a_failing_segment_refresh_delays_no_message(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_args: Any) -> None:
        raise ValueError("broken")

    monkeypatch.setattr(incremental, "changed", broken)
    campaign = make_triggered()
    record_event(make_customer())
    assert len(messages(campaign)) == 1


@pytest.mark.parametrize("event", sorted(types.BY_MACHINES))
def test_an_event_of_a_bot_cannot_be_the_trigger(api: APIClient, event: str) -> None:
    answer = api.post(
        "/api/campaigns",
        {"name": "Bot", "type": "triggered", "trigger": event, "message": "Hi"},
        format="json",
    )
    assert answer.status_code == 400
    assert "triggers nothing" in str(answer.data)


def test_the_api_sets_and_returns_the_trigger(api: APIClient) -> None:
    body = {
        "name": "Welcome",
        "type": "triggered",
        "trigger": {"event": "Trial Started", "where": [{"field": "plan", "operator": "=", "value": "pro"}], "delay_minutes": 15},
        "reply_to": "help@shop.example",
        "message": "Hi {name}, welcome!",
    }  # fmt: skip
    made = api.post("/api/campaigns", body, format="json")
    assert made.status_code == 201, made.data
    assert made.data["trigger"]["delay_minutes"] == 15
    assert made.data["trigger"]["again_after_days"] is None
    started = api.post(f"/api/campaigns/{made.data['id']}/execute")
    assert started.status_code == 202, started.data
    record_event(make_customer(), plan="pro")
    assert CampaignExecution.objects.count() == 1


def test_a_triggered_campaign_needs_an_event_and_no_time(api: APIClient) -> None:
    body = {"name": "Welcome", "type": "triggered", "message": "Hi"}
    assert "trigger" in str(api.post("/api/campaigns", body, format="json").data)
    timed = {**body, "trigger": "x", "schedule_time": "2027-02-01T10:00:00"}
    assert "schedule_time" in str(api.post("/api/campaigns", timed, format="json").data)
