"""Orders and products over the API."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar

import django_filters
from django.db.models import F, Prefetch
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.generics import get_object_or_404
from rest_framework.mixins import RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from crm.api import ids, rights
from crm.api.endpoint import Endpoint
from crm.api.lists import Lists
from customers import clean
from customers.api import rows
from customers.api.customers import EVIDENCE
from customers.api.order_input import GivenOrder, read_order, record_orders
from customers.api.serializers import (
    BatchResultSerializer,
    OrderBatchSerializer,
    OrderInputSerializer,
    OrderSerializer,
    ProductSerializer,
    WrittenOrderSerializer,
)
from customers.ingest import (
    EXCHANGE_RATE,
    OrderResult,
    Outcome,
    Refused,
    SameRefund,
    clean_product,
    clean_rate,
    upsert_products,
    write_rates,
)
from customers.models import ExchangeRate, Order, OrderLine, Product

ORDER_ID = OpenApiParameter(
    "id", OpenApiTypes.STR, OpenApiParameter.PATH, description="The order's own id."
)
STORE = OpenApiParameter(
    "store", str, description="The store of the order, if several have one with this id."
)
SKU = OpenApiParameter("id", OpenApiTypes.STR, OpenApiParameter.PATH, description="The SKU.")

UPSERT_ORDERS = rights.ingest("customers.add_order", "customers.change_order")
UPSERT_PRODUCTS = rights.ingest("customers.add_product", "customers.change_product")
UPSERT_RATES = rights.ingest("customers.add_exchangerate", "customers.change_exchangerate")


class OrderFilter(django_filters.FilterSet):
    customer = django_filters.CharFilter(
        field_name="customer__external_id", help_text="External id."
    )
    placed = django_filters.IsoDateTimeFromToRangeFilter(field_name="placed_at")
    amount = django_filters.RangeFilter()

    waits_for_rate = django_filters.BooleanFilter(
        field_name="rate", lookup_expr="isnull", help_text="Orders in a currency without a rate."
    )

    class Meta:
        model = Order
        fields: ClassVar[list[str]] = ["store", "currency"]


class RefundFilter(OrderFilter):
    refund_of = django_filters.CharFilter(field_name="refunded_order", help_text="Id of an order.")
    is_matched = django_filters.BooleanFilter(
        field_name="refund_of",
        lookup_expr="isnull",
        exclude=True,
        help_text="Whether the refunded order is known.",
    )

    class Meta(OrderFilter.Meta):
        fields: ClassVar[list[str]] = ["store", "currency", "kind"]


class _Rows(Endpoint, Lists, RetrieveModelMixin, GenericViewSet[Order]):
    serializer_class = OrderSerializer
    filterset_class = OrderFilter
    search_fields = ("=external_id", "=customer__email", "=customer__external_id")
    ordering_fields = ("id", "placed_at", "amount")
    lookup_url_kwarg = "id"
    lookup_value_regex = ids.IN_PATH

    def get_object(self) -> Order:
        rows = self.get_queryset().filter(external_id=str(self.kwargs["id"]))
        if (store := self.request.query_params.get("store")) is not None:
            rows = rows.filter(store=store)
        if len(rows[:2]) > 1:
            raise ValidationError({"store": [_("Several stores have this id. Give the store.")]})
        return get_object_or_404(rows)


_WITH_LINES = Prefetch("lines", OrderLine.objects.select_related("product").order_by("position"))


@extend_schema_view(retrieve=extend_schema(parameters=[ORDER_ID, STORE]))
class RefundViewSet(_Rows):
    """Refunds, cancellations and returns, with amounts below zero. They are sent as orders are."""

    rights = rights.of_model("customers.order")
    queryset = Order.objects.refunds().order_by("-placed_at", "-id").prefetch_related(_WITH_LINES)
    filterset_class = RefundFilter


@extend_schema_view(retrieve=extend_schema(parameters=[ORDER_ID, STORE]))
class OrderViewSet(_Rows):
    """Orders. Sending an order again replaces it; nothing is written where nothing changed."""

    rights = rights.of_model("customers.order", create=UPSERT_ORDERS, batch=UPSERT_ORDERS)
    reports_facts = True
    queryset = Order.objects.purchases().order_by("-placed_at", "-id").prefetch_related(_WITH_LINES)

    @extend_schema(
        parameters=[rows.DATE_ORDER],
        request=OrderInputSerializer,
        responses=rows.one_alone(WrittenOrderSerializer),
    )
    def create(self, request: Request) -> Response:
        """Create (201) or replace (200) an order or refund. An unknown customer is a 400, or created with create_missing."""
        sent = rows.an_object(request.data)
        result = rows.write_one(request, sent, read_order, _write, field="customer_id")
        order = get_object_or_404(Order.objects.prefetch_related(_WITH_LINES), pk=result.pk)
        notes = [result.reason] if result.reason else []
        return rows.answer(request, result, {**OrderSerializer(order).data, "notes": notes})

    @extend_schema(
        parameters=[rows.DATE_ORDER],
        request=OrderBatchSerializer,
        responses={200: BatchResultSerializer, 207: BatchResultSerializer},
    )
    @action(detail=False, methods=["post"], filterset_class=None)
    def batch(self, request: Request) -> Response:
        """Upsert up to 10,000. Invalid ones fail alone, and the answer is 207."""
        items = rows.a_list(request.data, "orders")
        read = partial(read_order, create_missing=_flag(request.data))
        return rows.write_batch(request, items, read, _write, _body, field="customer_id")


def _write(orders: list[GivenOrder]) -> list[OrderResult]:
    """Write the orders; of two with one id the first is the one that was created. A refund without an id that is known gets a note."""
    results, seen = [], set()
    for order, found in zip(orders, record_orders(orders, evidence=EVIDENCE), strict=True):
        result, is_again = found, found.pk in seen
        if is_again and found.outcome is Outcome.CREATED:
            result = result._replace(outcome=Outcome.UPDATED)
        is_known = is_again or found.outcome is Outcome.UNCHANGED
        if found.pk and is_known and order.lines[0].is_nameless_refund:
            result = result._replace(reason=str(SameRefund("id")))
        results.append(result)
        seen.add(found.pk)
    return results


def _body(order: GivenOrder, result: OrderResult) -> dict[str, Any]:
    body: dict[str, Any] = {"id": order.order_id}
    return {**body, "notes": [result.reason]} if result.reason else body


def _flag(data: Any) -> bool:
    try:
        return isinstance(data, dict) and clean.boolean(data.get("create_missing", False))
    except ValueError as error:
        raise rows.as_validation_error(Refused(str(error), "create_missing")) from None


@extend_schema_view(retrieve=extend_schema(parameters=[SKU]))
class ProductViewSet(Endpoint, Lists, RetrieveModelMixin, GenericViewSet[Product]):
    """Products. A POST is an upsert on the SKU."""

    rights = rights.of_model("customers.product", create=UPSERT_PRODUCTS)
    queryset = Product.objects.order_by("-id")
    serializer_class = ProductSerializer
    filterset_fields = ("category", "brand", "department")
    search_fields = ("^sku", "^name")
    ordering_fields = ("id", "sku", "name", "price")
    lookup_url_kwarg = "id"
    lookup_value_regex = ids.IN_PATH

    def get_object(self) -> Product:
        return get_object_or_404(self.get_queryset(), sku=str(self.kwargs["id"]))

    @extend_schema(request=ProductSerializer, responses=rows.one_alone(ProductSerializer))
    def create(self, request: Request) -> Response:
        """Create (201) or update (200) a product."""
        result = rows.write_one(
            request,
            rows.an_object(request.data),
            lambda item: clean_product(rows.product_fields(item)),
            upsert_products,
            field="sku",
        )
        product = get_object_or_404(Product, pk=result.pk)
        return rows.answer(request, result, ProductSerializer(product).data)


class ExchangeRateSerializer(serializers.ModelSerializer[ExchangeRate]):
    class Meta:
        model = ExchangeRate
        fields: ClassVar[list[str]] = ["day", "base", "currency", "rate", "updated_at"]
        read_only_fields = ("updated_at",)
        validators: ClassVar[list[Any]] = []


class ExchangeRateBatchSerializer(serializers.Serializer[Any]):
    rates = ExchangeRateSerializer(many=True)


class ExchangeRateViewSet(Endpoint, Lists, GenericViewSet[ExchangeRate]):
    """Exchange rates by day: how many units of `currency` are worth one of `base`. A file of the ECB goes to /api/imports."""

    rights = rights.of_model("customers.exchangerate", create=UPSERT_RATES, batch=UPSERT_RATES)
    queryset = ExchangeRate.objects.exclude(base=F("currency")).order_by("-day", "base", "currency")
    serializer_class = ExchangeRateSerializer
    filterset_fields = ("day", "base", "currency")
    ordering_fields = ("day", "currency")

    @extend_schema(parameters=[rows.DATE_ORDER], responses=rows.one_alone(ExchangeRateSerializer))
    def create(self, request: Request) -> Response:
        """Create (201) or replace (200) a rate, and convert the orders that wait for it."""
        sent = rows.an_object(request.data)
        result = rows.write_one(request, sent, _read_rate, write_rates, field="rate")
        with rows.order_of_dates(request):
            [rate] = _read_rate(sent)["rates"]
        stored = ExchangeRate.objects.get(day=rate.day, base=rate.base, currency=rate.currency)
        return rows.answer(request, result, ExchangeRateSerializer(stored).data)

    @extend_schema(
        parameters=[rows.DATE_ORDER],
        request=ExchangeRateBatchSerializer,
        responses={200: BatchResultSerializer, 207: BatchResultSerializer},
    )
    @action(detail=False, methods=["post"], filterset_fields=None)
    def batch(self, request: Request) -> Response:
        """Upsert up to 10,000. Invalid ones fail alone, and the answer is 207."""
        items = rows.a_list(request.data, "rates")
        return rows.write_batch(
            request, items, _read_rate, write_rates, lambda row, _result: {}, field="rate"
        )


def _read_rate(data: Any) -> dict[str, Any]:
    return clean_rate(rows.known_fields(data, {"date": "day"}, EXCHANGE_RATE))
