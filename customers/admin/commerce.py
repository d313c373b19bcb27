"""Orders and products, read-only: imports and the API write them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.contrib.filters.admin import RangeDateTimeFilter, RangeNumericFilter

from crm.adminkit import display
from crm.adminkit.base import ModelAdmin, column
from customers.admin.import_form import ImportButton
from customers.models import ExchangeRate, Order, OrderLine, Product


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
class OrderAdmin(ImportButton, ModelAdmin):
    """Orders, read-only, because they are facts."""

    forbids = ("add", "change", "delete")

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
        ("amount", "discount", "currency"),
        ("refunded", "rate", "net"),
        ("kind", "refund_of"),
        "attributes",
    )
    inlines = (LineInline,)

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
    fields = (("sku", "name"), ("department", "category"), ("brand", "price"), "attributes")

    @admin.display(description=_("Product"), ordering="name")
    def named(self, product: Product) -> str:
        return product.name or display.NOTHING

    costs = column("price", _("Price"), display.money, ordering="price")
