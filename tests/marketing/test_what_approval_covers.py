"""An approval covers every field that decides about a campaign's messages; a launch names what has changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import time, timedelta
from decimal import Decimal
from threading import Barrier, Thread
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection, models, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from crm.accounts.models import User
from crm.api import ids
from crm.credentials import seal
from crm.events import reader
from customers.models import Customer, Segment, SegmentMembership, SegmentTrigger, Topic
from customers.segments import members, refresh
from customers.timeline import NewInteraction, record_interactions
from marketing.campaigns import approval, moves, runs
from marketing.campaigns.states import NotApproved
from marketing.models import (
    Campaign,
    CampaignRun,
    CampaignTemplate,
    CampaignVariant,
    FrequencyRule,
    QuietHours,
    Sender,
    Snippet,
)
from tests.factories.customers import make_customer
from tests.factories.marketing import make_campaign, make_cap, make_sender, make_template

pytestmark = pytest.mark.django_db

LABEL = "a label that no recipient sees"
BOOKKEEPING = "written by the system, not decided by a user"
SPEED = "changes how fast messages leave, not which"

NOT_COVERED: dict[type[models.Model], dict[str, str]] = {
    Campaign: {
        "id": BOOKKEEPING,
        "external_id": BOOKKEEPING,
        "historical": BOOKKEEPING,
        "description": LABEL,
        "tags": LABEL,
        "name": "a label, and covered where messages or UTM tags contain it",
        "state": BOOKKEEPING,
        "next_run_at": "follows from the schedule",
        "schedule": "beat's entry, which follows from the schedule",
        "created_by": BOOKKEEPING,
        "changed_by": "decides who may approve",
        "approved_by": "the approval itself",
        "approved_at": "the approval itself",
        "approval": "the approval itself",
        "created_at": BOOKKEEPING,
        "updated_at": BOOKKEEPING,
        "launched_at": BOOKKEEPING,
        "completed_at": BOOKKEEPING,
        "winner": "the result of the approved test",
        "winner_why": "the result of the approved test",
        "winner_at": "the result of the approved test",
    },
    CampaignVariant: {"id": BOOKKEEPING, "campaign": "a variant never moves to another campaign"},
    CampaignTemplate: {
        "id": BOOKKEEPING,
        "is_of_message": "says that the template ends with its campaign",
        "name": LABEL,
        "created_at": BOOKKEEPING,
        "updated_at": BOOKKEEPING,
    },
    Snippet: {
        "id": BOOKKEEPING,
        "description": LABEL,
        "created_at": BOOKKEEPING,
        "updated_at": BOOKKEEPING,
    },
    Segment: {
        "id": BOOKKEEPING,
        "name": LABEL,
        "description": LABEL,
        "members": "covered by their number, and by the share that joined a static segment",
        "size": "the number of members, covered by that of the audience",
        "refreshed_at": BOOKKEEPING,
        "refresh_ms": BOOKKEEPING,
        "created_at": BOOKKEEPING,
        "updated_at": BOOKKEEPING,
    },
    SegmentTrigger: {
        "id": BOOKKEEPING,
        "segment": "part of the segment",
        "created_at": BOOKKEEPING,
    },
    Topic: {
        "id": BOOKKEEPING,
        "slug": "names the same topic; customers opt out of the row",
        "name": LABEL,
        "description": LABEL,
        "order": LABEL,
    },
    Sender: {
        "id": BOOKKEEPING,
        "name": LABEL,
        "credentials": "a rotated secret is of the same account; the server and user in an address are covered",
        "is_default": "the campaign names its sender",
        "per_second": SPEED,
        "per_day": SPEED,
        "connections": SPEED,
        "created_at": BOOKKEEPING,
    },
    FrequencyRule: {"id": BOOKKEEPING, "name": LABEL, "created_at": BOOKKEEPING},
    QuietHours: {"id": BOOKKEEPING, "name": LABEL, "created_at": BOOKKEEPING},
}
"""Fields that an approval does not cover, and why they do not matter."""

COVERED: dict[type[models.Model], tuple[str, ...]] = {
    Campaign: (
        *(name for names in approval.CAMPAIGN_FIELDS.values() for name in names),
        *("segments", "exclude_segments"),
    ),
    CampaignVariant: approval.VARIANT_FIELDS,
    CampaignTemplate: approval.TEMPLATE_FIELDS,
    Snippet: approval.SNIPPET_FIELDS,
    Segment: approval.SEGMENT_FIELDS,
    SegmentTrigger: approval.TRIGGER_FIELDS,
    Topic: (),
    Sender: (*approval.SENDER_FIELDS, "cost_per_message"),
    FrequencyRule: approval.CAP_FIELDS,
    QuietHours: approval.QUIET_FIELDS,
}

TRIGGERED: dict[str, Any] = {"type": "triggered", "trigger_event": "page_viewed", "frequency": ""}
CHANGES: dict[tuple[type[models.Model], str], dict[str, Any]] = {
    (Campaign, "type"): {"type": "one_time", "frequency": ""},
    (Campaign, "trigger_event"): TRIGGERED,
    (Campaign, "goal_kind"): {"goal_kind": "event", "goal_event": "Signed Up"},
    (Campaign, "frequency"): {"frequency": "daily"},
    (Campaign, "weekdays"): {"weekdays": ["tue"]},
    (Campaign, "rules"): {"rules": {"operator": "OR", "conditions": []}},
    (Campaign, "winner_by"): {"winner_by": "bandit"},
    (Campaign, "historical"): {"external_id": "x", "historical": True},
    (Campaign, "state"): {"state": "cancelled"},
    (Sender, "credentials"): {"credentials": {"api_key": seal("another key")}},
    (FrequencyRule, "active"): {"active": False},
    (QuietHours, "active"): {"active": False},
}
"""Changes of more than one column, where constraints of the table want them, or of a special value."""


@pytest.fixture
def campaign(settings: Settings, staff: User) -> Campaign:
    """A recurring campaign that uses everything an approval covers, approved by `staff`."""
    settings.CAMPAIGN_APPROVAL = True
    gold = Segment.objects.create(name="Gold", slug="gold")
    Segment.objects.create(name="Inner", slug="inner", rules=in_segment("gold"))
    vip = Segment.objects.create(name="VIP", slug="vip", rules=in_segment("inner"))
    staff_list = Segment.objects.create(name="Staff", slug="staff", kind="static")
    SegmentTrigger.objects.create(segment=gold, event="page_viewed", action="reevaluate")
    Snippet.objects.create(name="address", body="Berlin")
    Snippet.objects.create(name="footer", body="{% render 'address' %}")
    make_cap()
    QuietHours.objects.create(name="Night", starts_at=time(22), ends_at=time(7))
    campaign = make_campaign(
        segments=[vip],
        exclude_segments=[staff_list],
        name="News",
        type="recurring",
        frequency="weekly",
        weekdays=["mon"],
        template=make_template(name="Letter", body="<p>Hi</p>{% render 'footer' %}"),
        scheduled_at=timezone.now() + timedelta(days=1),
        topic=Topic.objects.create(slug="news", name="News"),
        sender=make_sender(name="Shop", settings={"visibility": "public"}),
    )
    CampaignVariant.objects.create(campaign=campaign, name="B", template=make_template(name="B"))
    return approval.approve(campaign, by=staff)


def in_segment(slug: str) -> dict[str, Any]:
    return {
        "operator": "AND",
        "conditions": [{"field": "segment", "operator": "contains", "value": slug}],
    }


def test_every_field_is_covered_or_has_a_reason() -> None:
    for model, names in COVERED.items():
        fields = {field.name for field in (*model._meta.concrete_fields, *model._meta.many_to_many)}
        assert fields == {*names, *NOT_COVERED[model]}, model
        assert not {*names} & {*NOT_COVERED[model]}, model


def test_a_change_of_any_covered_field_voids_it(campaign: Campaign) -> None:
    assert approval.missing(campaign) == ""
    for model, names in COVERED.items():
        for name in names:
            with undone():
                change(model, name)
                assert "changed since" in approval.missing(campaign), (model, name)


def test_a_change_of_any_other_field_keeps_it(campaign: Campaign) -> None:
    own = {"id", "campaign", "segment", "members", "created_by", "changed_by", "schedule"}
    own |= {"approved_by", "approved_at", "approval"}
    for model, names in NOT_COVERED.items():
        for name in names.keys() - own:
            with undone():
                change(model, name)
                assert approval.missing(campaign) == "", (model, name)


@contextmanager
def undone() -> Iterator[None]:
    """Run a block in a transaction, and roll it back."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def change(model: type[models.Model], name: str) -> None:
    """Give a field of the model's row another value, past every form and serializer."""
    field = model._meta.get_field(name)
    row = model._default_manager.order_by("pk").first()
    if model is Segment:
        row = Segment.objects.get(slug="gold")
    assert row
    if isinstance(field, models.ManyToManyField):
        getattr(row, name).add(Segment.objects.get(slug="inner"))
        return
    changes = CHANGES.get((model, name)) or {name: another(field, getattr(row, field.attname))}
    if name.startswith("trigger_"):
        changes = TRIGGERED | changes
    assert model._default_manager.filter(pk=row.pk).update(**changes) == 1


