"""The suppression list, topics and consents."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesCheckboxFilter
from unfold.decorators import action

from crm import masking
from crm.adminkit import display
from crm.adminkit.base import ModelAdmin, column
from crm.api import files
from crm.api.csv import lines
from customers.admin import suppression_form
from customers.admin.suppression_form import AddressesForm
from customers.consent import normalised
from customers.models import Consent, Suppression, Topic

TONES: dict[str, display.Tone] = {
    Consent.Decision.OPTED_IN: "success",
    Consent.Decision.OPTED_OUT: "danger",
    Consent.Decision.PENDING: "warning",
}


@admin.register(Topic)
class TopicAdmin(ModelAdmin):
    """The topics of the preference centre, in its order."""

    list_display = ("name", "slug", "description", "order")
    search_fields = ("name", "slug")
    prepopulated_fields = {"slug": ("name",)}
    fields = (("name", "slug"), "description", "order")


@admin.register(Consent)
class ConsentAdmin(ModelAdmin):
    """Consents, read-only: customers' decisions append them."""

    forbids = ("add", "change", "delete")

    list_display = ("customer", "channel", "topic", "decided", "evidence", "at")
    list_select_related = ("customer",)
    list_filter = (("decision", ChoicesCheckboxFilter), ("channel", ChoicesCheckboxFilter))
    search_fields = ("=customer__email", "=customer__external_id")
    search_help_text = _("The customer's e-mail or external id, in full")
    ordering = ("-id",)

    @admin.display(description=_("Decision"), ordering="decision")
    def decided(self, consent: Consent) -> SafeString:
        return display.badge(consent.get_decision_display(), TONES[consent.decision])

    at = column("decided_at", _("When"), display.when, ordering="decided_at")


@admin.register(Suppression)
class SuppressionAdmin(ModelAdmin):
    list_display = ("address", "channel", "why", "evidence", "since")
    list_filter = (("reason", ChoicesCheckboxFilter), ("channel", ChoicesCheckboxFilter))
    search_fields = ("address__istartswith",)
    search_help_text = _("The beginning of an address")
    empty_says = _(
        "Addresses are added when they hard-bounce or their owner complains. You can add others by hand."
    )
    ordering = ("-id",)
    fields = ("channel", "address", "reason", "evidence")
    actions_list = ("import_addresses", "export_csv")

    @action(description=_("Add addresses"), icon="playlist_add", permissions=["import_addresses"])
    def import_addresses(self, request: HttpRequest) -> HttpResponse:
        """Suppress a pasted list or a file of addresses."""
        form = AddressesForm(request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid():
            outcome = form.suppress()
            self.message_user(request, suppression_form.describe_result(outcome), messages.SUCCESS)
            return redirect("admin:customers_suppression_changelist")
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "form": form,
            "title": _("Add to the suppression list"),
        }
        return TemplateResponse(request, "admin/customers/suppression/import.html", context)

    @action(description=_("Export CSV"), icon="download", permissions=["view"])
    def export_csv(self, request: HttpRequest) -> HttpResponseBase:
        if files.EXPORTS.are_taken(request.user.pk):
            text = _("Too many exports at a time. Wait until one of them has ended.")
            self.message_user(request, text, messages.WARNING)
            return redirect("admin:customers_suppression_changelist")
        columns = ("channel", "address", "reason", "evidence", "created_at")
        found = Suppression.objects.order_by("pk").values_list(*columns).iterator(chunk_size=2_000)
        rows = (masking.row(Suppression, columns, each) for each in found)
        response = StreamingHttpResponse(
            files.EXPORTS.hold(lines(columns, rows), request.user.pk), content_type="text/csv"
        )
        response["Content-Disposition"] = 'attachment; filename="suppressions.csv"'
        return response

    def has_import_addresses_permission(self, request: HttpRequest) -> bool:
        return self.has_add_permission(request)

    def save_model(self, request: HttpRequest, obj: Suppression, form: Any, change: bool) -> None:
        with suppress(ValueError):  # an invalid address can be on the list all the same
            obj.address = normalised(obj.channel, obj.address)
        super().save_model(request, obj, form, change)

    @admin.display(description=_("Reason"), ordering="reason")
    def why(self, suppression: Suppression) -> SafeString:
        tone: display.Tone = (
            "neutral" if suppression.reason == Suppression.Reason.MANUAL else "danger"
        )
        return display.badge(suppression.get_reason_display(), tone)

    since = column("created_at", _("Since"), display.when, ordering="created_at")
