"""The admin of customers: the list, and the page of one."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import admin
from django.core.paginator import Page
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesCheckboxFilter, RangeNumericFilter
from unfold.decorators import action

from crm import masking
from crm.accounts.saved_views import SavedViews
from crm.adminkit import display
from crm.adminkit.base import ModelAdmin, column
from crm.estimated_counts import CheapPaginator
from customers import consent, identity
from customers.admin import customer_filters as filters
from customers.admin import customer_page
from customers.admin.bulk_actions import BulkActions
from customers.admin.consent_decision import ConsentDecision
from customers.admin.customer_form import CustomerForm
from customers.admin.customer_timeline import TimelinePages
from customers.admin.import_form import ImportButton
from customers.admin.privacy import PersonalData
from customers.models import Customer
from customers.querysets import CustomerQuerySet

FEW = 5_000


EDITING = "edit"
"""The parameter of a customer's page that opens the form."""


class FewMatchesPaginator(CheapPaginator):
    """Fetches few matches by key. For a page of the newest, PostgreSQL walks from the newest customer and hopes for matches; where they
    are old it walks the whole table. Their keys the count has just found by an index."""

    def page(self, number: int | str) -> Page[Any]:
        found = cast(QuerySet[Customer], self.object_list)
        if not self.measured.estimated and self.count <= FEW and found.query.has_filters():
            keys = list(found.order_by().values_list("pk", flat=True))
            self.object_list = found.filter(pk__in=keys)
        return super().page(number)


@admin.register(Customer)
class CustomerAdmin(
    SavedViews, BulkActions, TimelinePages, ConsentDecision, PersonalData, ImportButton, ModelAdmin
):
    form = CustomerForm
    import_kind = "customers"
    paginator = FewMatchesPaginator
    list_display = ("who", "lifecycle", "tagged", "spent", "order_count", "ordered", "lives_in")
    list_filter = (
        ("lifecycle_status", ChoicesCheckboxFilter),
        filters.SegmentFilter,
        filters.TagFilter,
        filters.ConsentFilter,
        filters.CountryFilter,
        filters.CityFilter,
        ("total_spend", RangeNumericFilter),
        ("order_count", RangeNumericFilter),
        ("last_order_at", filters.DayRange),
        ("last_visit_at", filters.DayRange),
        ("registered_at", filters.DayRange),
    )
    search_fields = ("email", "external_id", "first_name", "last_name", "phone")
    search_help_text = _("Name, e-mail, phone or id, from its beginning")
    ordering = ("-id",)
    change_form_template = "admin/customers/customer/page.html"
    change_form_show_cancel_button = True
    actions_detail = ("edit", *ConsentDecision.actions_detail, *PersonalData.actions_detail)
    fieldsets = (
        (
            _("Who"),
            {
                "fields": (
                    ("first_name", "last_name"),
                    ("email", "phone"),
                    ("external_id", "date_of_birth"),
                )
            },
        ),
        (
            _("Where"),
            {
                "classes": ["tab"],
                "fields": (("city", "region"), ("country", "language"), "timezone"),
            },
        ),
        (
            _("Marketing"),
            {
                "classes": ["tab"],
                "fields": (("lifecycle_status", "source"), "tags", "registered_at"),
            },
        ),
        (_("Attributes"), {"classes": ["tab"], "fields": ("attributes",)}),
    )

    class Media:
        css = {"all": ("kindling/customers.css",)}

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Require unmasked data: the errors of the form confirm that an address exists."""
        return super().has_add_permission(request) and not masking.is_on()

    def has_change_permission(self, request: HttpRequest, obj: Customer | None = None) -> bool:
        return super().has_change_permission(request, obj) and not masking.is_on()

    def has_delete_permission(self, request: HttpRequest, obj: Customer | None = None) -> bool:
        """Offer no deletion: erasing, which clears imported files and logs as well, is the one way to remove a customer."""
        return False

    @action(description=_("Edit"), icon="edit", permissions=["change"])
    def edit(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return HttpResponseRedirect(f"{_page_of(object_id)}?{EDITING}=1")

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        """Search all fields: CustomerQuerySet.search() knows which are hidden from the user."""
        return list(self.search_fields)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Customer], search_term: str
    ) -> tuple[QuerySet[Customer], bool]:
        return cast(CustomerQuerySet, queryset).search(search_term), False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Customer]:
        """Leave erased customers out of the list; their pages stay, which receipts link to."""
        found = super().get_queryset(request)
        is_page = request.resolver_match and "object_id" in request.resolver_match.kwargs
        return found if is_page else found.filter(erased_at=None)

    def page_context(self, request: HttpRequest, obj: Customer) -> dict[str, Any]:
        if request.method == "POST" or EDITING in request.GET:
            return {}
        return {"is_profile": True, **customer_page.profile(request, obj)}

    def response_post_save_change(self, request: HttpRequest, obj: Customer) -> HttpResponse:
        """Redirect to the profile rather than the list."""
        return HttpResponseRedirect(_page_of(obj.pk))

    def save_model(self, request: HttpRequest, obj: Customer, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        consent.forget_erased([obj.external_id, obj.email, obj.phone])
        identity.note_saved(obj, is_new=not change)

    @admin.display(description=_("Customer"), ordering="last_name")
    def who(self, customer: Customer) -> SafeString:
        return format_html(
            '<span class="flex flex-col"><span class="font-semibold text-important">{}</span><span>{}</span></span>',
            str(customer),
            (customer.email or "") if customer.name else (customer.external_id or ""),
        )

    @admin.display(description=_("Lifecycle"), ordering="lifecycle_status")
    def lifecycle(self, customer: Customer) -> SafeString:
        tone = customer_page.LIFECYCLE_TONES[customer.lifecycle_status]
        return display.badge(customer.get_lifecycle_status_display(), tone)

    tagged = column("tags", _("Tags"), display.tags)
    spent = column("total_spend", _("Total spend"), display.money, ordering="total_spend")
    ordered = column("last_order_at", _("Last order"), display.when, ordering="last_order_at")

    @admin.display(description=_("Place"), ordering="country")
    def lives_in(self, customer: Customer) -> str:
        return (
            ", ".join(part for part in (customer.city, customer.country) if part) or display.NOTHING
        )


def _page_of(pk: int | str) -> str:
    return reverse("admin:customers_customer_change", args=[pk])
