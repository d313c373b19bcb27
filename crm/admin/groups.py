"""Groups: the predefined roles, shown as a table, and custom groups."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.models import Group
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from crm import roles
from crm.accounts.admin import GRANT
from crm.adminkit import display
from crm.adminkit.base import ModelAdmin, column

admin.site.unregister(Group)


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, ModelAdmin):  # type: ignore[misc]
    """Changing a group takes `grant_roles`, because its permissions could be any.

    Predefined roles are read-only: the next migration would restore them.
    """

    list_display = ("name", "users", "permission_count", "kind")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Group]:
        return (
            super()
            .get_queryset(request)
            .annotate(
                number_of_users=Count("user", distinct=True),
                number_of_permissions=Count("permissions", distinct=True),
            )
        )

    def get_fieldsets(self, request: HttpRequest, obj: Group | None = None) -> Any:
        if obj and roles.is_role(obj):
            return ((None, {"fields": ("name", "table")}),)
        return ((None, {"fields": ("name", "permissions")}),)

    def get_readonly_fields(self, request: HttpRequest, obj: Group | None = None) -> Any:
        return ("name", "table") if obj and roles.is_role(obj) else ()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and request.user.has_perm(GRANT)

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        allowed = super().has_change_permission(request, obj) and request.user.has_perm(GRANT)
        return allowed and not (obj and roles.is_role(obj))

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        allowed = super().has_delete_permission(request, obj) and request.user.has_perm(GRANT)
        return allowed and not (obj and roles.is_role(obj))

    @admin.display(description=_("Permissions"))
    def table(self, group: Group) -> SafeString:
        role = roles.Role(group.name)
        lines = [(line.label, line.is_for(role)) for line in roles.MATRIX]
        return render_to_string("admin/auth/group/table.html", {"lines": lines})

    users = column("number_of_users", _("Users"), display.number, ordering="number_of_users")
    permission_count = column(
        "number_of_permissions", _("Permissions"), display.number, ordering="number_of_permissions"
    )

    @admin.display(description=_("Kind"))
    def kind(self, group: Group) -> SafeString:
        if roles.is_role(group):
            return display.badge(_("role"), "primary")
        return display.badge(_("custom"))
