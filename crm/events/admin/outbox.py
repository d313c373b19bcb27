"""The events of the outbox."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import RangeDateTimeFilter

from crm.adminkit import display
from crm.events.admin.feeds import ReadOnly
from crm.events.models import MarketingEvent


@admin.register(MarketingEvent)
class MarketingEventAdmin(ReadOnly):
    list_display = ("type", "subject", "customer_id", "source", "when")
    list_filter = (("time", RangeDateTimeFilter),)
    search_fields = ("type", "=event_id")
    search_help_text = gettext_lazy("Type or id")
    ordering = ("-position",)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description=gettext_lazy("When"), ordering="time")
    def when(self, event: MarketingEvent) -> str:
        return display.when(event.time)
