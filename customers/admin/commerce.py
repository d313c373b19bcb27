"""Orders and products, read-only: imports and the API write them."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

from django import forms
from django.contrib import admin, messages
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.contrib.filters.admin import RangeDateTimeFilter, RangeNumericFilter
from unfold.decorators import action
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminTextInputWidget

from crm.accounts.saved_views import SavedViews
from crm.adminkit import confirm, display
from crm.adminkit.base import ModelAdmin, column
from customers.admin.import_form import ImportButton
from customers.ingest import Refused, record_refund
from customers.models import ExchangeRate, Order, OrderLine, Product


class RefundForm(forms.Form):
    """A refund of an order: an amount of what is left of it, its time and its reason."""

    amount = forms.DecimalField(
        label=_("Amount"), max_digits=12, decimal_places=2, min_value=Decimal("0.01"),
        widget=UnfoldAdminDecimalFieldWidget,
    )  # fmt: skip
    refunded_at = forms.DateTimeField(
        label=_("Time of the refund"), widget=UnfoldAdminTextInputWidget
    )
    reason = forms.CharField(
        label=_("Reason"), max_length=300, required=False, widget=UnfoldAdminTextInputWidget
    )
    number = forms.CharField(max_length=40, widget=forms.HiddenInput)
    """A part of the refund's id, so that the form sent twice is one refund."""

    def __init__(self, order: Order, data: Any = None) -> None:
        self.order, self.left = order, order.amount - order.refunded
        now = timezone.localtime().strftime("%Y-%m-%d %H:%M")
        super().__init__(
            data, initial={"amount": self.left, "refunded_at": now, "number": uuid4().hex[:16]}
        )

    def clean_amount(self) -> Decimal:
        amount: Decimal = self.cleaned_data["amount"]
        if amount > self.left:
            raise forms.ValidationError(
                _("Only %s of the order is left to refund.")
                % display.money(self.left, self.order.currency)
            )
        return amount

    def clean_refunded_at(self) -> datetime:
        at: datetime = self.cleaned_data["refunded_at"]
        if at > timezone.now():
            raise forms.ValidationError(_("Enter a time in the past."))
        return at

    def record(self) -> None:
        """Record the refund. Raises Refused."""
        cleaned = self.cleaned_data
        given = {"order_amount": cleaned["amount"], "placed_at": cleaned["refunded_at"]}
        if cleaned["reason"]:
            given["attributes.reason"] = cleaned["reason"]
        record_refund(self.order, f"{self.order.external_id[:180]}~{cleaned['number']}", given)


class LineInline(TabularInline):
    model = OrderLine
    tab = False
    extra = 0
    can_delete = False
    fields = ("what", "quantity", "line_amount", "line_discount")
    readonly_fields = fields
    ordering = ("position",)
    verbose_name_plural = _("lines")

    def get_queryset(self, request: HttpRequest) -> QuerySet[OrderLine]:
        return super().get_queryset(request).select_related("product", "order")

    def has_add_permission(self, request: HttpRequest, obj: Order | None = None) -> bool:
        return False

    @admin.display(description=_("Product"))
    def what(self, line: OrderLine) -> str:
        return str(line.product) if line.product else line.name

    @admin.display(description=_("Amount"))
    def line_amount(self, line: OrderLine) -> str:
        return display.money(line.amount, line.order.currency)

    @admin.display(description=_("Discount"))
    def line_discount(self, line: OrderLine) -> str:
        return (
            display.money(line.discount, line.order.currency) if line.discount else display.NOTHING
        )


class RefundInline(TabularInline):
    """The refunds, returns and cancellations of an order, with their reasons."""

    model = Order
    fk_name = "refund_of"
    tab = False
    extra = 0
    can_delete = False
    show_change_link = True
    fields = ("type_of_row", "refunded_at", "taken_back", "reason")
    readonly_fields = fields
    ordering = ("placed_at",)
    verbose_name_plural = _("refunds")

    def has_add_permission(self, request: HttpRequest, obj: Order | None = None) -> bool:
        return False

    @admin.display(description=_("Kind"))
    def type_of_row(self, refund: Order) -> str:
        return refund.get_kind_display()

    @admin.display(description=_("Refunded on"))
    def refunded_at(self, refund: Order) -> Any:
        return display.when(refund.placed_at)

    @admin.display(description=_("Amount"))
    def taken_back(self, refund: Order) -> str:
        return display.money(refund.amount, refund.currency)

    @admin.display(description=_("Reason"))
    def reason(self, refund: Order) -> str:
        return str(refund.attributes.get("reason") or display.NOTHING)