def another(field: Any, value: Any) -> Any:
    """Return a value that the field can have and does not have now."""
    match field:
        case models.ForeignKey():
            makes = {CampaignTemplate: make_template, Sender: make_sender, Topic: _topic}
            return makes[field.related_model]()
        case models.BooleanField():
            return not value
        case models.DateTimeField():
            return timezone.now() + timedelta(days=30)
        case models.TimeField():
            return time(12, 34)
        case models.DecimalField():
            return (value or Decimal(0)) + Decimal(
                "0.003" if field.decimal_places > 2 else "1.5"
            ) * (-1 if value and value >= Decimal("0.9") and value < 1 else 1)
        case models.IntegerField():
            return 17
        case models.JSONField():
            return [{"field": "amount", "operator": ">", "value": 1}]
        case models.CharField() if field.choices:
            return next(key for key, _label in field.flatchoices if key and key != value)
        case models.CharField() | models.TextField():
            return f"{value}x"
        case _:
            return ["x"]


def _topic() -> Topic:
    return Topic.objects.create(slug="other", name="Other")


CHANGED = {
    "audience's segment “Gold”": lambda: Segment.objects.filter(slug="gold").update(kind="static"),
    "audience's filter": lambda: Campaign.objects.update(
        rules={"operator": "AND", "conditions": []}
    ),
    "content's snippet “address”": lambda: Snippet.objects.filter(name="address").update(
        body="Bonn"
    ),
    "content's template “Letter”": lambda: CampaignTemplate.objects.filter(name="Letter").update(
        subject="Act now"
    ),
    "content's variant “C”": lambda: CampaignVariant.objects.create(
        campaign=Campaign.objects.get(), name="C", template=make_template()
    ),
    "content's variant “B”": lambda: CampaignVariant.objects.all().delete(),
    "sender's account “Shop”": lambda: Sender.objects.update(from_address="evil@kindling.example"),
    "policy's frequency cap “More”": lambda: make_cap(name="More"),
    "policy's quiet hours “Night”": lambda: QuietHours.objects.all().delete(),
    "policy's budget": lambda: Campaign.objects.update(budget=1_000_000),
    "schedule's frequency": lambda: Campaign.objects.update(frequency="daily"),
}


