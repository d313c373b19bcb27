"""The admin of service tickets, visits and interests."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import (
    ChoicesCheckboxFilter,
    RangeDateTimeFilter,
    RangeNumericFilter,
)

from crm.adminkit import display
from crm.adminkit.base import ModelAdmin, column
from crm.api import ids
from customers.admin.import_form import ImportButton
from customers.ingest import clean_service, record_service
from customers.models import CustomerInterest, ServiceInteraction, Visit

TONES: dict[str, display.Tone] = {
    ServiceInteraction.Type.COMPLAINT: "danger",
    ServiceInteraction.Type.INQUIRY: "info",
    ServiceInteraction.Type.FEEDBACK: "success",
}
NOTED: tuple[Any, ...] = (
    ("type", "channel"),
    ("occurred_at", "resolved_at"),
    ("product", "satisfaction"),
    "subject",
    "message",
    "resolution",
)
WRITTEN = ("type", "channel", "subject", "message", "resolution", "satisfaction")
BY_CUSTOMER = ("=customer__email", "=customer__external_id")


class RecordAdmin(ImportButton, ModelAdmin):
    """Records, read-only, because they are facts."""

    forbids = ("add", "change")

    list_select_related = ("customer",)

    @admin.display(description=_("Customer"))
    def who(self, record: ServiceInteraction | Visit | CustomerInterest) -> str:
        return str(record.customer)

    when = column("occurred_at", _("When"), display.when, ordering="occurred_at")


@admin.register(ServiceInteraction)
class ServiceInteractionAdmin(RecordAdmin):
    import_kind = "service_interactions"
    list_display = ("__str__", "sort", "who", "stars", "is_resolved", "when")
    list_filter = (
        ("type", ChoicesCheckboxFilter),
        ("satisfaction", RangeNumericFilter),
        ("occurred_at", RangeDateTimeFilter),
    )
    search_fields = ("=external_id", *BY_CUSTOMER, "subject__istartswith")
    search_help_text = _(
        "Id, the customer's e-mail or external id in full, or a subject's beginning"
    )
    ordering = ("-occurred_at",)
    fields = (("external_id", "customer"), *NOTED, "attributes")
    autocomplete_fields = ("customer", "product")
    actions_list = ("import_file",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Service tickets. Staff can add one for a call or a visit to the shop."""
        return admin.ModelAdmin.has_add_permission(self, request)

    def get_fields(self, request: HttpRequest, obj: ServiceInteraction | None = None) -> Any:
        return self.fields if obj else ("customer", *NOTED)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        asked = request.GET.get("customer", "")
        return {
            "occurred_at": timezone.now(),
            **({"customer": asked} if asked.isdecimal() else {}),
        }

    def save_model(
        self, request: HttpRequest, obj: ServiceInteraction, form: Any, change: bool
    ) -> None:
        """Write the ticket as an import does, so that it appears on the timeline."""
        given = {
            **{name: getattr(obj, name) for name in WRITTEN},
            "customer_id": ids.encode("cus", obj.customer_id),
            "occurred_at": obj.occurred_at.isoformat(),
            "resolved_at": obj.resolved_at and obj.resolved_at.isoformat(),
            "sku": obj.product and obj.product.sku,
        }
        obj.pk = record_service([clean_service(given)])[0].pk

    @admin.display(description=_("Type"), ordering="type")
    def sort(self, contact: ServiceInteraction) -> SafeString:
        return display.badge(contact.get_type_display(), TONES.get(contact.type, "neutral"))

    @admin.display(description=_("Satisfaction"), ordering="satisfaction")
    def stars(self, contact: ServiceInteraction) -> str:
        return f"{contact.satisfaction} / 5" if contact.satisfaction else display.NOTHING

    @admin.display(description=_("Resolved"), boolean=True)
    def is_resolved(self, contact: ServiceInteraction) -> bool:
        return bool(contact.resolved_at or contact.resolution)


@admin.register(Visit)
class VisitAdmin(RecordAdmin):
    import_kind = "visits"
    list_display = ("__str__", "who", "device", "pages", "when")
    list_filter = (("occurred_at", RangeDateTimeFilter),)
    search_fields = ("=external_id", *BY_CUSTOMER, "url__istartswith")
    search_help_text = _(
        "Id, the customer's e-mail or external id in full, or an address's beginning"
    )
    ordering = ("-occurred_at",)
    fields = (
        ("external_id", "customer"),
        ("occurred_at", "device"),
        ("url", "title"),
        ("pages", "seconds"),
        "referrer",
        "attributes",
    )


@admin.register(CustomerInterest)
class InterestAdmin(RecordAdmin):
    import_kind = "interests"
    list_display = ("category", "who", "strength", "source")
    list_filter = (("source", ChoicesCheckboxFilter),)
    search_fields = ("category__istartswith", *BY_CUSTOMER)
    search_help_text = _("A category's beginning, or the customer's e-mail or external id in full")
    ordering = ("-id",)

    @admin.display(description=_("Score"), ordering="score")
    def strength(self, interest: CustomerInterest) -> SafeString:
        return display.bar(round(interest.score * 100), 100)
