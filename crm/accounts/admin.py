"""Admin of users, API tokens and the audit trail."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold import forms as unfold_forms
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import action
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from crm.accounts import second_factor, tokens
from crm.accounts.current_user import user_of
from crm.accounts.models import ApiToken, AuditEntry, Scope, User
from crm.adminkit import confirm, display
from crm.adminkit.base import ModelAdmin, column

GRANT = "accounts.grant_roles"


class UserCreationForm(unfold_forms.UserCreationForm):
    class Meta:
        model = User
        fields = ("email", "name")


class UserChangeForm(unfold_forms.UserChangeForm):
    class Meta:
        model = User
        fields = "__all__"


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ModelAdmin):  # type: ignore[misc]  # ours is a ModelAdmin too
    """An address entered by an administrator counts as confirmed.

    Changing permissions and resetting a second factor take `grant_roles`; only superusers create and change superusers.
    """

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = unfold_forms.AdminPasswordChangeForm
    list_display = ("email", "name", "roles", "state", "last_seen")
    list_filter = ("is_staff", "is_superuser", "is_active", "groups")
    search_fields = ("email", "name")
    ordering = ("email",)
    readonly_fields = ("last_login", "date_joined")
    filter_horizontal = ()
    actions_detail = ("reset_second_factor",)
    autocomplete_fields = ("groups",)
    fieldsets = (
        (None, {"fields": ("email", "name", "password")}),
        (_("Permissions"), {"fields": ("is_active", "is_staff", "is_superuser", "groups")}),
        (_("Dates"), {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = (
        (
            None,
            {
                "fields": (
                    "email",
                    "name",
                    "password1",
                    "password2",
                    "is_staff",
                    "groups",
                )
            },
        ),
    )

    @admin.display(description=_("Roles"), ordering="is_superuser")
    def roles(self, user: User) -> SafeString:
        if user.is_superuser:
            return display.badge(_("superuser"), "primary")
        if not user.is_staff:
            return display.badge(_("no permissions"))
        names = [group.name for group in user.groups.all()]
        if not names:
            return display.badge(_("staff without a role"), "warning")
        return format_html_join(" ", "{}", ((display.badge(name, "info"),) for name in names))

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return super().get_queryset(request).prefetch_related("groups")

    @admin.display(description=_("State"), ordering="is_active")
    def state(self, user: User) -> SafeString:
        return display.badge(_("active"), "success") if user.is_active else display.badge(_("off"))

    last_seen = column("last_login", _("Last signed in"), display.when, ordering="last_login")

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        if request.user.is_superuser:
            return self.readonly_fields
        if request.user.has_perm(GRANT):
            return (*self.readonly_fields, "is_superuser")
        return (*self.readonly_fields, "is_staff", "is_superuser", "groups")

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        allowed = super().has_change_permission(request, obj)
        return allowed and (request.user.is_superuser or not (obj and obj.is_superuser))

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        allowed = super().has_delete_permission(request, obj)
        return allowed and (request.user.is_superuser or not (obj and obj.is_superuser))

    def has_reset_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        user = self.get_object(request, object_id) if object_id else None
        return request.user.has_perm(GRANT) and self.has_change_permission(request, user)

    @action(description=_("Reset second factor"), permissions=["reset"])
    def reset_second_factor(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Let a user without phone and recovery codes sign in again."""
        user = get_object_or_404(User, pk=object_id)
        page = reverse("admin:accounts_user_change", args=[user.pk])
        if not self.has_change_permission(request, user):
            raise PermissionDenied
        if not second_factor.has_device(user):
            self.message_user(request, _("This user has no second factor."), messages.WARNING)
        elif not confirm.given(request):
            return confirm.page(
                self,
                request,
                title=_("Reset the second factor of %(user)s?") % {"user": user},
                button=_("Reset second factor"),
                note=_(
                    "The password alone is enough until the user sets up a new one. All sessions and API tokens of the user end, and the"
                    " user gets an e-mail about it."
                ),
                back=page,
                danger=True,
                about=user,
            )
        else:
            second_factor.reset(user, by=user_of(request))
            self.message_user(request, _("The second factor was reset."), messages.SUCCESS)
        return HttpResponseRedirect(page)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if "email" in form.changed_data:
            obj.confirm_email()


