"""The audit trail records edits, actions, exports and sign-ins of users, and no reported facts."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.core.mail import EmailMessage
from django.db import ProgrammingError, connection, transaction
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import resolve, reverse
from django.utils import timezone
from pytest_django import Settings
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework.test import APIClient

from crm.accounts import audit, tokens
from crm.accounts.audit import AuditMiddleware
from crm.accounts.models import AuditEntry, User
from crm.api import ids
from crm.roles import Role
from customers.ingest import clean_customer, upsert_customers
from customers.models import Segment
from customers.privacy import retention
from tests.crm import endpoints
from tests.crm.test_rights_in_admin import PAGES
from tests.factories.accounts import in_role
from tests.factories.customers import make_customer
from tests.factories.marketing import make_campaign, make_sender

pytestmark = pytest.mark.django_db


def test_an_edit_is_recorded_with_before_and_after(staff: User) -> None:
    client = api_of(staff)
    made = client.post("/api/topics", {"slug": "news", "name": "News"}, format="json")
    assert made.status_code == 201
    client.patch("/api/topics/news", {"name": "Offers"}, format="json")
    entry = AuditEntry.objects.get(kind="customers.topic", action="changed")
    assert entry.changes == {"name": ["News", "Offers"]}
    assert (entry.actor, entry.actor_id) == (staff.email, staff.pk)
    assert entry.via.startswith("API token kdl_")


def test_personal_data_and_secrets_are_recorded_without_values(staff_client: Client) -> None:
    customer = make_customer(email="ada@example.com", first_name="Ada")
    page = reverse("admin:customers_customer_change", args=[customer.pk])
    form = staff_client.get(page).context["adminform"].form
    given = {name: form.initial.get(name) or "" for name in form.fields}
    given |= {"first_name": "Augusta", "attributes": "{}", "tags": "", "lifecycle_status": "lead"}
    given |= {"registered_at_0": "", "registered_at_1": ""}
    assert staff_client.post(page, given).status_code == 302
    entry = AuditEntry.objects.get(kind="customers.customer")
    assert entry.changes["first_name"] == ["•••", "•••"]
    assert "Augusta" not in str(AuditEntry.objects.values_list())
    assert "ada@" not in str(AuditEntry.objects.values_list())


def test_granted_roles_are_recorded(staff_client: Client) -> None:
    user = User.objects.create_user("new@example.com", "a long enough secret")
    support = Group.objects.get(name=Role.SUPPORT)
    page = reverse("admin:accounts_user_change", args=[user.pk])
    given = {"email": user.email, "is_active": "on", "is_staff": "on", "groups": [support.pk]}
    assert staff_client.post(page, given).status_code == 302
    changes = [entry.changes for entry in AuditEntry.objects.filter(kind="accounts.user")]
    assert {"groups": [None, ["Support"]]} in changes
    assert any(each.get("is_staff") == [False, True] for each in changes)


def test_sign_ins_and_failed_sign_ins_are_recorded(client: Client, staff: User) -> None:
    page = reverse("account_login")
    client.post(page, {"login": staff.email, "password": "wrong"})
    client.post(page, {"login": staff.email, "password": "open sesame"})
    client.post(reverse("account_logout"))
    actions = list(AuditEntry.objects.order_by("id").values_list("action", flat=True))
    assert actions[0] == "sign-in refused"
    assert {"signed in", "signed out"} <= {*actions}


def test_actions_and_exports_are_recorded(staff_client: Client) -> None:
    staff_client.get("/api/segments?format=csv")
    customer = make_customer()
    staff_client.get(reverse("admin:customers_customer_export_data", args=[customer.pk]))
    public = ids.encode("cus", customer.pk)
    assert staff_client.post(f"/api/customers/{public}/erase").status_code == 200
    actions = [*AuditEntry.objects.values_list("action", "object_id")]
    assert ("POST customer-erase", public) in actions
    assert ("GET segment-list", "") in actions
    assert ("GET customers_customer_export_data", str(customer.pk)) in actions


def test_reported_facts_write_no_entry(staff: User) -> None:
    client = api_of(staff)
    ada = make_customer(email="ada@example.com")
    order = {"id": "o-1", "customer_id": ids.encode("cus", ada.pk), "amount": "5.00"}
    assert client.post("/api/orders", order, format="json").status_code == 201
    event = {"type": "loyalty.joined"}
    assert client.post("/api/events/publish", event, format="json").status_code == 201
    upsert_customers([clean_customer({"email": "bob@example.com"})], evidence="test")
    make_sender()
    assert not entries()


def test_a_batch_of_customers_is_one_entry_with_its_ids(staff: User) -> None:
    batch = {"customers": [{"email": f"c{number}@example.com"} for number in range(30)]}
    answer = api_of(staff).post("/api/customers/batch", batch, format="json")
    entry = AuditEntry.objects.get(action="POST customer-batch")
    assert entry.changes["written"] == [None, 30]
    assert entry.changes["ids"] == [None, [each["id"] for each in answer.data["results"]]]
    assert AuditEntry.objects.exclude(action="issued API token").count() == 1
    assert "@example.com" not in str(entry.changes)


def test_a_queued_batch_names_its_import(staff: User) -> None:
    batch = {"customers": [{"email": "ada@example.com"}, {"email": "bob@example.com"}]}
    answer = api_of(staff).post("/api/customers/batch?mode=async", batch, format="json")
    assert answer.status_code == 202
    entry = AuditEntry.objects.get(action="POST customer-batch")
    assert (entry.object_id, entry.changes) == (answer.data["id"], {"queued": [None, 2]})


def test_edits_of_a_customer_and_consents_name_the_customer(staff: User) -> None:
    ada = make_customer(email="ada@example.com", external_id="c-1")
    client, public = api_of(staff), ids.encode("cus", ada.pk)
    consent = {"channel": "email", "decision": "opted_in", "evidence": "form"}
    for path in ("c-1", public):
        assert (
            client.patch(f"/api/customers/{path}", {"city": "Bonn"}, format="json").status_code
            == 200
        )
        assert (
            client.post(f"/api/customers/{path}/consents", consent, format="json").status_code
            == 201
        )
    assert (
        client.post(
            "/api/customers", {"external_id": "c-1", "city": "Ulm"}, format="json"
        ).status_code
        == 200
    )
    assert client.delete(f"/api/customers/{public}").status_code == 204
    assert {
        entry.object_id for entry in AuditEntry.objects.filter(action__contains="customer-")
    } == {public}
    decision = AuditEntry.objects.filter(action="POST customer-consents").first()
    assert decision
    assert decision.changes["decision"] == [None, "opted_in"]
    changed = AuditEntry.objects.filter(action="PATCH customer-detail").first()
    assert changed
    assert changed.changes["fields"] == [None, ["city"]]


EXPORTS = (
    {"path": "/api/segments?format=csv"},
    {"path": "/api/segments?format=jsonl"},
    {"path": "/api/segments?%66ormat=csv"},
    {"path": "/api/segments?f%6Frmat=%63sv&x"},
    {"path": "/api/segments", "HTTP_ACCEPT": "text/csv"},
    {"path": "/api/segments", "HTTP_ACCEPT": "application/jsonl, */*;q=0.1"},
)


@pytest.mark.parametrize("export", EXPORTS, ids=str)
def test_every_file_of_rows_is_recorded(staff_client: Client, export: dict[str, str]) -> None:
    path = export["path"].removesuffix("&x")
    response = staff_client.get(path, **{name: export[name] for name in export if name != "path"})
    assert response.status_code == 200
    assert response["Content-Disposition"].startswith("attachment")
    assert [entry.action.partition(" ")[0] for entry in entries()] == ["GET"]


def test_a_list_that_is_no_file_is_not_recorded(staff_client: Client) -> None:
    staff_client.get("/api/segments")
    staff_client.get("/api/segments?format=json")
    staff_client.get(reverse("admin:customers_segment_changelist"))
    assert not entries()


def test_exports_of_the_admin_are_recorded(staff_client: Client) -> None:
    customer = make_customer(email="ada@example.com")
    changelist = reverse("admin:customers_customer_changelist")
    for action in ("remove_from_segment", "export_csv", "export_xlsx"):
        staff_client.post(changelist, {"action": action, "_selected_action": [customer.pk]})
    staff_client.get(reverse("admin:customers_suppression_export_csv"))
    staff_client.get(reverse("admin:customers_customer_export_data", args=[customer.pk]))
    assert [entry.action for entry in entries()] == [
        "POST customers_customer_changelist: export_csv",
        "POST customers_customer_changelist: export_xlsx",
        "GET customers_suppression_export_csv",
        "GET customers_customer_export_data",
    ]


def test_previews_leave_no_entry(staff_client: Client, staff: User) -> None:
    rules = {"operator": "AND", "conditions": []}
    Segment.objects.create(name="All", slug="all", rules=rules)
    make_customer(email="ada@example.com")
    campaign = make_campaign(segments=[Segment.objects.get()])
    template = f"/api/templates/{ids.encode('tpl', campaign.template_id)}"
    client = api_of(staff)
    for path, body in {
        f"/api/campaigns/{ids.encode('cmp', campaign.pk)}/execute": {"dry_run": True},
        "/api/customers/preview": {"rules": rules},
        "/api/ai/segment-from-text": {"description": "customers in Berlin"},
        f"{template}/preview": {},
        f"{template}/check-links": {},
    }.items():
        assert client.post(path, body, format="json").status_code == 200, path
    staff_client.get("/api/customers/preview", {"rules": json.dumps(rules)})
    send_now = reverse("admin:marketing_campaign_send_now", args=[campaign.pk])
    assert staff_client.get(send_now).status_code == 200
    assert staff_client.post(send_now).status_code == 200
    preview = reverse("admin:customers_segment_preview")
    assert staff_client.post(preview, {"rules": json.dumps(rules)}).status_code == 200
    broken = {"name": "", "slug": ""}
    assert staff_client.post(reverse("admin:customers_segment_add"), broken).status_code == 200
    assert not entries()


FACTS = {
    "/api/campaign-responses/": "responses that another system counted",
    "/api/events/publish/": "events",
    "/api/interests/": "interests that a program derives",
    "/api/interests/batch/": "interests that a program derives",
    "/api/orders/": "orders of a shop",
    "/api/orders/batch/": "orders of a shop",
    "/api/service-interactions/": "tickets of a help desk",
    "/api/service-interactions/batch/": "tickets of a help desk",
    "/api/visits/": "visits",
    "/api/visits/batch/": "visits",
}
"""Endpoints that programs report facts to, without an entry for each."""


def test_success_at_every_unsafe_endpoint_leaves_an_entry(
    monkeypatch: pytest.MonkeyPatch, staff_client: Client
) -> None:
    """Each view's own work is replaced by a success; route, sign-in, rights and middleware are real."""
    methods, sign_in = {"POST", "PUT", "PATCH", "DELETE"}, endpoints.PUBLIC
    unsafe = [
        each for each in endpoints.every() if each.method in methods and each.key not in sign_in
    ]
    assert len(unsafe) > 90
    silent = []
    for endpoint in unsafe:
        with monkeypatch.context() as patched, transaction.atomic():
            patched.setattr(endpoint.view, endpoint.action, _succeed)
            patched.setattr(endpoint.view, "permission_classes", [IsAuthenticated])
            before = AuditEntry.objects.count()
            response = staff_client.generic(endpoint.method, endpoint.url, "{}", "application/json")
            assert response.status_code == 299, endpoint
            if AuditEntry.objects.count() == before:
                silent.append(endpoint.path)
    assert {*silent} == {*FACTS}


