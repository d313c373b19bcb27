"""The admin of write keys: created, shown once, revoked."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from crm.adminkit import confirm, display
from crm.adminkit.base import ModelAdmin, column
from customers import tracking_api
from customers.models import RefusedId, WriteKey

SECRET = _(
    "Copy the signing secret to your server, for HMAC-SHA256 of user ids. It is not shown again:"
)


@admin.register(RefusedId)
class RefusedIdAdmin(ModelAdmin):
    """Ids and other parts of calls that were refused, by write key, read-only."""

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
    """Keys are never deleted, because received calls refer to them; they are revoked, or turned into browser keys."""

    forbids = ("change", "delete")

    list_display = ("name", "kind", "begins_with", "status", "created", "last_used")
    list_filter = ("kind",)
    search_fields = ("name", "prefix")
    fields = ("name", "kind")
    actions = ("make_browser_keys", "revoke")

    def formfield_for_choice_field(
        self, db_field: Any, request: HttpRequest | None, **kwargs: Any
    ) -> Any:
        """Take a form without the kind for a server key, as it was before there were kinds."""
        field = super().formfield_for_choice_field(db_field, request, **kwargs)
        if field is not None and db_field.name == "kind":
            field.required = False
        return field

    def save_model(self, request: HttpRequest, obj: WriteKey, form: Any, change: bool) -> None:
        obj.kind = obj.kind or WriteKey.Kind.SERVER
        text = tracking_api.fill_key(obj)
        obj.save()
        self._show_once(request, _("Copy the key now. It is not shown again:"), text)
        if secret := tracking_api.secret_of(obj):
            self._show_once(request, SECRET, secret)

    def _show_once(self, request: HttpRequest, label: str | Promise, text: str) -> None:
        shown = format_html("{} <code>{}</code>", label, text)
        self.message_user(request, shown, messages.WARNING)

    @admin.action(description=_("Make browser keys"), permissions=["add"])
    def make_browser_keys(
        self, request: HttpRequest, queryset: QuerySet[WriteKey]
    ) -> HttpResponse | None:
        servers = queryset.filter(kind=WriteKey.Kind.SERVER)
        if not confirm.given(request):
            return confirm.page(
                self,
                request,
                title=_("Turn these into browser keys?"),
                button=_("Make browser keys"),
                facts=[confirm.Fact(servers.count(), _("server keys"))],
                note=_(
                    "Their calls will change no customers of your server unless it signs them, and their orders wait for those of your"
                    " server. This cannot be undone."
                ),
                danger=True,
            )
        for key in tracking_api.make_browser_keys(servers):
            self._show_once(request, f"{key.name}: {SECRET}", tracking_api.secret_of(key))
        return None

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
