"""The admin of the limits for all campaigns: frequency caps and quiet hours."""

from __future__ import annotations

from django.contrib import admin
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from crm.adminkit import display
from crm.adminkit.base import ModelAdmin
from marketing.models import FrequencyRule, QuietHours


class RuleAdmin(ModelAdmin):
    """Common base of frequency caps and quiet hours."""

    list_filter = ("channel", "active")
    search_fields = ("name",)
    search_help_text = gettext_lazy("Name")

    @admin.display(description=gettext_lazy("Channel"), ordering="channel")
    def of_channel(self, rule: FrequencyRule | QuietHours) -> str:
        return rule.get_channel_display() if rule.channel else _("All channels")

    @admin.display(description=gettext_lazy("State"), ordering="active")
    def in_force(self, rule: FrequencyRule | QuietHours) -> SafeString:
        if rule.active:
            return display.badge(_("Active"), "success")
        return display.badge(_("Inactive"))


@admin.register(FrequencyRule)
class FrequencyRuleAdmin(RuleAdmin):
    list_display = ("name", "cap", "of_channel", "in_force")
    empty_says = gettext_lazy(
        "A frequency cap limits how many messages a customer receives from all campaigns together."
    )
    fieldsets = (
        (
            None,
            {
                "description": gettext_lazy(
                    "Counts the messages of all campaigns. Customers at the cap are skipped,"
                    " except by campaigns that ignore frequency caps."
                ),
                "fields": (("name", "active"), ("messages", "days"), "channel"),
            },
        ),
    )

    @admin.display(description=gettext_lazy("Cap"), ordering="messages")
    def cap(self, rule: FrequencyRule) -> str:
        messages = ngettext("%(number)s message", "%(number)s messages", rule.messages)
        days = ngettext("in %(number)s day", "in %(number)s days", rule.days)
        return f"{messages % {'number': rule.messages}} {days % {'number': rule.days}}"


@admin.register(QuietHours)
class QuietHoursAdmin(RuleAdmin):
    list_display = ("name", "hours", "of_channel", "in_force")
    empty_says = gettext_lazy(
        "Quiet hours are the times of day at which customers receive no messages."
    )
    fieldsets = (
        (
            None,
            {
                "description": gettext_lazy(
                    "In each customer's time zone, or the site's where it is unknown."
                    " Messages wait until quiet hours end; no customer is skipped."
                ),
                "fields": (("name", "active"), ("starts_at", "ends_at"), "channel"),
            },
        ),
    )

    @admin.display(description=gettext_lazy("Hours"), ordering="starts_at")
    def hours(self, rule: QuietHours) -> str:
        return f"{rule.starts_at:%H:%M} – {rule.ends_at:%H:%M}"
