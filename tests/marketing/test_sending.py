"""Every message of a run is sent once or has a reason."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from customers.models import Interaction, Suppression
from marketing.campaigns import moves, runs
from marketing.campaigns.moves import worth_retrying
from marketing.channels.base import Connection, Message, PermanentError, Receipt
from marketing.channels.receipts import ReceiptKind
from marketing.messages import batches, due, queue
from marketing.messages.transitions import (
    SendResult,
    mark_sending,
    mark_unconfirmed,
    record_results,
)
from marketing.models import CampaignRun
from marketing.sending import turn
from marketing.sending.connection_pool import attempt
from tests.factories.customers import make_customer
from tests.factories.marketing import (
    make_campaign,
    make_execution,
    make_run,
    make_sender,
    make_template,
)
from tests.smtp_sink import Sink

pytestmark = pytest.mark.django_db

EVERYONE = {"operator": "AND", "conditions": []}


def launched(*addresses: str, body: str = "<p>Hi {{ customer.first_name }}</p>") -> CampaignRun:
    for address in addresses:
        make_customer(email=address, first_name=address.partition("@")[0].title())
    return moves.launch(make_campaign(rules=EVERYONE, template=make_template(body=body)))


def take_snapshot(run: CampaignRun) -> None:
    while runs.fill(run):
        pass


def work(run: CampaignRun) -> None:
    while turn.work_on(run.pk):
        pass
    run.refresh_from_db()


def test_every_customer_receives_one_message(sink: Sink) -> None:
    addresses = [f"p{number}@example.com" for number in range(120)]
    run = launched(*addresses)

    work(run)

    assert sink.recipients() == dict.fromkeys(addresses, 1)
    assert run.executions.count_by_state() == {"sent": 120}
    assert run.state == "finished"
    assert run.campaign.state == "completed"
    assert Interaction.objects.filter(type="message_sent").count() == 120


def test_the_reply_address_falls_back_to_the_sender(sink: Sink) -> None:
    make_customer()
    sender = make_sender(reply_to="shop@shop.example")
    for reply_to in ("", "contest@shop.example"):
        work(moves.launch(make_campaign(sender=sender, reply_to=reply_to)))
    assert [mail["Reply-To"] for mail in sink.messages()] == [
        "shop@shop.example",
        "contest@shop.example",
    ]


def test_a_finished_run_sends_nothing_more(sink: Sink) -> None:
    run = launched("ada@example.com")
    work(run)
    work(run)
    assert sink.recipients() == {"ada@example.com": 1}


def test_each_result_is_recorded(sink: Sink) -> None:
    sink.refusals["busy@example.com"] = "450 later"
    sink.refusals["gone@example.com"] = "550 no such user"
    sink.after_data["lost@example.com"] = "drop"
    run = launched("fine@example.com", "busy@example.com", "gone@example.com", "lost@example.com")

    work(run)

    by_address = {each.address: each for each in run.executions.all()}
    assert {address: each.state for address, each in by_address.items()} == {
        "fine@example.com": "sent",
        "busy@example.com": "retry",
        "gone@example.com": "failed",
        "lost@example.com": "unconfirmed",
    }
    assert by_address["busy@example.com"].next_attempt_at > timezone.now()
    assert "550" in by_address["gone@example.com"].error
    assert Suppression.objects.get().address == "gone@example.com"
    assert run.state == "sending"


def test_a_provider_unsubscription_opts_the_customer_out() -> None:
    run, lease = make_run(make_campaign()), uuid.uuid4()
    execution = make_execution(run, make_customer(), state="sending", lease=lease)
    result = attempt(UnsubscribedConnection(), EMPTY, attempts=1)

    record_results(run, batches.plan_of(run), lease, [(execution, result)])

    execution.refresh_from_db()
    assert (execution.state, execution.error_kind) == ("failed", "unwanted")
    assert result.provider_answers
    assert execution.customer.opted_out_channels == ["email"]
    assert not worth_retrying(run).exists()


class UnsubscribedConnection(Connection):
    """A connection that reports every recipient as unsubscribed, like Twilio error 21610."""

    def send(self, message: Message) -> Receipt:
        raise PermanentError("21610", kind=ReceiptKind.UNSUBSCRIBED)


EMPTY = Message("msg_1", "ada@example.com", "", "", "", "", "", "", "")


def test_a_deferred_message_fails_after_the_last_attempt(sink: Sink, settings: Settings) -> None:
    settings.SENDING_MAX_ATTEMPTS = 2
    sink.refusals["busy@example.com"] = "450 later"
    run = launched("busy@example.com")
    work(run)
    run.executions.update(next_attempt_at=timezone.now())

    work(run)

    execution = run.executions.get()
    assert (execution.state, execution.attempts) == ("failed", 2)
    assert run.state == "finished"


def test_a_retry_has_the_same_message_id(sink: Sink) -> None:
    sink.after_data["busy@example.com"] = "451 try later"
    run = launched("busy@example.com")
    work(run)
    del sink.after_data["busy@example.com"]
    run.executions.update(next_attempt_at=timezone.now())

    work(run)

    execution = run.executions.get()
    assert execution.state == "sent"
    assert sink.messages()[0]["Message-ID"] == execution.provider_id


def test_an_unreachable_server_costs_no_attempt(settings: Settings) -> None:
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    run = launched("ada@example.com")

    work(run)

    assert "cannot be reached" in run.error
    execution = run.executions.get()
    assert (execution.state, execution.attempts, execution.lease) == ("pending", 0, None)


def test_invalid_content_skips_only_its_customer(sink: Sink) -> None:
    run = launched(
        "ada@example.com",
        "bob@example.com",
        body="<p>{% if name contains 'Bob' %}{{ 1 | divided_by: 0 }}{% endif %}Hi</p>",
    )

    work(run)

    assert sink.recipients() == {"ada@example.com": 1}
    assert run.executions.count_by_skip_reason() == {"invalid_content": 1}


def test_a_pause_stops_claimed_messages_not_sent_yet(sink: Sink) -> None:
    run = launched("ada@example.com", "bob@example.com")
    take_snapshot(run)
    lease = uuid.uuid4()
    claimed = queue.claim(run, lease)
    plan = batches.plan_of(run)
    assert mark_sending(run, plan, lease, claimed[:1]) == {claimed[0].pk}

    moves.pause(run.campaign)

    assert not mark_sending(run, plan, lease, claimed[1:])


def test_two_workers_never_claim_the_same_message(sink: Sink) -> None:
    run = launched(*[f"p{number}@example.com" for number in range(5)])
    take_snapshot(run)
    first = queue.claim(run, uuid.uuid4(), limit=3)
    second = queue.claim(run, uuid.uuid4(), limit=3)
    assert len(first) == 3
    assert len(second) == 2
    assert not {each.pk for each in first} & {each.pk for each in second}


def test_messages_of_a_dead_worker_are_claimed_again(
    sink: Sink,
) -> None:
    run = launched("ada@example.com", "bob@example.com", "cyd@example.com")
    take_snapshot(run)
    dead = uuid.uuid4()
    being_sent = queue.claim(run, dead)[0]
    mark_sending(run, batches.plan_of(run), dead, [being_sent])
    run.executions.update(leased_until=timezone.now() - timedelta(seconds=1))

    assert set(turn.unattended_batches()) == {run.pk}
    work(run)

    assert run.executions.count_by_state() == {"unconfirmed": 1, "sent": 2}
    assert being_sent.address not in sink.recipients()
    assert run.state == "finished"


def test_a_slow_worker_can_still_record_its_results() -> None:
    run = launched("ada@example.com")
    take_snapshot(run)
    lease = uuid.uuid4()
    (execution,) = queue.claim(run, lease)
    plan = batches.plan_of(run)
    mark_sending(run, plan, lease, [execution])
    run.executions.update(leased_until=timezone.now() - timedelta(seconds=1))
    mark_unconfirmed()

    sent = SendResult("sent", timezone.now(), provider_id="<1>")
    assert record_results(run, plan, lease, [(execution, sent)]) == {execution.pk}
    assert run.executions.count_by_state() == {"sent": 1}
    assert not record_results(run, plan, lease, [(execution, sent)])


def test_retry_delays_grow_with_jitter_up_to_a_limit() -> None:
    firsts = [due.retry_delay(1) for _n in range(200)]
    lates = [due.retry_delay(20) for _n in range(200)]
    assert max(firsts) <= timedelta(minutes=1) < max(lates) <= timedelta(hours=1)
    assert max(firsts) - min(firsts) > timedelta(seconds=30)