def _succeed(*_args: object, **_kwargs: object) -> Response:
    return Response({}, status=299)


def test_every_action_of_the_admin_leaves_an_entry(staff: User, staff_client: Client) -> None:
    request = RequestFactory().get("/")
    request.user = staff
    tried = 0
    for model, model_admin in admin.site._registry.items():
        changelist = reverse(f"admin:{model._meta.label_lower.replace('.', '_')}_changelist")
        for action in model_admin.get_actions(request):
            before = AuditEntry.objects.count()
            given = {
                "action": action,
                "_selected_action": ["987654"],
                "confirmed": "yes",
                "post": "yes",
            }
            response = staff_client.post(changelist, given)
            assert response.status_code in {200, 302}, (changelist, action)
            if response.status_code == 302:
                tried += 1
                assert AuditEntry.objects.count() > before, (changelist, action)
    assert tried > 5


def test_every_page_of_the_admin_leaves_an_entry_for_a_post(staff: User) -> None:
    for page in PAGES:
        request = RequestFactory().post(page.url)
        request.user = staff

        def get_response(request: HttpRequest) -> HttpResponse:
            request.resolver_match = resolve(request.path)
            return HttpResponse(status=302)

        before = AuditEntry.objects.count()
        AuditMiddleware(get_response)(request)
        assert AuditEntry.objects.count() == before + 1, page


