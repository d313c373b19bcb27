"""What happened, and what a consumer could not handle."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy, ngettext
from unfold.contrib.filters.admin import RangeDateTimeFilter

from crm.adminkit import display
from crm.adminkit.base import ModelAdmin
from crm.events import dead_letters
from crm.events.models import DeadLetter, MarketingEvent


class ReadOnly(ModelAdmin):
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


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


@admin.register(DeadLetter)
class DeadLetterAdmin(ReadOnly):
    list_display = ("type", "consumer", "customer_id", "error", "when")
    list_filter = ("consumer",)
    search_fields = ("type", "consumer", "error")
    ordering = ("-pk",)
    actions = ("replay",)

    @admin.action(description=gettext_lazy("Handle again"), permissions=["delete"])
    def replay(self, request: HttpRequest, letters: QuerySet[DeadLetter]) -> None:
        handled = 0
        for letter in letters.order_by("position"):
            try:
                dead_letters.replay(letter)
                handled += 1
            except dead_letters.NotReplayed as error:
                self.message_user(request, f"{letter}: {error}", messages.ERROR)
        if handled:
            text = ngettext("%s event was handled.", "%s events were handled.", handled)
            self.message_user(request, text % handled, messages.SUCCESS)

    @admin.display(description=gettext_lazy("When"), ordering="at")
    def when(self, letter: DeadLetter) -> str:
        return display.when(letter.at)