class WaitsForRate(admin.SimpleListFilter):
    title = _("exchange rate")
    parameter_name = "rate"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, Any]]:
        return [("none", _("Waiting for a rate"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Order]) -> QuerySet[Order]:
        return queryset.filter(rate=None) if self.value() == "none" else queryset


@admin.register(ExchangeRate)
class ExchangeRateAdmin(ImportButton, ModelAdmin):
    """Exchange rates, read-only: imports and the API write them, and convert the orders that they concern."""

    import_kind = "exchange_rates"
    forbids = ("add", "change", "delete")
    list_display = ("day", "base", "currency", "rate")
    list_filter = ("currency",)
    ordering = ("-day", "currency")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ExchangeRate]:
        return super().get_queryset(request).exclude(base=F("currency"))


@admin.register(Order)
class OrderAdmin(SavedViews, ImportButton, ModelAdmin):
    """Orders, read-only, because they are facts; a refund is a fact of its own."""

    forbids = ("add", "change", "delete")
    actions_detail = ("refund",)

    import_kind = "orders"
    list_display = (
        "external_id",
        "type_of_row",
        "buyer",
        "paid",
        "after_refunds",
        "placed",
        "store",
    )
    list_select_related = ("customer",)
    list_filter = (
        "kind",
        WaitsForRate,
        ("placed_at", RangeDateTimeFilter),
        ("amount", RangeNumericFilter),
    )
    search_fields = ("=external_id", "=customer__email", "=customer__external_id")
    search_help_text = _("Order id, or the customer's e-mail or external id, in full")
    ordering = ("-placed_at",)
    fields = (
        ("external_id", "placed_at"),
        ("customer", "store"),
        ("amount", "currency"),
        ("discount", "refunded"),
        ("rate", "net"),
        ("kind", "refund_of"),
        "attributes",
    )
    inlines = (LineInline, RefundInline)

    def has_refund_permission(self, request: HttpRequest, object_id: str | int = "") -> bool:
        may_write = request.user.has_perms(["customers.add_order", "customers.change_order"])
        purchases = Order.objects.purchases().filter(pk=object_id) if object_id else None
        return may_write and (purchases is None or purchases.exists())

    @action(description=_("Record refund"), icon="undo", permissions=["refund"])
    def refund(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Confirm and record a refund of the order."""
        order = get_object_or_404(Order.objects.purchases(), pk=object_id)
        form = RefundForm(order, request.POST if confirm.given(request) else None)
        page = reverse("admin:customers_order_change", args=[order.pk])
        if form.is_bound and form.is_valid():
            try:
                form.record()
            except Refused as error:
                form.add_error(None, str(error))
            else:
                self.message_user(request, _("Refund recorded."), messages.SUCCESS)
                return redirect(page)
        return confirm.page(
            self,
            request,
            title=_("Record a refund of this order?"),
            button=_("Record refund"),
            facts=[confirm.Fact(display.money(form.left, order.currency), _("left of the order"))],
            note=_("The refund lowers the money of the order. It sends nothing and pays nothing."),
            form=form,
            back=page,
            about=order,
        )

    @admin.display(description=_("Customer"))
    def buyer(self, order: Order) -> str:
        return str(order.customer)

    @admin.display(description=_("Kind"), ordering="kind")
    def type_of_row(self, order: Order) -> str:
        return order.get_kind_display()

    @admin.display(description=_("Net amount"), ordering="net")
    def after_refunds(self, order: Order) -> SafeString | str:
        if order.net is None:
            return display.badge(_("waiting for a rate"), "warning")
        return display.NOTHING if order.refund_of_id else display.money(order.net)

    @admin.display(description=_("Amount"), ordering="amount")
    def paid(self, order: Order) -> SafeString:
        return format_html(
            '<span class="figure">{}</span>', display.money(order.amount, order.currency)
        )

    placed = column("placed_at", _("Placed"), display.when, ordering="placed_at")


@admin.register(Product)
class ProductAdmin(ImportButton, ModelAdmin):
    import_kind = "products"
    list_display = ("named", "sku", "category", "brand", "costs")
    list_filter = (("price", RangeNumericFilter),)
    search_fields = ("sku__startswith", "name__istartswith", "category__istartswith")
    search_help_text = _("SKU, name or category, from its beginning")
    ordering = ("-id",)
    fields = (
        ("sku", "name"),
        ("department", "category"),
        ("brand", "price"),
        "launch_date",
        "attributes",
    )

    @admin.display(description=_("Product"), ordering="name")
    def named(self, product: Product) -> str:
        return product.name or display.NOTHING

    costs = column("price", _("Price"), display.money, ordering="price")