def test_tokens_and_write_keys_are_recorded(
    client: Client, staff: User, staff_client: Client
) -> None:
    credentials = {"email": staff.email, "password": "open sesame"}
    answer = client.post("/api/auth/token", credentials, content_type="application/json")
    assert answer.status_code == 201
    issued = AuditEntry.objects.get(action="issued API token")
    assert (issued.actor, issued.changes["scopes"]) == (staff.email, [None, ["read", "write"]])
    headers = {"authorization": f"Bearer {answer.json()['token']}"}
    assert client.delete("/api/auth/token", headers=headers).status_code == 204
    assert AuditEntry.objects.filter(kind="accounts.apitoken", action="deleted").exists()
    token = {
        "name": "CI",
        "scopes": ["read"],
        "expires_at_0": "2027-01-01",
        "expires_at_1": "00:00",
    }
    assert staff_client.post(reverse("admin:accounts_apitoken_add"), token).status_code == 302
    given = {"name": "Shop", "kind": "server"}
    assert staff_client.post(reverse("admin:customers_writekey_add"), given).status_code == 302
    made = AuditEntry.objects.filter(action="created").values_list("kind", flat=True)
    assert {"accounts.apitoken", "customers.writekey"} <= {*made}
    assert answer.json()["token"] not in str(AuditEntry.objects.values_list())


