"""The events of the outbox."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import RangeDateTimeFilter

from crm.adminkit import display
from crm.adminkit.base import ModelAdmin, column
from crm.events.models import MarketingEvent


@admin.register(MarketingEvent)
class MarketingEventAdmin(ModelAdmin):
    forbids = ("add", "change", "delete")
    list_display = ("type", "subject", "customer_id", "source", "when")
    list_filter = (("time", RangeDateTimeFilter),)
    search_fields = ("type", "=event_id")
    search_help_text = gettext_lazy("Type or id")
    ordering = ("-position",)

    when = column("time", gettext_lazy("When"), display.when, ordering="time")
