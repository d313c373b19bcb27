"""A fault of the sender suppresses nobody and pauses the run; afterwards every customer gets one message."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from crm.accounts.models import User
from customers import consent
from customers.models import Suppression
from marketing.campaigns import moves
from marketing.campaigns.states import NotReady
from marketing.models import CampaignRun, Sender, SenderBreaker
from marketing.sending import turn
from tests.factories.customers import make_customer
from tests.factories.marketing import make_campaign, make_sender, take_snapshot
from tests.smtp_sink import Sink

pytestmark = pytest.mark.django_db

REFUSALS = [
    "554 5.7.1 <p0@example.com>: Relay access denied",
    "530 5.7.0 Authentication required",
    "550 5.7.1 not authorised",
    "550 5.7.26 This mail is unauthenticated: SPF and DKIM did not pass",
    "421 4.7.0 Rate limit exceeded, slow down",
    "452 4.3.1 Insufficient system storage, quota exceeded",
    "550 Service unavailable; client host blocked using zen.spamhaus.org, see https://www.spamhaus.org/query/ip/192.0.2.1",
    "550 Sender verify failed",
    "550 5.1.0 <hello@kindling.example>: Sender address rejected: User unknown in local recipient table",
    "550 <hello@kindling.example>: no such user",
    "550 Verification failed for <hello@kindling.example>. No Such User Here. Sender verify failed",
    "550 5.4.5 Daily user sending limit exceeded",
    "550 Rejected",
    "554 Transaction failed",
    "550 Requested action not taken: mailbox unavailable",
]


def launched(people: int) -> CampaignRun:
    for number in range(people):
        make_customer(email=f"p{number}@example.com")
    return moves.launch(make_campaign(sender=make_sender(connections=1)))


def work(run: CampaignRun) -> None:
    while turn.work_on(run.pk):
        pass
    run.refresh_from_db()


def mend(run: CampaignRun, staff: User) -> None:
    """Resume the campaign and send its messages, those that wait for their next attempt at once."""
    run.campaign.refresh_from_db()
    moves.resume(run.campaign, by=staff)
    run.executions.filter(state="retry").update(next_attempt_at=timezone.now())
    work(run)


@pytest.mark.parametrize("people", [2, 12])
def test_a_relay_that_refuses_everything_pauses_the_run(
    sink: Sink, staff: User, people: int
) -> None:
    run = launched(people)
    take_snapshot(run)
    for refusal in REFUSALS:
        sink.everyone, sink.asked = refusal, 0
        SenderBreaker.objects.all().delete()
        run.executions.update(state="pending", attempts=0, next_attempt_at=None, sent_at=None)
        CampaignRun.objects.update(state="sending", pause_reason="", error="")
        run.refresh_from_db()
        while run.state != "paused" and sink.asked <= 10:
            run.executions.filter(state="retry").update(next_attempt_at=timezone.now())
            work(run)

        assert (run.state, run.pause_reason) == ("paused", "provider"), refusal
        assert refusal[:3] in run.error
        assert sink.asked <= 10
        assert not Suppression.objects.exists(), refusal

    sink.everyone = ""
    mend(run, staff)
    assert run.executions.count_by_state() == {"sent": people}
    assert set(sink.recipients().values()) == {1}
    assert len(sink.recipients()) == people


@pytest.mark.parametrize(
    "refusal",
    [
        "550 5.4.5 Daily user sending limit exceeded",
        "550 You have exceeded the daily sending limit",
        "452 4.2.1 Daily message quota exceeded",
        "454 Throttling failure: Daily message quota exceeded.",
        "550 5.7.1 [C15] Maximum number of messages per hour reached",
    ],
)
def test_a_daily_limit_in_the_middle_loses_no_message(
    sink: Sink, staff: User, refusal: str
) -> None:
    sink.takes, sink.over_limit = 7, refusal
    run = launched(20)

    work(run)

    assert (run.state, run.pause_reason) == ("paused", "provider")
    assert refusal[:3] in run.error
    assert not Suppression.objects.exists()
    sink.takes = 100
    mend(run, staff)
    assert run.executions.count_by_state() == {"sent": 20}
    assert set(sink.recipients().values()) == {1}


def test_a_refused_recipient_among_others_pauses_nothing(sink: Sink) -> None:
    sink.refusals = {
        "p1@example.com": "550 5.1.1 User unknown",
        "p4@example.com": "550 5.7.1 Message blocked by policy",
        "p7@example.com": "552 5.2.2 Mailbox full",
        "p8@example.com": "550 Rejected",
    }
    run = launched(10)

    work(run)

    assert run.state == "finished"
    assert run.executions.count_by_state() == {"sent": 6, "failed": 4}
    assert run.executions.count_by_error_kind() == {
        "hard_bounce": 1, "blocked": 1, "soft_bounce": 1, "refused": 1,
    }  # fmt: skip
    assert Suppression.objects.get().address == "p1@example.com"


WRONG = [
    {"from_address": "Shop <hello@shop.example>"},
    {"reply_to": "Büro <buero@shop.example>"},
    {"from_address": "hello@@shop.example"},
    {"from_address": "hello@shop"},
    {"from_address": "büro@shop.example"},
    {"reply_to": "buero at shop.example"},
    {"reply_to": "a@shop.example, b@shop.example"},
    {"from_address": "hello@shop.example>"},
    {"from_address": ""},
]


@pytest.mark.parametrize("wrong", WRONG)
def test_a_malformed_sender_is_refused_at_every_door(api: APIClient, wrong: dict[str, str]) -> None:
    (field,) = wrong
    given = {"name": "S", "channel": "email", "provider": "smtp", "from_address": "a@shop.example"}

    response = api.post("/api/senders", {**given, **wrong}, format="json")

    assert response.status_code == 400
    assert [error["path"] for error in response.json()["errors"]] == [field]
    if any(wrong.values()):
        with pytest.raises(NotReady, match="Correct the sender"):
            moves.launch(make_campaign(sender=make_sender(**wrong)))


@pytest.mark.parametrize("wrong", [each for each in WRONG if "hello@shop" not in each.values()])
def test_a_sender_that_was_malformed_before_suppresses_nobody(
    sink: Sink, staff: User, wrong: dict[str, str]
) -> None:
    run = launched(5)
    Sender.objects.update(**wrong)

    work(run)

    assert (run.state, run.pause_reason) == ("paused", "provider")
    assert not sink.arrived
    assert not Suppression.objects.exists()
    Sender.objects.update(from_address="hello@shop.example", reply_to="")
    mend(run, staff)
    assert set(sink.recipients().values()) == {1}
    assert len(sink.recipients()) == 5


PROVEN = [
    "550 5.1.1 <ada@example.com> User unknown",
    "msg_abc: smtp; 550 5.1.1 user unknown",
    "msg_abc",
    "msg_abc: bounced",
    "",
    "400 21211: The 'To' number is not a valid phone number.",
]
UNPROVEN = [
    "550 relay not permitted",
    "550 Sender verify failed",
    "550 5.4.5 Daily user sending limit exceeded",
    "550 Rejected",
    "Not an address for mail.",
    "msg_abc: 554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org",
    "msg_abc: smtp; 550 5.7.1 Relaying denied",
    "msg_abc: Your account is suspended",
]


def suppress_by_faults() -> None:
    for number, evidence in enumerate([*PROVEN, *UNPROVEN]):
        consent.suppress("email", f"s{number}@example.com", "hard_bounce", evidence)
    consent.suppress("email", "complained@example.com", "complaint", "550 relay not permitted")
    consent.suppress("email", "by.hand@example.com", "manual", "550 relay not permitted")


def test_suppressions_by_faults_are_lifted_by_the_api(
    sink: Sink, staff: User, api: APIClient
) -> None:
    suppress_by_faults()
    run = launched(1)
    work(run)
    address = f"s{len(PROVEN)}@example.com"
    run.executions.update(state="failed", error_kind="hard_bounce", sent_at=None, address=address)

    found = api.get("/api/senders/unproven-suppressions").json()
    lifted = api.post("/api/senders/lift-suppressions").json()

    assert found["count"] == lifted["lifted"] == len(UNPROVEN)
    assert [each["evidence"] for each in found["results"]] == UNPROVEN
    left = set(Suppression.objects.values_list("evidence", flat=True))
    assert left == {*PROVEN, "550 relay not permitted"}
    run.campaign.refresh_from_db()
    assert moves.retry_failed(run.campaign, by=staff) == 1


def test_suppressions_by_faults_are_lifted_in_the_admin(staff_client: Client) -> None:
    suppress_by_faults()
    url = reverse("admin:marketing_sender_lift_suppressions")

    page = staff_client.get(url)
    assert "Sender verify failed" in page.content.decode()
    assert "User unknown" not in page.content.decode()
    assert staff_client.post(url, {"confirmed": "1"}).status_code == 302
    assert Suppression.objects.count() == len(PROVEN) + 2
    assert staff_client.get(url).status_code == 302