def test_changes_of_an_account_are_recorded(client: Client, staff: User) -> None:
    client.force_login(staff)
    client.post(reverse("account_email"), {"action_add": "", "email": "new@example.com"})
    client.post(
        reverse("account_change_password"),
        {
            "oldpassword": "open sesame",
            "password1": "a long enough one",
            "password2": "a long enough one",
        },
    )
    actions = [entry.action for entry in entries()]
    assert "added e-mail address" in actions
    assert "changed password" in actions
    address = staff.emailaddress_set.get(email="new@example.com")
    address.verified = True
    address.save()
    client.post(reverse("account_email"), {"action_primary": "", "email": "new@example.com"})
    changed = AuditEntry.objects.get(action="changed e-mail address")
    assert changed.changes == {"email": [staff.email, "new@example.com"]}
    assert (changed.actor_id, changed.via) == (staff.pk, "sign-in page")
    client.post(reverse("sessions_end_everywhere"))
    assert AuditEntry.objects.filter(action="ended all sessions").exists()


def test_a_password_reset_by_mail_is_recorded(
    client: Client, staff: User, mailoutbox: list[EmailMessage]
) -> None:
    client.post(reverse("account_reset_password"), {"email": staff.email})
    link = re.search(r"https?://\S+(/accounts/password/reset/key/\S+)", str(mailoutbox[-1].body))
    assert link
    form = client.get(link[1], follow=True)
    new = {"password1": "a long enough one", "password2": "a long enough one"}
    client.post(form.redirect_chain[-1][0], new)
    entry = AuditEntry.objects.get(action="reset password")
    assert (entry.actor, entry.object_id) == (staff.email, str(staff.pk))