def test_a_launch_names_what_has_changed(campaign: Campaign, api: APIClient) -> None:
    def execute() -> None:
        answer = api.post(f"/api/campaigns/{ids.encode('cmp', campaign.pk)}/execute")
        assert answer.status_code == 409
        raise NotApproved(answer.data["detail"])

    def wait_for_its_time() -> None:
        Campaign.objects.update(state="scheduled", next_run_at=timezone.now())
        moves.launch_if_due(campaign.pk)

    starts = (
        lambda: moves.launch(campaign),
        lambda: moves.schedule_launch(campaign, at=campaign.scheduled_at, by=None),
        execute,
        wait_for_its_time,
    )
    for named, make_change in CHANGED.items():
        for start in starts:
            with undone():
                make_change()
                with pytest.raises(
                    NotApproved, match=f"The .*{named}.* changed since .* approved on"
                ):
                    start()
                assert not CampaignRun.objects.exists()


def test_the_server_of_a_sealed_address_is_covered(campaign: Campaign) -> None:
    def use(url: str) -> None:
        sender = campaign.sender
        sender.set_setting("url", url)
        sender.save()

    use("smtp+tls://shop:secret@mail.example.com:587")
    approved_by_another(campaign)
    use("smtp+tls://shop:rotated@mail.example.com:587")
    assert approval.missing(campaign) == ""
    use("smtp+tls://shop:rotated@mail.evil.example:587")
    assert "sender's account “Shop” changed" in approval.missing(campaign)
    use("smtp+tls://other:rotated@mail.example.com:587")
    assert "sender's account “Shop” changed" in approval.missing(campaign)


