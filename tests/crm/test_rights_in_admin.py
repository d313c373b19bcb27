"""Every page of the admin returns 403 to roles without its permission."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from django.contrib import admin
from django.contrib.admin import ModelAdmin
from django.test import Client, RequestFactory

from crm import roles
from crm.accounts.models import User
from crm.roles import Role
from tests.factories.accounts import in_role

pytestmark = pytest.mark.django_db

USUAL = {
    "changelist": "view",
    "add": "add",
    "delete": "delete",
    "change": "view",
    "auth_user_password_change": "change",
}
"""Django's own pages of a model, without its history, which looks up the object first."""

SAME_AS = {
    "run": "marketing.run_workflow",
    "import_file": "customers.add_importjob",
    "import_addresses": "customers.add_suppression",
    "merge": "customers.merge_customer",
    "export_data": "customers.export_personal_data",
    "erase_person": "customers.erase_customer",
    "launch": "marketing.launch_campaign",
    "approve": "marketing.approve_campaign",
    "duplicate": "marketing.add_campaign",
    "decide": "customers.add_consent",
    "lift_suppressions": "customers.delete_suppression",
    "resolve": "marketing.change_campaignexecution",
    "reset": "accounts.grant_roles",
}
"""Custom permission names of the admin, and the permissions that they check."""


class Page(NamedTuple):
    name: str
    admin: ModelAdmin
    url: str
    declared: tuple[str, ...] | None

    def words(self, method: str) -> tuple[str, ...]:
        """Return the declared permissions; saving a change needs more than viewing."""
        if method == "post" and self.name.endswith("_change"):
            return ("change",)
        return self.declared or ()

    def needed(self, method: str) -> set[str]:
        return {self._in_full(word) for word in self.words(method)}

    def is_shut(self, method: str, superuser: User) -> bool:
        """Return whether even a superuser is refused, as for adding read-only rows."""
        request = RequestFactory().get(self.url)
        request.user = superuser
        usual = {"view", "add", "change", "delete"} & {*self.words(method)}
        return not all(getattr(self.admin, f"has_{word}_permission")(request) for word in usual)

    def _in_full(self, word: str) -> str:
        options = self.admin.opts
        usual = f"{options.app_label}.{word}_{options.model_name}"
        return word if "." in word else SAME_AS.get(word, usual)

    def __str__(self) -> str:
        return self.name


def pages() -> Iterator[Page]:
    for model, model_admin in admin.site._registry.items():
        options = model._meta
        for pattern in model_admin.get_urls():
            if not pattern.name or pattern.name.endswith("_history"):
                continue
            last = pattern.name.removeprefix(f"{options.app_label}_{options.model_name}_")
            declared = getattr(pattern.callback, "allowed_permissions", None)
            if usual := USUAL.get(last):
                declared = (usual,)
            url = f"/admin/{options.app_label}/{options.model_name}/{_filled(str(pattern.pattern))}"
            yield Page(pattern.name, model_admin, url, declared)
        for pattern in model_admin.site_urls() if hasattr(model_admin, "site_urls") else ():
            declared = getattr(pattern.callback, "allowed_permissions", None)
            url = f"/admin/{_filled(str(pattern.pattern))}"
            yield Page(str(pattern.name), model_admin, url, declared)


def _filled(pattern: str) -> str:
    """Return the path with an unknown id: permissions are checked before the lookup."""
    return re.sub(r"<(\w+:)?\w+>", "987654", pattern)


PAGES = list(pages())


@pytest.mark.parametrize("asked", PAGES, ids=str)
def test_every_page_declares_its_permission(asked: Page) -> None:
    assert asked.declared


@pytest.mark.parametrize("role", Role)
def test_a_role_has_exactly_the_rights_of_the_matrix(role: Role, staff: User) -> None:
    assert differences(in_role(role), roles.permissions(role), superuser=staff) == []


def test_staff_without_a_role_have_no_rights(staff: User) -> None:
    assert differences(in_role(), set(), superuser=staff) == []


def differences(user: User, held: set[str], *, superuser: User) -> list[str]:
    """Return the pages that answer otherwise than these permissions require."""
    client = Client()
    client.force_login(user)
    found = []
    for page in PAGES:
        for method in ("get", "post"):
            status = getattr(client, method)(page.url).status_code
            needed = page.needed(method)
            may = needed <= held and not page.is_shut(method, superuser)
            if (status == 403) is may or status >= 500:
                found.append(f"{method} {page}: {status}, takes {needed}")
    return found
