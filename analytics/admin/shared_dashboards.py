"""Shared dashboards: create a public link to a dashboard, count its views, and revoke it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.widgets import UnfoldAdminSelectWidget

from analytics import shared_dashboards
from analytics.models import SharedDashboard
from analytics.shared_dashboards import find_board
from crm.accounts.models import User
from crm.adminkit import confirm, display
from crm.adminkit.base import ModelAdmin, column

LIFETIMES = ((7, _("a week")), (30, _("30 days")), (90, _("90 days")), (365, _("a year")))


class ShareForm(forms.ModelForm):
    dashboard = forms.ChoiceField(
        label=_("Dashboard"), choices=shared_dashboards.choices, widget=UnfoldAdminSelectWidget
    )
    days = forms.TypedChoiceField(
        label=_("Valid for"),
        choices=LIFETIMES,
        coerce=int,
        initial=30,
        widget=UnfoldAdminSelectWidget,
        help_text=_("Anyone with the link sees the figures, without names of customers."),
    )

    class Meta:
        model = SharedDashboard
        fields: ClassVar[list[str]] = ["name", "dashboard", "query"]

    def save(self, commit: bool = True) -> SharedDashboard:
        self.instance.expires_at = timezone.now() + timedelta(days=self.cleaned_data["days"])
        return super().save(commit)


@admin.register(SharedDashboard)
class SharedDashboardAdmin(ModelAdmin):
    """Links are never changed or deleted, only revoked."""

    forbids = ("change", "delete")

    form = ShareForm
    list_display = ("name", "board", "link", "status", "expires", "views", "created_by")
    list_select_related = ("created_by",)
    search_fields = ("name",)
    actions = ("revoke",)

    def get_fields(self, request: HttpRequest, obj: SharedDashboard | None = None) -> list[str]:
        if obj is None:
            return ["name", "dashboard", "query", "days"]
        return [
            *("name", "board", "query", "link", "status", "expires_at", "revoked_at"),
            *("opened", "last_opened_at", "created_by", "created_at"),
        ]

    def get_readonly_fields(
        self, request: HttpRequest, obj: SharedDashboard | None = None
    ) -> list[str]:
        return self.get_fields(request, obj) if obj else []

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        initial = super().get_changeform_initial_data(request)
        board = find_board(initial.get("dashboard", ""))
        return {"name": str(board.label) if board else "", **initial}

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Only users who may see the results may share them."""
        may_see = request.user.has_perm("analytics.view_campaignmetrics")
        return super().has_add_permission(request) and may_see

    def save_model(
        self, request: HttpRequest, obj: SharedDashboard, form: Any, change: bool
    ) -> None:
        assert isinstance(request.user, User)
        obj.created_by = request.user
        obj.save()
        self.message_user(
            request,
            format_html(
                '{} <a class="break-all text-link" href="{}">{}</a>',
                _("Anyone with this link sees the dashboard:"),
                shared_dashboards.address(obj),
                shared_dashboards.address(obj),
            ),
            messages.WARNING,
        )

    @admin.action(description=_("Revoke links"), permissions=["add"])
    def revoke(
        self, request: HttpRequest, queryset: QuerySet[SharedDashboard]
    ) -> HttpResponse | None:
        if not confirm.given(request):
            active = sum(link.is_open for link in queryset)
            return confirm.page(
                self,
                request,
                title=_("Revoke these links?"),
                button=_("Revoke links"),
                facts=[confirm.Fact(active, _("active links"))],
                note=_("Visitors will see that the link has expired. This cannot be undone."),
                danger=True,
            )
        count = shared_dashboards.revoke(queryset)
        self.message_user(
            request, ngettext("%d link was revoked.", "%d links were revoked.", count) % count
        )
        return None

    @admin.display(description=_("Dashboard"), ordering="dashboard")
    def board(self, link: SharedDashboard) -> str:
        board = find_board(link.dashboard)
        return str(board.label) if board else link.dashboard

    @admin.display(description=_("Link"))
    def link(self, link: SharedDashboard) -> SafeString | str:
        if not link.is_open:
            return display.NOTHING
        address = shared_dashboards.address(link)
        return format_html(
            '<a class="text-link" href="{}" target="_blank" rel="noopener">{}</a>',
            address,
            f"/shared/{shared_dashboards.token(link)[:10]}…",
        )

    @admin.display(description=_("State"), ordering="revoked_at")
    def status(self, link: SharedDashboard) -> SafeString:
        if link.revoked_at:
            return display.badge(_("revoked"), "danger")
        return (
            display.badge(_("active"), "success") if link.is_open else display.badge(_("expired"))
        )

    expires = column("expires_at", _("Expires"), display.when, ordering="expires_at")
    views = column("opened", _("Views"), display.number, ordering="opened")