def test_a_name_that_the_message_contains_is_covered(campaign: Campaign) -> None:
    Snippet.objects.filter(name="address").update(body="{{ campaign.name }}")
    approved_by_another(campaign)
    Campaign.objects.update(name="Free money")
    assert "content's name changed" in approval.missing(campaign)


def approved_by_another(campaign: Campaign) -> Campaign:
    number = User.objects.count()
    approver = User.objects.create_superuser(f"approver{number}@example.com", "open sesame")
    approval.approve(campaign, by=approver)
    campaign.refresh_from_db()
    return campaign


@pytest.mark.parametrize(
    ("tolerance", "more", "refused"), [(10, 2, False), (10, 3, True), (0, 1, True), (50, 10, False)]
)
def test_the_audience_may_differ_within_the_tolerance(
    settings: Settings, staff: User, tolerance: float, more: int, refused: bool
) -> None:
    settings.CAMPAIGN_APPROVAL = True
    settings.CAMPAIGN_APPROVAL_TOLERANCE = tolerance
    customers = [make_customer(email=f"c{number}@example.com") for number in range(20)]
    campaign = approval.approve(make_campaign(), by=staff)
    for number in range(more):
        make_customer(email=f"new{number}@example.com")
    assert ("The audience has" in approval.missing(campaign)) is refused
    assert "20" in approval.missing(campaign) or not refused
    for customer in customers[: more * 2]:
        customer.delete()
    assert ("The audience has" in approval.missing(campaign)) is refused


def test_other_members_of_a_static_segment_void_it(settings: Settings, staff: User) -> None:
    settings.CAMPAIGN_APPROVAL = True
    pks = [make_customer(email=f"c{number}@example.com").pk for number in range(20)]
    chosen = Segment.objects.create(name="Chosen", slug="chosen", kind="static")
    members.add(chosen, pks[:10])
    SegmentMembership.objects.update(entered_at=timezone.now() - timedelta(days=1))
    campaign = approval.approve(make_campaign(segments=[chosen]), by=staff)
    SegmentMembership.objects.filter(customer=pks[0]).delete()
    assert approval.missing(campaign) == ""
    SegmentMembership.objects.all().delete()
    members.add(chosen, pks[10:])
    SegmentMembership.objects.update(entered_at=timezone.now() + timedelta(seconds=1))
    assert "joined its static segments" in approval.missing(campaign)


def test_an_approval_counts_segments_as_they_are_now(settings: Settings, staff: User) -> None:
    settings.CAMPAIGN_APPROVAL = True
    make_customer(email="ada@example.com")
    everybody = Segment.objects.create(name="All", slug="all")
    campaign = approval.approve(make_campaign(segments=[everybody]), by=staff)
    assert campaign.approval["audience"] == 1
    refresh(everybody)
    assert moves.launch(campaign)


