"""The admin finds and explains messages and resolves unconfirmed ones."""

from __future__ import annotations

import uuid

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crm.accounts.models import User
from crm.api import ids
from customers.models import Identity, Interaction
from marketing.models import CampaignExecution
from marketing.sending.resolve_manually import NotUnconfirmed, resolve
from tests.factories.customers import make_customer
from tests.factories.marketing import make_campaign, make_execution, make_run, make_template
from tests.marketing.queries import marketing_queries

pytestmark = pytest.mark.django_db

LIST = reverse("admin:marketing_campaignexecution_changelist")


def admin_url(execution: CampaignExecution, name: str = "change") -> str:
    return reverse(f"admin:marketing_campaignexecution_{name}", args=[execution.pk])


@pytest.fixture
def message() -> CampaignExecution:
    template = make_template(body="<p>Dear {{ customer.first_name }}</p>")
    run = make_run(make_campaign(name="Spring", template=template))
    return make_execution(run, make_customer(email="ada@example.com", external_id="c-1"))


def result_count(client: Client, query: str) -> int:
    return client.get(LIST, {"q": query}).context["cl"].result_count


def test_search_finds_a_message_by_address_or_id(
    staff_client: Client, message: CampaignExecution
) -> None:
    make_execution(message.run, make_customer(email="bob@example.com"))
    old = Identity.Kind.EMAIL
    Identity.objects.create(customer=message.customer, kind=old, value="ada@old.example")
    for query in ("ADA@example.com", "c-1", "ada@old.example", ids.encode("msg", message.pk)):
        assert result_count(staff_client, query) == 1, query
    assert result_count(staff_client, "example.com") == 0


def test_messages_filter_by_state_reason_and_campaign(
    staff_client: Client, message: CampaignExecution
) -> None:
    other = make_run()
    make_execution(other, make_customer(), state="skipped", skip_reason="suppressed")

    def count(**filters: object) -> int:
        return staff_client.get(LIST, filters).context["cl"].result_count

    assert count(state__exact="skipped") == 1
    assert count(skip_reason__exact="suppressed") == 1
    assert count(run__campaign__id__exact=message.run.campaign_id) == 1


@pytest.mark.parametrize(
    ("state", "reason", "why"),
    [
        ("skipped", {"skip_reason": "suppressed"}, "Suppressed"),
        ("failed", {"error_kind": "hard_bounce"}, "No such address"),
        ("bounced", {"error_kind": "blocked"}, "Blocked by the recipient"),
    ],
)
def test_the_list_shows_why_a_message_was_not_delivered(
    staff_client: Client, message: CampaignExecution, state: str, reason: dict[str, str], why: str
) -> None:
    CampaignExecution.objects.update(state=state, **reason)
    rows = staff_client.get(LIST).content.decode().partition("result_list")[2]
    assert why in rows.partition("<tbody")[2].partition("</table>")[0]


def test_a_longer_list_needs_no_more_queries(
    staff_client: Client, message: CampaignExecution
) -> None:
    for _ in range(10):
        make_execution(message.run, make_customer())
    assert len(marketing_queries(lambda: staff_client.get(LIST))) == 2


def test_the_page_shows_reason_history_and_content(
    staff_client: Client, message: CampaignExecution
) -> None:
    now = timezone.now()
    CampaignExecution.objects.update(
        state="failed", sending_at=now, failed_at=now, error="550 no such user"
    )
    response = staff_client.get(admin_url(message))
    text = response.content.decode()
    assert "The provider rejected it. 550 no such user" in text
    assert [str(moment.what) for moment in response.context["moments"]] == [
        "Added to the campaign",
        "Submitted to the provider",
        "Failed",
    ]
    assert "Dear Ada" in text
    assert "sandbox" in text


def test_messages_cannot_be_changed_or_deleted(
    staff_client: Client, message: CampaignExecution
) -> None:
    assert staff_client.post(admin_url(message), {"address": "x@example.com"}).status_code == 403
    assert staff_client.post(admin_url(message, "delete"), {"post": "yes"}).status_code == 403


@pytest.mark.parametrize(
    ("button", "state", "events"), [("arrived", "sent", 1), ("did_not_arrive", "failed", 0)]
)
def test_a_user_resolves_an_unconfirmed_message(
    staff_client: Client,
    staff: User,
    message: CampaignExecution,
    button: str,
    state: str,
    events: int,
) -> None:
    CampaignExecution.objects.update(
        state="unconfirmed", sending_at=timezone.now(), lease=uuid.uuid4()
    )
    assert len(staff_client.get(admin_url(message)).context["actions_detail"]) == 2

    assert staff_client.get(admin_url(message, button)).status_code == 200
    staff_client.post(admin_url(message, button), {"confirmed": "yes"})

    message.refresh_from_db()
    assert message.state == state
    assert str(staff) in message.error
    assert Interaction.objects.filter(type="message_sent").count() == events


def test_only_unconfirmed_messages_can_be_resolved(
    staff_client: Client, staff: User, message: CampaignExecution
) -> None:
    assert staff_client.get(admin_url(message)).context["actions_detail"] == []
    with pytest.raises(NotUnconfirmed):
        resolve(message, delivered=True, by=staff)
