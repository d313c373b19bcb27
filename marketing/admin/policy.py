"""Rules that hold for all campaigns: how often a person is written to, and when at night not at all."""

from __future__ import annotations

from django.contrib import admin
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from crm.adminkit import display
from crm.adminkit.base import ModelAdmin
from marketing.models import FrequencyRule, QuietHours


class RuleAdmin(ModelAdmin):
    """What caps and quiet hours have in common."""

    list_filter = ("channel", "active")
    search_fields = ("name",)
    search_help_text = gettext_lazy("Name")

    @admin.display(description=gettext_lazy("Channel"), ordering="channel")
    def of_channel(self, rule: FrequencyRule | QuietHours) -> str:
        return rule.get_channel_display() if rule.channel else _("All together")

    @admin.display(description=gettext_lazy("State"), ordering="active")
    def in_force(self, rule: FrequencyRule | QuietHours) -> SafeString:
        if rule.active:
            return display.badge(_("Active"), "success")
        return display.badge(_("Off"))


@admin.register(FrequencyRule)
class FrequencyRuleAdmin(RuleAdmin):
    list_display = ("name", "at_most", "of_channel", "in_force")
    empty_says = gettext_lazy(
        "Without a cap, each campaign writes to everybody that it is for, however many messages they have had."
    )
    fieldsets = (
        (
            None,
            {
                "description": gettext_lazy(
                    "Counted over all campaigns as messages leave. Whoever has had enough is skipped,"
                    " except by campaigns that say “whatever the frequency caps”."
                ),
                "fields": (("name", "active"), ("messages", "days"), "channel"),
            },
        ),
    )

    @admin.display(description=gettext_lazy("At most"), ordering="messages")
    def at_most(self, rule: FrequencyRule) -> str:
        messages = ngettext("%(number)s message", "%(number)s messages", rule.messages)
        days = ngettext("in %(number)s day", "in %(number)s days", rule.days)
        return f"{messages % {'number': rule.messages}} {days % {'number': rule.days}}"


@admin.register(QuietHours)
class QuietHoursAdmin(RuleAdmin):
    list_display = ("name", "between", "of_channel", "in_force")
    empty_says = gettext_lazy(
        "Without quiet hours, messages leave at any time of the day and night."
    )
    fieldsets = (
        (
            None,
            {
                "description": gettext_lazy(
                    "On the clock of each customer's time zone, or the site's where it is not known."
                    " Messages wait until the hours are over; nobody is skipped."
                ),
                "fields": (("name", "active"), ("starts_at", "ends_at"), "channel"),
            },
        ),
    )

    @admin.display(description=gettext_lazy("Between"), ordering="starts_at")
    def between(self, rule: QuietHours) -> str:
        return f"{rule.starts_at:%H:%M} – {rule.ends_at:%H:%M}"
