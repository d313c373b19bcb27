"""An opt-out holds at every door by which data or people come in; only a later decision of the person ends it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient
from twilio.request_validator import RequestValidator

from crm import jobs
from crm.api import ids
from customers import consent, push
from customers.identity import merge, undo
from customers.ingest import clean_customer, upsert_customers
from customers.models import Consent, Customer, ImportJob, Segment, Suppression, WriteKey
from customers.tracking_api import keys
from marketing.campaigns.audience import dry_run
from marketing.content.tokens import Purpose, make_token
from marketing.models import CampaignExecution
from marketing.tracking import double_opt_in
from tests.customers.test_collect import Source
from tests.factories.customers import make_customer
from tests.factories.marketing import make_campaign, make_execution, make_run, make_sender
from tests.factories.workflows import define, enroll, make_workflow

pytestmark = pytest.mark.django_db

UNA, PHONE = "una@example.com", "+4915112345678"
OPT_INS = {"subscribed": True, "consent": "email, sms"}
TRAITS = {
    "email": UNA,
    "phone": PHONE,
    "emailOptIn": True,
    "email_opt_out": False,
    "smsOptOut": False,
    "unsubscribed": False,
    "accepts_marketing": True,
}


@dataclass
class World:
    una: Customer
    message: CampaignExecution
    old_link: str
    api: APIClient
    admin: Client
    folder: Path

    @property
    def path(self) -> str:
        return f"/api/customers/{ids.encode('cus', self.una.pk)}"

    @property
    def preferences(self) -> str:
        return f"/u/{make_token(Purpose.UNSUBSCRIBE, self.message.pk)}/"

    def call(self, kind: WriteKey.Kind, call: str, **body: Any) -> None:
        source = Source(keys.issue_key("shop", kind)[1])
        assert source.post(call, body).status_code == 200

    def job(self, text: str) -> tuple[str, ImportJob]:
        file = SimpleUploadedFile("people.csv", text.encode())
        job = ImportJob.objects.create(kind="customers", name="people.csv", file=file)
        return reverse("admin:customers_importjob_mapping", args=[job.pk]), job


@pytest.fixture
def world(api: APIClient, staff_client: Client, settings: Settings, tmp_path: Path) -> World:
    settings.MEDIA_ROOT = tmp_path / "media"
    una = make_customer(email=UNA, phone=PHONE, external_id="u-1")
    consent.ask_many([una.pk], "email", "a form")
    una.refresh_from_db()
    old_link = double_opt_in.confirmation_url(Consent.objects.get()).partition("/u/")[2]
    consent.opt_in(una.pk, "email", "another form")
    message = make_execution(make_run(), una, state="sent")
    for channel, address in (("email", UNA), ("sms", PHONE)):
        consent.opt_out_addresses(channel, [address], "link", customer_ids=[una.pk])
    return World(una, message, f"/u/{old_link}", api, staff_client, tmp_path)


def form_of_the_admin(world: World) -> None:
    for email in ("other@example.com", UNA):
        url = reverse("admin:customers_customer_change", args=[world.una.pk])
        form = world.admin.get(f"{url}?edit=1").context["adminform"].form
        given = {
            name: "" if (value := form[name].value()) is None else value for name in form.fields
        }
        answer = world.admin.post(url, {**given, "tags": "subscribed", "email": email})
        assert answer.status_code == 302, answer.context["adminform"].form.errors


def new_record_by_the_form(world: World) -> None:
    Customer.objects.filter(pk=world.una.pk).delete()
    url = reverse("admin:customers_customer_add")
    given = {"email": UNA, "phone": PHONE, "lifecycle_status": "lead", "attributes": "{}"}
    assert world.admin.post(url, given).status_code == 302


def bulk_actions(world: World) -> None:
    url = reverse("admin:customers_customer_changelist")
    segment = Segment.objects.create(name="Newsletter", slug="newsletter", kind="static")
    for action, given in (
        ("add_tags", {"tags": "subscribed, opted in"}),
        ("remove_tags", {"tags": "unsubscribed"}),
        ("add_to_segment", {"segment": segment.pk}),
    ):
        chosen = {"action": action, "_selected_action": [world.una.pk], "confirmed": "yes"}
        assert world.admin.post(url, {**chosen, **given}).status_code == 302


def preference_page(world: World) -> None:
    for ask in (world.admin.get, world.admin.head):
        assert ask(world.preferences).status_code == 200
    for given in ({"resume": "1"}, {"save": "1", "pause": "30"}, {"List-Unsubscribe": "One-Click"}):
        assert world.admin.post(world.preferences, given).status_code == 200


def confirmation_of_an_old_link(world: World) -> None:
    assert world.admin.get(world.old_link).status_code == 404
    assert world.admin.post(world.old_link).status_code == 404


def confirmation_by_another_address(world: World) -> None:
    """Confirm a link that was sent to an address which the customer no longer has."""
    other = make_customer(email="other@example.com", external_id="u-2")
    consent.ask_many([other.pk], "email", "a form")
    request = Consent.objects.get(customer=other)
    path = double_opt_in.confirmation_url(request).partition("/u/")[2]
    Customer.objects.filter(pk=world.una.pk).delete()
    Customer.objects.filter(pk=other.pk).update(email=UNA)
    assert world.admin.post(f"/u/{path}").status_code == 404


def older_consent_by_command(world: World) -> None:
    path = world.folder / "people.csv"
    path.write_text(f"email,phone,accepts_marketing,accepts_sms\n{UNA},{PHONE},yes,yes\n")
    given = ("--new-consent", "cards of the fair", "--given-at", "2025-01-31")
    call_command("import_file", "customers", str(path), *given, stdout=StringIO())


def older_consent_by_the_admin(world: World) -> None:
    url, job = world.job(f"email,accepts_marketing\n{UNA},yes\n")
    columns = {"column_0": "email", "column_1": "subscribed"}
    evidence = {"consent_evidence": "cards of the fair"}
    assert world.admin.post(url, columns | evidence).status_code == 200
    for answers in ({}, evidence | {"consent_given_at": "2025-01-31"}):
        url, job = world.job(f"email,accepts_marketing\n{UNA},yes\n")
        assert world.admin.post(url, columns | answers).status_code == 302
        jobs.run(job)


def older_consent_by_the_api(world: World) -> None:
    for more in ({}, {"consent_evidence": "cards", "consent_given_at": "2025-01-31"}):
        file = SimpleUploadedFile("people.csv", f"email,accepts_marketing\n{UNA},yes\n".encode())
        answer = world.api.post(
            "/api/imports", {"kind": "customers", "file": file, **more}, format="multipart"
        )
        assert answer.status_code == 202, answer.data
        jobs.run(ImportJob.objects.latest("pk"))


def merge_into_another(world: World) -> None:
    other = make_customer(email="other@example.com", external_id="u-2")
    consent.opt_in(other.pk, "email", "a form")
    merge(other.pk, world.una.pk, chosen=["email", "phone"])


def merge_of_another(world: World) -> None:
    other = make_customer(email="other@example.com", external_id="u-2", phone=PHONE)
    for channel in ("email", "sms"):
        consent.opt_in(other.pk, channel, "a form")
    consent.opt_out_addresses("sms", [PHONE], "Replied STOP")
    undo(merge(world.una.pk, other.pk).pk)
    Customer.objects.filter(pk=other.pk).delete()


def calls_by_a_server(world: World) -> None:
    server = WriteKey.Kind.SERVER
    world.call(server, "identify", userId="u-1", traits=TRAITS)
    world.call(server, "identify", anonymousId="a-1", traits=TRAITS)
    world.call(server, "track", userId="u-1", event="Email Subscribed", properties=TRAITS)
    world.call(server, "track", userId="u-1", event="Signed Up", context={"traits": TRAITS})
    world.call(server, "page", userId="u-1", name="Subscribe", properties=TRAITS)
    world.call(server, "group", userId="u-1", groupId="newsletter", traits=TRAITS)
    world.call(server, "alias", userId="u-1", previousId="a-1")
    batch = [{"type": "identify", "userId": "u-1", "traits": {**TRAITS, "subscribed": True}}]
    world.call(server, "batch", batch=batch)


def calls_by_a_browser(world: World) -> None:
    browser = WriteKey.Kind.BROWSER
    world.call(browser, "identify", userId="u-1", traits=TRAITS)
    world.call(browser, "track", anonymousId="a-2", event="Subscribed", properties=TRAITS)
    world.call(browser, "identify", anonymousId="a-2", traits=TRAITS)


def calls_of_the_api(world: World) -> None:
    api = world.api
    assert api.patch(world.path, {**OPT_INS, "phone": PHONE}).data["opt_out_kept"] is True
    assert api.patch(world.path, {"email": None}).status_code == 200
    assert api.patch(world.path, {"email": UNA, "subscribed": True}).data["opt_out_kept"] is True
    assert api.post("/api/customers", {"email": UNA, **OPT_INS}).data["opt_out_kept"] is True
    batch = [{"external_id": "u-1", **OPT_INS}, {"email": UNA, "email_opt_out": False}]
    results = api.post("/api/customers/batch", {"customers": batch}).data["results"]
    assert results[0]["opt_out_kept"] is True
    consents = f"{world.path}/consents"
    for channel in ("email", "sms"):
        opt_in = {"channel": channel, "decision": "opted_in", "evidence": "nightly"}
        assert api.post(consents, opt_in).status_code == 409
        old = {**opt_in, "new_consent": True, "given_at": "2025-01-31T00:00:00Z"}
        assert api.post(consents, old).status_code == 409
    asked = {"channel": "email", "decision": "opted_in", "double_opt_in": True}
    assert api.post(consents, asked).status_code == 201


def opt_in_in_the_past(world: World) -> None:
    """Report an opt-in from before the opt-out afterwards."""
    before = timezone.now() - timedelta(days=30)
    consent.opt_in_many([world.una.pk], "email", "a form", at=before)
    consent.opt_in_addresses("sms", [PHONE], "Replied START", at=before)
    again = make_customer(email=None, external_id="u-9", phone=PHONE)
    consent.hold_opt_outs([again.pk])
    again.refresh_from_db()
    assert again.opted_out_channels == ["sms"]
    again.delete()


def steps_of_a_workflow(world: World) -> None:
    Segment.objects.create(name="Newsletter", slug="newsletter", kind="static")
    update = {
        "type": "update",
        "attributes": {"subscribed": True, "opted_out_channels": "", "email_opt_out": False},
        "add_tags": ["subscribed"],
        "next": "list",
    }
    steps = {"update": update, "list": {"type": "list", "segment": "newsletter"}}
    enroll(make_workflow(define(steps)), world.una)
    assert Segment.objects.get().members.filter(pk=world.una.pk).exists()


def subscription_to_push(world: World) -> None:
    push.subscribe(
        world.una, endpoint="https://push.example.com/1", p256dh="BA" + "A" * 85, auth="A" * 22,
        application_key="k",
    )  # fmt: skip


def end_of_a_suppression(world: World) -> None:
    found = Suppression.objects.create(channel="email", address=UNA)
    assert world.api.delete(f"/api/suppressions/{ids.encode('sup', found.pk)}").status_code == 204


def reply_for_another_channel(world: World) -> None:
    assert reply_by_text("START", "whatsapp", sender=PHONE) == 200
    assert reply_by_text("Yes please tell me more", "sms", sender=PHONE) == 200
    assert reply_by_text("START", "sms", sender="+4915112345679") == 200


def second_record_with_the_address(world: World) -> None:
    rows = [{"external_id": "u-3", "phone": PHONE, **OPT_INS}]
    upsert_customers([clean_customer(row) for row in rows], evidence="import: nightly.csv")
    Customer.objects.get(external_id="u-3", opted_out_channels__contains=["sms"]).delete()


DOORS: list[Callable[[World], None]] = [
    *(form_of_the_admin, new_record_by_the_form, bulk_actions, preference_page),
    *(confirmation_of_an_old_link, confirmation_by_another_address),
    *(older_consent_by_command, older_consent_by_the_admin, older_consent_by_the_api),
    *(merge_into_another, merge_of_another, calls_by_a_server, calls_by_a_browser),
    *(calls_of_the_api, opt_in_in_the_past, steps_of_a_workflow, subscription_to_push),
    *(end_of_a_suppression, reply_for_another_channel, second_record_with_the_address),
]


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)
def test_an_opt_out_holds_at(door: Callable[[World], None], world: World) -> None:
    door(world)
    una = Customer.objects.get(email=UNA)
    assert {"email"} <= set(una.opted_out_channels)
    assert una.phone != PHONE or "sms" in una.opted_out_channels
    assert dry_run(make_campaign()).reachable == Customer.objects.exclude(pk=una.pk).count()


def reply_by_text(text: str, channel: str, *, sender: str) -> int:
    """Post a reply as Twilio does (https://www.twilio.com/docs/messaging/guides/webhook-request)."""
    account = make_sender(provider="twilio", channel=channel, from_address="+15005550006")
    for name, value in {"account_sid": "AC1", "auth_token": "t0ken", "content_sid": "HX1"}.items():
        account.set_setting(name, value)
    account.save()
    prefix = "whatsapp:" if channel == "whatsapp" else ""
    form = {"From": prefix + sender, "To": "+15005550006", "Body": text, "MessageSid": f"SM{account.pk}"}  # fmt: skip
    path = f"/hooks/twilio/{account.public_id}/"
    signature = RequestValidator("t0ken").compute_signature(f"{account.receipts_url}", form)
    answer = Client().post(path, form, headers={"X-Twilio-Signature": signature})
    return answer.status_code


def opt_in_by_preference_page(world: World) -> None:
    world.admin.post(world.preferences, {"subscribe": "1"})


def wishes_by_preference_page(world: World) -> None:
    world.admin.post(world.preferences, {"save": "1", "want": ["email", "whatsapp"]})


def confirmation_of_a_new_link(world: World) -> None:
    body = {"channel": "email", "decision": "opted_in", "double_opt_in": True, "evidence": "form"}
    assert world.api.post(f"{world.path}/consents", body).status_code == 201
    request = Consent.objects.select_related("customer").latest("pk")
    path = double_opt_in.confirmation_url(request).partition("/u/")[2]
    assert world.admin.post(f"/u/{path}").status_code == 200


def new_consent_by_the_api(world: World) -> None:
    body = {"channel": "email", "decision": "opted_in", "new_consent": True, "evidence": "card"}
    assert world.api.post(f"{world.path}/consents", body).status_code == 201


def new_consent_by_the_admin(world: World) -> None:
    Consent.objects.update(decided_at="2024-01-01T00:00Z")
    url, job = world.job(f"email,accepts_marketing\n{UNA},yes\n")
    columns = {"column_0": "email", "column_1": "subscribed"}
    evidence = {"consent_evidence": "cards of the fair", "consent_given_at": "2025-01-31"}
    assert world.admin.post(url, columns | evidence).status_code == 302
    jobs.run(job)


@pytest.mark.parametrize(
    "decision",
    [
        opt_in_by_preference_page,
        wishes_by_preference_page,
        confirmation_of_a_new_link,
        new_consent_by_the_api,
        new_consent_by_the_admin,
    ],
    ids=lambda decision: decision.__name__,
)
def test_a_later_decision_ends_the_opt_out(decision: Callable[[World], None], world: World) -> None:
    decision(world)
    assert Customer.objects.get(email=UNA).opted_out_channels == ["sms"]


def test_a_reply_ends_the_opt_out_of_the_number(world: World) -> None:
    assert reply_by_text("Start", "sms", sender=PHONE) == 200
    assert Customer.objects.get(email=UNA).opted_out_channels == ["email"]


@pytest.mark.parametrize("opted_out_first", [True, False])
@pytest.mark.parametrize("opted_out_survives", [True, False])
def test_a_source_does_not_correct_itself_in_a_merge(
    *, opted_out_first: bool, opted_out_survives: bool
) -> None:
    """About two records it said yes and no, and neither is a decision with a date."""
    wishes = {"u-1": "no", "u-2": "yes"}
    order = list(wishes) if opted_out_first else list(reversed(wishes))
    for name in order:
        row = clean_customer({"external_id": name, "subscribed": wishes[name]})
        upsert_customers([row], evidence="import: people.csv")
    out, kept = (Customer.objects.get(external_id=name) for name in wishes)
    one, other = (out, kept) if opted_out_survives else (kept, out)

    done = merge(one.pk, other.pk)
    one.refresh_from_db()
    assert one.opted_out_channels == ["email"]

    undo(done.pk)
    closed = Customer.objects.order_by("external_id").values_list("opted_out_channels", flat=True)
    assert list(closed) == [["email"], []]