def test_permissions_of_a_group_are_recorded(staff_client: Client) -> None:
    group = Group.objects.create(name="Helpers")
    permission = Permission.objects.get(codename="view_customer")
    page = reverse("admin:auth_group_change", args=[group.pk])
    given = {"name": "Helpers", "permissions": [permission.pk]}
    assert staff_client.post(page, given).status_code == 302
    assert AuditEntry.objects.filter(kind="auth.group", changes__has_key="permissions").exists()


def test_an_entry_cannot_be_changed_or_deleted(staff_client: Client) -> None:
    entry = AuditEntry.objects.create(action="x")
    for statement in (
        "UPDATE accounts_auditentry SET action = 'y'",
        "DELETE FROM accounts_auditentry",
        "TRUNCATE accounts_auditentry",
        "TRUNCATE accounts_auditentry RESTART IDENTITY CASCADE",
        "SET LOCAL kindling.audit_pruning = 'on'; DELETE FROM accounts_auditentry",
        "SET LOCAL kindling.audit_pruning = 'on'; UPDATE accounts_auditentry SET action = 'y'",
        "SET LOCAL kindling.audit_pruning = 'on'; TRUNCATE accounts_auditentry",
    ):
        with (
            pytest.raises(ProgrammingError, match="only added to"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)
    page = reverse("admin:accounts_auditentry_change", args=[entry.pk])
    assert staff_client.get(page).status_code == 200
    assert staff_client.post(page, {"action": "y"}).status_code == 403


def test_old_entries_are_pruned_with_an_entry(settings: Settings) -> None:
    now = timezone.now()
    for days in (800, 40, 20, 1):
        AuditEntry.objects.create(action=f"{days} days ago", at=now - timedelta(days=days))
    settings.RETENTION_AUDIT_DAYS = 365
    assert retention.apply()["RETENTION_AUDIT_DAYS"] == 1
    assert not AuditEntry.objects.filter(action="800 days ago").exists()
    entry = AuditEntry.objects.get(action="pruned the audit trail")
    assert entry.changes["entries"] == [1, None]
    assert retention.apply()["RETENTION_AUDIT_DAYS"] == 0
    assert AuditEntry.objects.filter(action="pruned the audit trail").count() == 1
    settings.RETENTION_AUDIT_DAYS = 0
    assert "RETENTION_AUDIT_DAYS" not in retention.apply()
    assert audit.forget_before(now) == 1, "the last 30 days stay"
    assert {"20 days ago", "1 days ago"} <= {*AuditEntry.objects.values_list("action", flat=True)}
    with pytest.raises(ProgrammingError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM accounts_auditentry")


def api_of(user: User) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {tokens.issue(user)[1]}")
    return client


def entries() -> list[AuditEntry]:
    """Return the entries, but for those of tests that sign in."""
    setting_up = {"issued API token", "signed in"}
    return list(AuditEntry.objects.exclude(action__in=setting_up).order_by("pk"))


def test_only_administrators_read_it() -> None:
    for role in Role:
        client = Client()
        client.force_login(in_role(role))
        status = client.get(reverse("admin:accounts_auditentry_changelist")).status_code
        assert status == (200 if role is Role.ADMINISTRATOR else 403), role