def test_an_approved_start_binds_and_an_open_one_does_not(settings: Settings, staff: User) -> None:
    settings.CAMPAIGN_APPROVAL = True
    tomorrow = timezone.now() + timedelta(days=1)
    bound = approval.approve(make_campaign(scheduled_at=tomorrow), by=staff)
    with pytest.raises(NotApproved, match="schedule's start changed"):
        moves.launch(bound)
    with pytest.raises(NotApproved, match="schedule's start changed"):
        moves.schedule_launch(bound, at=tomorrow + timedelta(hours=1), by=None)
    moves.schedule_launch(Campaign.objects.get(pk=bound.pk), at=tomorrow, by=None)
    open_start = approval.approve(make_campaign(), by=staff)
    moves.schedule_launch(open_start, at=tomorrow, by=None)
    assert moves.launch(approval.approve(make_campaign(), by=staff))


def test_a_recurring_campaign_waits_for_a_new_approval(campaign: Campaign) -> None:
    moves.schedule_launch(campaign, at=campaign.scheduled_at, by=None)
    Campaign.objects.update(next_run_at=timezone.now() - timedelta(hours=1))
    Sender.objects.update(provider="simulator")
    moves.launch_overdue()
    assert not CampaignRun.objects.exists()
    approved_by_another(campaign)
    moves.launch_overdue()
    assert CampaignRun.objects.count() == 1


def test_a_change_before_a_worker_collects_the_audience_pauses_the_run(
    settings: Settings, staff: User, staff_client: Client
) -> None:
    settings.CAMPAIGN_APPROVAL = True
    make_customer(email="ada@example.com", city="Bonn")
    berlin = {"field": "city", "operator": "=", "value": "Berlin"}
    segment = Segment.objects.create(
        name="Berlin", slug="berlin", rules={"operator": "AND", "conditions": [berlin]}
    )
    campaign = approval.approve(make_campaign(segments=[segment]), by=staff)
    run = moves.launch(campaign)
    Segment.objects.update(rules={"operator": "AND", "conditions": []})
    assert not runs.fill(run)
    run.refresh_from_db()
    assert (run.state, run.pause_reason, run.executions.count()) == ("paused", "approval", 0)
    approved_by_another(campaign)
    assert campaign.state == "paused"
    moves.resume(campaign)
    assert not runs.fill(CampaignRun.objects.get())
    assert run.executions.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_changed_triggered_campaign_is_paused_with_the_reason(
    settings: Settings, staff: User, staff_client: Client
) -> None:
    settings.CAMPAIGN_APPROVAL = True
    ada = make_customer(email="ada@example.com")
    campaign = make_campaign(rules=None, type="triggered", trigger_event="page_viewed")
    moves.launch(approval.approve(campaign, by=staff))
    make_cap(name="New cap", messages=50)
    view_page(ada)
    campaign.refresh_from_db()
    run = campaign.runs.get()
    assert (campaign.state, run.pause_reason, run.executions.count()) == ("paused", "approval", 0)
    assert "policy's frequency cap “New cap” changed" in run.error
    page = staff_client.get(reverse("admin:marketing_campaign_change", args=[campaign.pk]))
    assert "New cap” changed" in page.content.decode()
    with pytest.raises(NotApproved):
        moves.resume(campaign)
    approved_by_another(campaign)
    moves.resume(campaign)
    view_page(ada)
    assert campaign.runs.get().executions.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_running_trigger_without_an_approval_pauses(settings: Settings) -> None:
    """It was launched before approvals were required."""
    ada = make_customer(email="ada@example.com")
    campaign = make_campaign(rules=None, type="triggered", trigger_event="page_viewed")
    moves.launch(campaign)
    settings.CAMPAIGN_APPROVAL = True
    view_page(ada)
    campaign.refresh_from_db()
    run = campaign.runs.get()
    assert (campaign.state, run.pause_reason, run.executions.count()) == ("paused", "approval", 0)
    assert "needs the approval of a user" in run.error


def view_page(customer: Customer) -> None:
    record_interactions([NewInteraction(customer.pk, "page_viewed", timezone.now())])
    reader.drain_all()


