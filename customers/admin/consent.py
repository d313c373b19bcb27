"""Addresses that are never written to. What customers allow is on their own page."""

from __future__ import annotations

from django.contrib import admin
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesCheckboxFilter

from crm.adminkit import display
from crm.adminkit.base import ModelAdmin
from customers.models import Consent, Suppression


@admin.register(Consent)
class ConsentAdmin(ModelAdmin):
    """Decisions are appended by what people do; here they can be read."""

    list_display = ("customer", "channel", "topic", "decided", "evidence", "at")
    list_select_related = ("customer",)
    list_filter = (("decision", ChoicesCheckboxFilter), ("channel", ChoicesCheckboxFilter))
    search_fields = ("=customer__email", "=customer__external_id")
    search_help_text = _("The customer's e-mail or external id, in full")
    ordering = ("-id",)

    @admin.display(description=_("Decision"), ordering="decision")
    def decided(self, consent: Consent) -> SafeString:
        tone: display.Tone = (
            "success" if consent.decision == Consent.Decision.OPTED_IN else "danger"
        )
        return display.badge(consent.get_decision_display(), tone)

    @admin.display(description=_("When"), ordering="decided_at")
    def at(self, consent: Consent) -> str:
        return display.when(consent.decided_at)

    def has_add_permission(self, request: object) -> bool:
        return False

    def has_change_permission(self, request: object, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: object, obj: object = None) -> bool:
        return False


@admin.register(Suppression)
class SuppressionAdmin(ModelAdmin):
    list_display = ("address", "channel", "why", "evidence", "since")
    list_filter = (("reason", ChoicesCheckboxFilter), ("channel", ChoicesCheckboxFilter))
    search_fields = ("address__istartswith",)
    ordering = ("-id",)
    fields = ("channel", "address", "reason", "evidence")

    @admin.display(description=_("Reason"), ordering="reason")
    def why(self, suppression: Suppression) -> SafeString:
        tone: display.Tone = (
            "neutral" if suppression.reason == Suppression.Reason.MANUAL else "danger"
        )
        return display.badge(suppression.get_reason_display(), tone)

    @admin.display(description=_("Since"), ordering="created_at")
    def since(self, suppression: Suppression) -> str:
        return display.when(suppression.created_at)
