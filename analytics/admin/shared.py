"""Dashboards shared by a public link: made from a dashboard, listed with who opened them when, and revoked."""

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

from analytics.admin import boards
from analytics.models import SharedDashboard
from analytics.shared_dashboards import links
from crm.accounts.models import User
from crm.adminkit import confirm, display
from crm.adminkit.base import ModelAdmin

LIFETIMES = ((7, _("a week")), (30, _("30 days")), (90, _("90 days")), (365, _("a year")))


class ShareForm(forms.ModelForm):
    dashboard = forms.ChoiceField(
        label=_("Dashboard"), choices=boards.choices, widget=UnfoldAdminSelectWidget
    )
    days = forms.TypedChoiceField(
        label=_("The link works for"),
        choices=LIFETIMES,
        coerce=int,
        initial=30,
        widget=UnfoldAdminSelectWidget,
        help_text=_("Whoever has the link sees the figures, without names of customers."),
    )

    class Meta:
        model = SharedDashboard
        fields: ClassVar[list[str]] = ["name", "dashboard", "query"]

    def save(self, commit: bool = True) -> SharedDashboard:
        self.instance.expires_at = timezone.now() + timedelta(days=self.cleaned_data["days"])
        return super().save(commit)


@admin.register(SharedDashboard)
class SharedDashboardAdmin(ModelAdmin):
    """Never changed and never deleted; a link that is revoked opens nothing."""

    form = ShareForm
    list_display = ("name", "what", "link", "status", "runs_out", "how_often", "created_by")
    list_select_related = ("created_by",)
    search_fields = ("name",)
    actions = ("revoke",)

    def get_fields(self, request: HttpRequest, obj: SharedDashboard | None = None) -> list[str]:
        if obj is None:
            return ["name", "dashboard", "query", "days"]
        return [
            *("name", "what", "query", "link", "status", "expires_at", "revoked_at"),
            *("opened", "last_opened_at", "created_by", "created_at"),
        ]

    def get_readonly_fields(
        self, request: HttpRequest, obj: SharedDashboard | None = None
    ) -> list[str]:
        return self.get_fields(request, obj) if obj else []

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        asked = super().get_changeform_initial_data(request)
        board = boards.find(asked.get("dashboard", ""))
        return {"name": str(board.label) if board else "", **asked}

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody shares what they may not see."""
        may_see = request.user.has_perm("analytics.view_campaignmetrics")
        return super().has_add_permission(request) and may_see

    def has_change_permission(
        self, request: HttpRequest, obj: SharedDashboard | None = None
    ) -> bool:
        return False

    def has_delete_permission(
        self, request: HttpRequest, obj: SharedDashboard | None = None
    ) -> bool:
        return False

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
                _("Whoever has this link sees the dashboard:"),
                links.address(obj),
                links.address(obj),
            ),
            messages.WARNING,
        )

    @admin.action(description=_("Revoke"), permissions=["add"])
    def revoke(
        self, request: HttpRequest, queryset: QuerySet[SharedDashboard]
    ) -> HttpResponse | None:
        if not confirm.given(request):
            opened = sum(link.is_open for link in queryset)
            return confirm.page(
                self,
                request,
                title=_("Revoke these links?"),
                button=_("Revoke"),
                facts=[confirm.Fact(opened, _("links that work"))],
                note=_("Whoever follows one is told that it is over. This cannot be undone."),
                danger=True,
            )
        count = links.revoke(queryset)
        self.message_user(
            request, ngettext("%d link was revoked.", "%d links were revoked.", count) % count
        )
        return None

    @admin.display(description=_("Dashboard"), ordering="dashboard")
    def what(self, link: SharedDashboard) -> str:
        board = boards.find(link.dashboard)
        return str(board.label) if board else link.dashboard

    @admin.display(description=_("Link"))
    def link(self, link: SharedDashboard) -> SafeString | str:
        if not link.is_open:
            return display.NOTHING
        address = links.address(link)
        return format_html(
            '<a class="text-link" href="{}" target="_blank" rel="noopener">{}</a>',
            address,
            f"/shared/{links.token(link)[:10]}…",
        )

    @admin.display(description=_("State"), ordering="revoked_at")
    def status(self, link: SharedDashboard) -> SafeString:
        if link.revoked_at:
            return display.badge(_("revoked"), "danger")
        return display.badge(_("works"), "success") if link.is_open else display.badge(_("over"))

    @admin.display(description=_("Runs out"), ordering="expires_at")
    def runs_out(self, link: SharedDashboard) -> SafeString | str:
        return display.when(link.expires_at)

    @admin.display(description=_("Opened"), ordering="opened")
    def how_often(self, link: SharedDashboard) -> str:
        return display.number(link.opened)
