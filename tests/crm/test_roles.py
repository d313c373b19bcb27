"""Roles are groups with the rights of the matrix, and only administrators grant them."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from crm import roles
from crm.accounts.models import User
from crm.roles import Role
from customers.models import Interaction, ServiceInteraction
from tests.factories.accounts import in_role
from tests.factories.customers import make_customer

pytestmark = pytest.mark.django_db


def signed_in(*given: Role) -> Client:
    client = Client()
    client.force_login(in_role(*given))
    return client


@pytest.mark.parametrize("role", Role)
def test_a_role_has_the_rights_of_the_matrix_after_migrate(role: Role) -> None:
    permissions = Group.objects.get(name=role).permissions.values_list(
        "content_type__app_label", "codename"
    )
    assert {f"{app}.{codename}" for app, codename in permissions} == roles.permissions(role)


def test_migrate_restores_removed_rights_of_a_role() -> None:
    Group.objects.get(name=Role.SUPPORT).permissions.clear()
    Group.objects.get(name=Role.ANALYST).permissions.add(
        Permission.objects.get(codename="erase_customer")
    )
    call_command("migrate", verbosity=0)
    test_a_role_has_the_rights_of_the_matrix_after_migrate(Role.SUPPORT)
    test_a_role_has_the_rights_of_the_matrix_after_migrate(Role.ANALYST)


def test_an_unknown_permission_raises_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roles, "MATRIX", (roles.Line("Fly", ("customers.fly",)),))
    with pytest.raises(LookupError, match=r"customers\.fly"):
        roles.sync()


def test_other_groups_are_unchanged() -> None:
    own = Group.objects.create(name="Interns")
    own.permissions.add(Permission.objects.get(codename="view_customer"))
    roles.sync()
    assert own.permissions.count() == 1


def test_an_administrator_grants_roles_but_no_superuser() -> None:
    user = User.objects.create_user("new@example.com", "a long enough secret")
    page = reverse("admin:accounts_user_change", args=[user.pk])
    support = Group.objects.get(name=Role.SUPPORT)
    given = {
        "email": user.email,
        "name": "New",
        "is_active": "on",
        "is_staff": "on",
        "is_superuser": "on",
        "groups": [support.pk],
    }
    assert signed_in(Role.ADMINISTRATOR).post(page, given).status_code == 302
    user.refresh_from_db()
    assert (user.is_staff, user.is_superuser, list(user.groups.all())) == (True, False, [support])


def test_changing_users_does_not_permit_granting_roles() -> None:
    clerk = in_role()
    clerk.user_permissions.set(
        Permission.objects.filter(codename__in=("view_user", "change_user", "change_group"))
    )
    client = Client()
    client.force_login(clerk)
    page = reverse("admin:accounts_user_change", args=[clerk.pk])
    administrators = Group.objects.get(name=Role.ADMINISTRATOR)
    client.post(page, {"email": clerk.email, "is_active": "on", "groups": [administrators.pk]})
    assert not clerk.groups.exists()
    own = Group.objects.create(name="Interns")
    assert client.post(reverse("admin:auth_group_change", args=[own.pk])).status_code == 403


def test_a_role_is_read_only_in_the_admin() -> None:
    client = signed_in(Role.ADMINISTRATOR)
    page = reverse("admin:auth_group_change", args=[Group.objects.get(name=Role.ANALYST).pk])
    assert "View results and dashboards" in client.get(page).content.decode()
    assert client.post(page, {"name": "Analyst", "permissions": []}).status_code == 403


def test_support_adds_a_service_interaction() -> None:
    customer = make_customer()
    client = signed_in(Role.SUPPORT)
    page = reverse("admin:customers_serviceinteraction_add")
    assert client.get(page).status_code == 200
    noted = {
        "customer": customer.pk,
        "type": "complaint",
        "subject": "A torn box",
        "occurred_at_0": "2026-03-01",
        "occurred_at_1": "10:00",
        "attributes": "{}",
    }
    assert client.post(page, noted).status_code == 302
    assert ServiceInteraction.objects.get().subject == "A torn box"
    assert Interaction.objects.get(customer=customer).properties["subject"] == "A torn box"


def test_the_documentation_shows_the_matrix() -> None:
    """Compare docs/roles.md with the matrix; on failure, copy the lines shown into it."""
    heads = ["", *(role.value for role in Role)]
    rows = [
        [str(line.label), *("✓" if line.is_for(role) else "" for role in Role)]
        for line in roles.MATRIX
    ]
    rule = ["---", *(":---:" for _role in Role)]
    table = "\n".join("| " + " | ".join(row) + " |" for row in [heads, rule, *rows])
    assert table in (settings.BASE_DIR / "docs" / "roles.md").read_text()