def test_an_approver_approves_what_they_saw(
    campaign: Campaign, staff_client: Client, api: APIClient
) -> None:
    url = f"/api/campaigns/{ids.encode('cmp', campaign.pk)}"
    seen = api.post(f"{url}/execute", {"dry_run": True}, format="json").data["fingerprint"]
    approve = reverse("admin:marketing_campaign_approve", args=[campaign.pk])
    page = staff_client.get(approve).content.decode()
    assert f'name="seen" value="{seen}"' in page
    Snippet.objects.filter(name="address").update(body="Bonn")
    refused = staff_client.post(approve, {"confirmed": "yes", "seen": seen}, follow=True)
    assert "has changed since you opened it" in refused.content.decode()
    assert api.post(f"{url}/approve", {"fingerprint": seen}, format="json").status_code == 409
    assert approval.missing(Campaign.objects.get()) != ""
    assert api.post(f"{url}/approve", format="json").status_code == 200


def test_an_editor_of_any_covered_object_cannot_approve(
    campaign: Campaign, api: APIClient, staff: User
) -> None:
    template = f"/api/templates/{ids.encode('tpl', campaign.template_id)}"
    assert approval.may_approve(campaign, staff)
    assert api.patch(template, {"subject": "Mine"}, format="json").status_code == 200
    with pytest.raises(PermissionDenied, match="ask another user"):
        approval.approve(campaign, by=staff)
    approved_by_another(campaign)
    assert approval.may_approve(campaign, staff)


def test_an_approver_who_changed_a_static_segment_cannot_approve(
    settings: Settings, staff: User, api: APIClient, staff_client: Client
) -> None:
    settings.CAMPAIGN_APPROVAL = True
    ada = make_customer(email="ada@example.com")
    chosen = Segment.objects.create(name="Chosen", slug="chosen", kind="static")
    by_api, by_admin = make_campaign(segments=[chosen]), make_campaign(segments=[chosen])
    names = {"customers": [ids.encode("cus", ada.pk)]}
    assert api.post("/api/segments/chosen/customers", names, format="json").data["changed"] == 1
    assert not approval.may_approve(by_api, staff)
    approved_by_another(by_admin)
    assert approval.may_approve(by_admin, staff)
    action = {"action": "remove_from_segment", "_selected_action": [ada.pk], "confirmed": "yes"}
    staff_client.post(
        reverse("admin:customers_customer_changelist"), {**action, "segment": chosen.pk}
    )
    assert not SegmentMembership.objects.exists()
    assert not approval.may_approve(by_admin, staff)


def test_edits_by_two_users_leave_the_approval_to_a_third(
    campaign: Campaign, api: APIClient, staff: User
) -> None:
    url = f"/api/campaigns/{ids.encode('cmp', campaign.pk)}"
    assert api.patch(url, {"budget": "100.00"}, format="json").status_code == 200
    approval.note_change(campaign, by=User.objects.create_superuser("b@example.com", "open sesame"))
    assert not approval.may_approve(Campaign.objects.get(), staff)


@pytest.mark.django_db(transaction=True)
def test_an_edit_during_an_approval_voids_it_or_is_approved(
    settings: Settings, staff: User
) -> None:
    """Of an edit and an approval at once, the last one decides; an unseen edit is never approved."""
    settings.CAMPAIGN_APPROVAL = True
    editor = User.objects.create_superuser("editor@example.com", "open sesame")
    for budget in range(1, 9):
        campaign = make_campaign(created_by=editor)
        seen = approval.overall_fingerprint(campaign)
        ready = Barrier(2)

        def approve(pk: int = campaign.pk, seen: str = seen, ready: Barrier = ready) -> None:
            ready.wait()
            with suppress(NotApproved):
                approval.approve(Campaign.objects.get(pk=pk), by=staff, seen=seen)

        def edit(pk: int = campaign.pk, budget: int = budget, ready: Barrier = ready) -> None:
            ready.wait()
            with transaction.atomic():
                edited = Campaign.objects.get(pk=pk)
                edited.budget = budget
                edited.save(update_fields=["budget"])
                approval.note_change(edited, by=editor)

        run_at_once(approve, edit)
        with pytest.raises(NotApproved):
            moves.launch(Campaign.objects.get(pk=campaign.pk))


def run_at_once(*works: Callable[[], None]) -> None:
    def closed(work: Callable[[], None]) -> None:
        try:
            work()
        finally:
            connection.close()

    threads = [Thread(target=closed, args=[work]) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
