"""The log of outgoing calls."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import RangeDateTimeFilter

from crm.adminkit import display
from crm.adminkit.base import ModelAdmin, column
from crm.outbound.models import ExternalServiceLog


class Failed(admin.SimpleListFilter):
    title = _("outcome")
    parameter_name = "failed"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("1", _("Failed")), ("0", _("Answered"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case "1":
                return queryset.filter(error__gt="")
            case "0":
                return queryset.filter(error="")
        return queryset


@admin.register(ExternalServiceLog)
class ExternalServiceLogAdmin(ModelAdmin):
    forbids = ("add", "change")
    list_display = ("when", "service", "target_and_method", "answer", "took", "error")
    list_filter = (Failed, "service", ("at", RangeDateTimeFilter))
    search_fields = ("account", "target")
    search_help_text = _("Account or target")
    ordering = ("-at",)

    when = column("at", _("When"), display.when, ordering="at")

    @admin.display(description=_("Call"), ordering="target")
    def target_and_method(self, call: ExternalServiceLog) -> str:
        return f"{call.method} {call.target}"

    @admin.display(description=_("Answer"), ordering="status")
    def answer(self, call: ExternalServiceLog) -> SafeString:
        if call.status is None:
            return display.badge(_("None"), "danger")
        return display.badge(str(call.status), "danger" if call.error else "success")

    @admin.display(description=_("Took"), ordering="ms")
    def took(self, call: ExternalServiceLog) -> str:
        return f"{display.number(call.ms)} ms"
