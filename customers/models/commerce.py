"""Products, orders and order lines."""

from __future__ import annotations

from decimal import Decimal

from django.conf import settings
from django.db import models
from django.db.models.functions import Lower, Now
from django.utils.translation import gettext_lazy as _

from crm import masking
from crm.columns import OPTIONAL_TEXT
from customers.models.customer import Customer


class Product(models.Model):
    sku = models.CharField(_("SKU"), max_length=200)
    name = models.CharField(_("name"), max_length=300, **OPTIONAL_TEXT)
    department = models.CharField(_("department"), max_length=200, **OPTIONAL_TEXT)
    category = models.CharField(_("category"), max_length=200, **OPTIONAL_TEXT)
    brand = models.CharField(_("brand"), max_length=200, **OPTIONAL_TEXT)
    price = models.DecimalField(_("price"), max_digits=14, decimal_places=2, null=True, blank=True)
    attributes = models.JSONField(_("attributes"), blank=True, default=dict, db_default={})
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)
    updated_at = models.DateTimeField(_("updated"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("product")
        verbose_name_plural = _("products")
        constraints = [models.UniqueConstraint(fields=["sku"], name="product_sku_unique")]
        indexes = [
            models.Index(fields=["category"], name="product_category"),
            # rules compare without case; without statistics on that, the planner joins order lines one by one
            models.Index(Lower("category"), name="product_category_folded"),
            models.Index(Lower("brand"), name="product_brand_folded"),
        ]

    def __str__(self) -> str:
        return self.name or self.sku


def site_currency() -> str:
    return str(settings.CURRENCY)


class Order(masking.Personal):
    """One purchase; a refund is an order with a negative amount."""

    personal = {"attributes": masking.payload}

    external_id = models.CharField(_("order id"), max_length=200)
    customer = models.ForeignKey(
        Customer, models.CASCADE, related_name="orders", verbose_name=_("customer"), db_index=False
    )
    placed_at = models.DateTimeField(_("placed"))
    store = models.CharField(_("store"), max_length=100, **OPTIONAL_TEXT)
    currency = models.CharField(_("currency"), max_length=3, default=site_currency)
    amount = models.DecimalField(
        _("amount"),
        max_digits=14,
        decimal_places=2,
        help_text=_("Paid amount after discounts; the sum of the lines, if there are lines."),
    )
    discount = models.DecimalField(
        _("discount"), max_digits=14, decimal_places=2, default=Decimal(0), db_default=Decimal(0)
    )
    attributes = models.JSONField(_("attributes"), blank=True, default=dict, db_default={})
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)
    updated_at = models.DateTimeField(_("updated"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("order")
        verbose_name_plural = _("orders")
        constraints = [
            models.UniqueConstraint(fields=["external_id"], name="order_external_id_unique")
        ]
        indexes = [
            # the customer's page; conversions: a customer's orders in a window
            models.Index(fields=["customer", "placed_at"], name="order_customer_placed"),
            # revenue by month; newest first
            models.Index(fields=["-placed_at"], name="order_placed"),
        ]

    def __str__(self) -> str:
        return self.external_id


class OrderLine(models.Model):
    order = models.ForeignKey(
        Order, models.CASCADE, related_name="lines", verbose_name=_("order"), db_index=False
    )
    position = models.PositiveIntegerField(_("position"), help_text=_("From 1, as in the source."))
    product = models.ForeignKey(
        Product, models.PROTECT, related_name="lines", verbose_name=_("product"), null=True
    )
    name = models.CharField(
        _("name"),
        max_length=300,
        **OPTIONAL_TEXT,
        help_text=_("Name in the source, if the line is not a product of the catalogue."),
    )
    quantity = models.DecimalField(
        _("quantity"), max_digits=14, decimal_places=3, default=Decimal(1), db_default=Decimal(1)
    )
    amount = models.DecimalField(
        _("amount"), max_digits=14, decimal_places=2, default=Decimal(0), db_default=Decimal(0)
    )
    discount = models.DecimalField(
        _("discount"), max_digits=14, decimal_places=2, default=Decimal(0), db_default=Decimal(0)
    )

    class Meta:
        verbose_name = _("order line")
        verbose_name_plural = _("order lines")
        constraints = [
            models.UniqueConstraint(fields=["order", "position"], name="order_line_position_unique")
        ]

    def __str__(self) -> str:
        return f"{self.order_id}/{self.position}"
