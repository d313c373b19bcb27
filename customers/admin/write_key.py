"""The admin of write keys: created, shown once, revoked."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from crm.adminkit import confirm, display
from crm.adminkit.base import ModelAdmin, column
from customers import tracking_api
from customers.models import RefusedId, WriteKey


@admin.register(RefusedId)
class RefusedIdAdmin(ModelAdmin):
    """Ids that calls of a write key gave and that were refused, read-only."""

    forbids = ("add", "change", "delete")

    list_display = ("write_key", "field", "value", "reason", "times", "first_seen", "last_seen")
    list_filter = ("write_key", "reason")
    list_select_related = ("write_key",)
    search_fields = ("value",)
    ordering = ("-last_at",)

    first_seen = column("first_at", _("First seen"), display.when, ordering="first_at")
    last_seen = column("last_at", _("Last seen"), display.when, ordering="last_at")


@admin.register(WriteKey)
class WriteKeyAdmin(ModelAdmin):
    """Keys are never changed or deleted, because received calls refer to them; they are revoked."""

    forbids = ("change", "delete")

    list_display = ("name", "begins_with", "status", "created", "last_used")
    search_fields = ("name", "prefix")
    fields = ("name",)
    actions = ("revoke",)

    def save_model(self, request: HttpRequest, obj: WriteKey, form: Any, change: bool) -> None:
        text = tracking_api.fill_key(obj)
        obj.save()
        self.message_user(
            request,
            format_html("{} <code>{}</code>", _("Copy the key now. It is not shown again:"), text),
            messages.WARNING,
        )

    @admin.action(description=_("Revoke"), permissions=["add"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[WriteKey]) -> HttpResponse | None:
        if not confirm.given(request):
            return confirm.page(
                self,
                request,
                title=_("Revoke these write keys?"),
                button=_("Revoke"),
                facts=[confirm.Fact(queryset.filter(revoked_at=None).count(), _("keys in use"))],
                note=_("Requests with these keys will get a 401. This cannot be undone."),
                danger=True,
            )
        count = tracking_api.revoke_keys(queryset)
        self.message_user(
            request, ngettext("%d key was revoked.", "%d keys were revoked.", count) % count
        )
        return None

    @admin.display(description=_("Begins with"), ordering="prefix")
    def begins_with(self, key: WriteKey) -> str:
        return f"{key.prefix}…"

    @admin.display(description=_("State"), ordering="revoked_at")
    def status(self, key: WriteKey) -> SafeString:
        if key.revoked_at:
            return display.badge(_("revoked"), "danger")
        return (
            display.badge(_("in use"), "success") if key.last_used_at else display.badge(_("new"))
        )

    created = column("created_at", _("Created"), display.when, ordering="id")
    last_used = column("last_used_at", _("Last used"), display.when, ordering="last_used_at")
