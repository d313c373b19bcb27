"""The audit trail records edits, actions, exports and sign-ins of users, and no ingested data."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group
from django.db import ProgrammingError, connection, transaction
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from crm.accounts import tokens
from crm.accounts.models import AuditEntry, User
from crm.api import ids
from crm.roles import Role
from customers.ingest import clean_customer, upsert_customers
from tests.factories.accounts import in_role
from tests.factories.customers import make_customer
from tests.factories.marketing import make_sender

pytestmark = pytest.mark.django_db


def test_an_edit_is_recorded_with_before_and_after(staff: User) -> None:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {tokens.issue(staff)[1]}")
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


def test_ingested_data_writes_no_entry(staff: User) -> None:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {tokens.issue(staff)[1]}")
    batch = {"customers": [{"email": "ada@example.com"}]}
    assert client.post("/api/customers/batch", batch, format="json").status_code == 200
    upsert_customers([clean_customer({"email": "bob@example.com"})], evidence="test")
    make_sender()
    assert not AuditEntry.objects.exists()


def test_an_entry_cannot_be_changed_or_deleted(staff_client: Client) -> None:
    entry = AuditEntry.objects.create(action="x")
    for statement in (
        "UPDATE accounts_auditentry SET action = 'y'",
        "DELETE FROM accounts_auditentry",
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


def test_only_administrators_read_it() -> None:
    for role in Role:
        client = Client()
        client.force_login(in_role(role))
        status = client.get(reverse("admin:accounts_auditentry_changelist")).status_code
        assert status == (200 if role is Role.ADMINISTRATOR else 403), role