class ApiTokenForm(forms.ModelForm):
    scopes = forms.MultipleChoiceField(
        choices=Scope.choices,
        initial=[Scope.READ],
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=_(
            "Read: view data. Write: change data. Ingest: only send customers, orders and events, without consent. Admin: senders and their"
            " secrets, new secrets of webhooks, write keys, frequency caps and quiet hours."
        ),
    )

    class Meta:
        model = ApiToken
        fields = ("name", "scopes", "expires_at")

    def clean_expires_at(self) -> datetime:
        expires_at: datetime = self.cleaned_data["expires_at"]
        if expires_at > timezone.now() + tokens.LONGEST_LIFETIME:
            raise forms.ValidationError(
                _("A token lasts at most %(days)d days.") % {"days": tokens.LONGEST_LIFETIME.days}
            )
        return expires_at


@admin.register(ApiToken)
class ApiTokenAdmin(ModelAdmin):
    """Users create tokens for themselves and revoke them by deleting; a token is shown once."""

    forbids = ("change",)

    form = ApiTokenForm
    list_display = ("token_prefix", "name", "user", "scope_list", "expires", "last_used")
    list_select_related = ("user",)
    search_fields = ("name", "prefix", "user__email")
    fields = ("name", "scopes", "expires_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApiToken]:
        everyone = super().get_queryset(request)
        return everyone if request.user.is_superuser else everyone.filter(user=request.user)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"expires_at": timezone.now() + tokens.LIFETIME}

    def save_model(self, request: HttpRequest, obj: ApiToken, form: Any, change: bool) -> None:
        obj.user = user_of(request)
        obj.with_second_factor = second_factor.has_passed(request.user)
        text = tokens.fill(obj)
        obj.save()
        self.message_user(
            request,
            format_html(
                "{} <code>{}</code>", _("Copy the token now. It is not shown again:"), text
            ),
            messages.WARNING,
        )

    @admin.display(description=_("Prefix"), ordering="prefix")
    def token_prefix(self, token: ApiToken) -> str:
        return f"{token.prefix}…"

    @admin.display(description=_("Scopes"))
    def scope_list(self, token: ApiToken) -> str:
        return ", ".join(token.scopes)

    @admin.display(description=_("Expires"), ordering="expires_at")
    def expires(self, token: ApiToken) -> str:
        if token.expires_at <= timezone.now():
            return display.badge(_("expired"), "danger")
        return display.when(token.expires_at)

    last_used = column("last_used_at", _("Last used"), display.when, ordering="last_used_at")


@admin.register(AuditEntry)
class AuditEntryAdmin(ModelAdmin):
    """The audit trail, read-only."""

    forbids = ("add", "change", "delete")

    list_display = ("when", "actor", "action", "target", "changed", "via", "address")
    list_filter = (("at", RangeDateTimeFilter), "kind")
    search_fields = ("actor", "action", "=object_id", "label", "kind")
    search_help_text = _("User, action, id or name")
    list_display_links = ("when",)
    fields = (("at", "actor"), ("action", "target"), ("via", "address"), "before_and_after")
    readonly_fields = ("at", "actor", "action", "target", "via", "address", "before_and_after")

    when = column("at", _("When"), display.when, ordering="id")

    @admin.display(description=_("Object"))
    def target(self, entry: AuditEntry) -> str:
        return " ".join(filter(None, (entry.kind, entry.object_id, entry.label))) or display.NOTHING

    @admin.display(description=_("Changed"))
    def changed(self, entry: AuditEntry) -> SafeString | str:
        return display.tags(list(entry.changes))

    @admin.display(description=_("Before and after"))
    def before_and_after(self, entry: AuditEntry) -> SafeString | str:
        rows = ((name, *map(_as_text, values)) for name, values in entry.changes.items())
        line = "<tr><th class='pr-6 text-left'>{}</th><td class='pr-6'><del>{}</del></td><td><b>{}</b></td></tr>"
        table = format_html_join("", line, rows)
        return format_html("<table>{}</table>", table) if table else display.NOTHING


def _as_text(value: object) -> str:
    return display.NOTHING if value is None or value == "" else str(value)
