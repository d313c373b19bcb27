"""Products, orders and order lines."""

from __future__ import annotations

from decimal import Decimal

from django.conf import settings
from django.db import models
from django.db.models.functions import Lower, Now, Round
from django.utils.translation import gettext_lazy as _

from crm import masking
from crm.columns import OPTIONAL_TEXT
from customers.models.customer import Customer
from customers.querysets import OrderQuerySet


class Product(models.Model):
    sku = models.CharField(_("SKU"), max_length=200)
    name = models.CharField(_("name"), max_length=300, **OPTIONAL_TEXT)
    department = models.CharField(_("department"), max_length=200, **OPTIONAL_TEXT)
    category = models.CharField(_("category"), max_length=200, **OPTIONAL_TEXT)
    brand = models.CharField(_("brand"), max_length=200, **OPTIONAL_TEXT)
    price = models.DecimalField(_("price"), max_digits=14, decimal_places=2, null=True, blank=True)
    launch_date = models.DateField(_("launch date"), null=True, blank=True)
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
    """An order, or what takes one back in part or whole: a refund, a cancellation or a return, each a row of its own.

    What takes back has an amount below zero and, where its order is known, lowers `refunded` of the order. So the sum of `net` is the
    money of any set of rows, in the site's currency, and the rows of the kind ORDER alone are purchases.
    """

    class Kind(models.TextChoices):
        ORDER = "order", _("Order")
        REFUND = "refund", _("Refund")
        CANCELLATION = "cancellation", _("Cancellation")
        RETURN = "return", _("Return")

    personal = {"attributes": masking.payload}

    kind = models.CharField(
        _("kind"), max_length=12, choices=Kind, default=Kind.ORDER, db_default=Kind.ORDER
    )
    external_id = models.CharField(_("order id"), max_length=200)
    customer = models.ForeignKey(
        Customer, models.CASCADE, related_name="orders", verbose_name=_("customer"), db_index=False
    )
    placed_at = models.DateTimeField(_("placed"))
    store = models.CharField(
        _("store"),
        max_length=100,
        help_text=_("Order ids are unique in a store."),
        **OPTIONAL_TEXT,
    )
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
    refunded = models.DecimalField(
        _("refunded"),
        max_digits=14,
        decimal_places=2,
        default=Decimal(0),
        db_default=Decimal(0),
        help_text=_("Part of the amount that refunds, cancellations and returns took back."),
    )
    rate = models.DecimalField(
        _("exchange rate"),
        max_digits=24,
        decimal_places=12,
        null=True,
        blank=True,
        help_text=_("Value of one unit of the currency in the site's currency, on the day."),
    )
    net = models.GeneratedField(
        expression=models.Case(
            models.When(
                refund_of=None,
                then=Round((models.F("amount") - models.F("refunded")) * models.F("rate"), 2),
            ),
            default=Decimal(0),
        ),
        output_field=models.DecimalField(_("net amount"), max_digits=20, decimal_places=2),
        db_persist=True,
        verbose_name=_("net amount"),
        help_text=_("Amount after refunds in the site's currency; empty without an exchange rate."),
    )
    refund_of = models.ForeignKey(
        "self",
        models.CASCADE,
        related_name="refunds",
        verbose_name=_("refunded order"),
        null=True,
        blank=True,
        db_index=False,
    )
    refunded_order = models.CharField(
        _("id of the refunded order"), max_length=200, **OPTIONAL_TEXT
    )
    is_whole = models.BooleanField(_("takes the whole order back"), default=False, db_default=False)
    attributes = models.JSONField(_("attributes"), blank=True, default=dict, db_default={})
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)
    updated_at = models.DateTimeField(_("updated"), db_default=Now(), editable=False)

    objects = OrderQuerySet.as_manager()

    class Meta:
        verbose_name = _("order")
        verbose_name_plural = _("orders")
        constraints = [
            # in this order, for the look-up of an order by its id alone
            models.UniqueConstraint(fields=["external_id", "store", "kind"], name="order_once"),
            models.CheckConstraint(
                condition=models.Q(kind="order", amount__gte=0)
                | (~models.Q(kind="order") & models.Q(amount__lte=0)),
                name="order_adds_and_refund_takes",
            ),
        ]
        indexes = [
            # the customer's page; conversions: a customer's orders in a window
            models.Index(fields=["customer", "placed_at"], name="order_customer_placed"),
            # revenue by month; newest first
            models.Index(fields=["-placed_at"], name="order_placed"),
            # the refunds of orders that are written
            models.Index(
                fields=["refund_of"],
                condition=models.Q(refund_of__isnull=False),
                name="order_refund_of",
            ),
            # refunds that came before their order
            models.Index(
                fields=["refunded_order"],
                condition=~models.Q(refunded_order="") & models.Q(refund_of=None),
                name="order_refund_waits",
            ),
            # orders that a new exchange rate lets take part
            models.Index(
                fields=["currency", "placed_at"],
                condition=models.Q(rate=None),
                name="order_waits_for_rate",
            ),
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
    refunded = models.DecimalField(
        _("refunded"), max_digits=14, decimal_places=2, default=Decimal(0), db_default=Decimal(0)
    )

    class Meta:
        verbose_name = _("order line")
        verbose_name_plural = _("order lines")
        constraints = [
            models.UniqueConstraint(fields=["order", "position"], name="order_line_position_unique")
        ]

    def __str__(self) -> str:
        return f"{self.order_id}/{self.position}"


class ExchangeRate(models.Model):
    """`rate` units of `currency` are worth one of `base`, as central banks publish it."""

    day = models.DateField(_("day"))
    base = models.CharField(_("base currency"), max_length=3)
    currency = models.CharField(_("currency"), max_length=3)
    rate = models.DecimalField(
        _("rate"),
        max_digits=24,
        decimal_places=12,
        help_text=_("Units of the currency for one unit of the base currency."),
    )
    updated_at = models.DateTimeField(_("updated"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("exchange rate")
        verbose_name_plural = _("exchange rates")
        ordering = ["-day", "base", "currency"]
        constraints = [
            models.UniqueConstraint(fields=["currency", "day", "base"], name="exchange_rate_once"),
            models.CheckConstraint(condition=models.Q(rate__gt=0), name="exchange_rate_above_zero"),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.base}/{self.currency} {self.rate.normalize():f}"
