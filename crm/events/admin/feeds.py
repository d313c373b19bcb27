"""Event feeds: how far each subscriber has read, the events it could not handle, and the outbox."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.contrib.filters.admin import RangeDateTimeFilter

from crm import masking
from crm.adminkit import display
from crm.adminkit.base import ModelAdmin, column
from crm.events import dead_letters, feeds, lag
from crm.events.models import DeadLetter, FeedCursor, MarketingEvent
from crm.nudge import nudge


class WithLag(ChangeList):
    """A list whose cursors have `lag`."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        lags = {each.subscriber.name: each for each in lag.all_subscribers()}
        for cursor in self.result_list:
            cursor.lag = lags[cursor.name]


@admin.register(FeedCursor)
class FeedCursorAdmin(ModelAdmin):
    forbids = ("add", "change", "delete")
    list_display = ("work", "state", "behind", "moved", "failures", "letters", "last_error")
    list_display_links = None
    search_fields = ("name",)
    ordering = ("name",)
    actions = ("replay_dead_letters",)
    empty_says = gettext_lazy("A subscriber is listed once it has read an event.")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return WithLag

    def get_queryset(self, request: HttpRequest) -> QuerySet[FeedCursor]:
        return (
            super()
            .get_queryset(request)
            .filter(name__in=[each.name for each in feeds.subscribers()])
        )

    def has_replay_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("events.delete_deadletter")

    @admin.action(description=gettext_lazy("Replay dead letters"), permissions=["replay"])
    def replay_dead_letters(self, request: HttpRequest, cursors: QuerySet[FeedCursor]) -> None:
        for cursor in cursors:
            nudge("crm.events.tasks.replay_dead_letters", cursor.name)
        self.message_user(request, _("Dead letters are being replayed in the background."))

    @admin.display(description=gettext_lazy("Work on new events"), ordering="name")
    def work(self, cursor: FeedCursor) -> str:
        return capfirst(cursor.name)

    @admin.display(description=gettext_lazy("State"))
    def state(self, cursor: Any) -> SafeString:
        if cursor.lag.stands_still:
            return display.badge(_("standing still"), "danger")
        if cursor.error:
            return display.badge(_("failing"), "danger" if cursor.lag.fails else "warning")
        if cursor.lag.is_behind:
            return display.badge(_("reading"), "info")
        return display.badge(_("up to date"), "success")

    @admin.display(description=gettext_lazy("Behind since"))
    def behind(self, cursor: Any) -> str:
        return display.when(cursor.behind_since if cursor.lag.is_behind else None)

    moved = column("moved_at", gettext_lazy("Last read"), display.when, ordering="moved_at")

    @admin.display(description=gettext_lazy("Dead letters"))
    def letters(self, cursor: Any) -> SafeString | str:
        if not cursor.lag.dead_letters:
            return display.NOTHING
        url = reverse("admin:events_deadletter_changelist", query={"subscriber": cursor.name})
        return format_html('<a href="{}">{}</a>', url, display.number(cursor.lag.dead_letters))

    @admin.display(description=gettext_lazy("Last error"))
    def last_error(self, cursor: FeedCursor) -> str:
        return cursor.error or display.NOTHING


@admin.register(DeadLetter)
class DeadLetterAdmin(ModelAdmin):
    forbids = ("add", "change")
    list_display = ("type", "subscriber", "customer_id", "error", "when")
    list_filter = ("subscriber",)
    search_fields = ("type", "subscriber", "error")
    ordering = ("-pk",)
    actions = ("replay",)

    @admin.action(description=gettext_lazy("Replay"), permissions=["delete"])
    def replay(self, request: HttpRequest, letters: QuerySet[DeadLetter]) -> None:
        handled = 0
        for letter in letters.order_by("position"):
            try:
                dead_letters.replay(letter)
                handled += 1
            except dead_letters.NotReplayed as error:
                reason = masking.seen(str(error), masking.prose)
                self.message_user(request, f"{letter}: {reason}", messages.ERROR)
        if handled:
            text = ngettext("%s event was handled.", "%s events were handled.", handled)
            self.message_user(request, text % handled, messages.SUCCESS)

    when = column("at", gettext_lazy("When"), display.when, ordering="at")


@admin.register(MarketingEvent)
class MarketingEventAdmin(ModelAdmin):
    forbids = ("add", "change", "delete")
    list_display = ("type", "subject", "customer_id", "source", "when")
    list_filter = (("time", RangeDateTimeFilter),)
    search_fields = ("type", "=event_id")
    search_help_text = gettext_lazy("Type or id")
    ordering = ("-position",)

    when = column("time", gettext_lazy("When"), display.when, ordering="time")
