"""Orders and products over the API."""

from __future__ import annotations

from typing import Any, ClassVar

import django_filters
from django.db.models import Prefetch
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.generics import get_object_or_404
from rest_framework.mixins import RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from crm.api import ids, rights
from crm.api.endpoint import Endpoint
from crm.api.lists import Lists
from customers import clean
from customers.api import given
from customers.api.customers import EVIDENCE, batch_answer
from customers.api.order_input import GivenOrder, read_order, record_orders
from customers.api.serializers import (
    BatchResultSerializer,
    OrderBatchSerializer,
    OrderInputSerializer,
    OrderSerializer,
    ProductSerializer,
)
from customers.ingest import Outcome, Refused, clean_product, upsert_products
from customers.models import Order, OrderLine, Product

ORDER_ID = OpenApiParameter(
    "id", OpenApiTypes.STR, OpenApiParameter.PATH, description="The order's own id."
)
SKU = OpenApiParameter("id", OpenApiTypes.STR, OpenApiParameter.PATH, description="The SKU.")

UPSERT_ORDERS = ("customers.add_order", "customers.change_order")


class OrderFilter(django_filters.FilterSet):
    customer = django_filters.CharFilter(
        field_name="customer__external_id", help_text="External id."
    )
    placed = django_filters.IsoDateTimeFromToRangeFilter(field_name="placed_at")
    amount = django_filters.RangeFilter()

    class Meta:
        model = Order
        fields: ClassVar[list[str]] = ["store", "currency"]


@extend_schema_view(retrieve=extend_schema(parameters=[ORDER_ID]))
class OrderViewSet(Endpoint, Lists, RetrieveModelMixin, GenericViewSet[Order]):
    """Orders. Sending an order again replaces it; nothing is written where nothing changed."""

    rights = rights.of_model("customers.order", create=UPSERT_ORDERS, batch=UPSERT_ORDERS)
    takes_in_data = True
    queryset = Order.objects.order_by("-placed_at", "-id").prefetch_related(
        Prefetch("lines", OrderLine.objects.select_related("product").order_by("position"))
    )
    serializer_class = OrderSerializer
    filterset_class = OrderFilter
    search_fields = ("=external_id", "=customer__email", "=customer__external_id")
    ordering_fields = ("id", "placed_at", "amount")
    lookup_url_kwarg = "id"
    lookup_value_regex = ids.IN_PATH

    def get_object(self) -> Order:
        return get_object_or_404(self.get_queryset(), external_id=str(self.kwargs["id"]))

    @extend_schema(
        request=OrderInputSerializer, responses={201: OrderSerializer, 200: OrderSerializer}
    )
    def create(self, request: Request) -> Response:
        """Create (201) or replace (200) an order. An unknown customer is a 400, or created with create_missing."""
        try:
            order = read_order(given.an_object(request.data))
            result = record_orders([order], evidence=EVIDENCE)[order.order_id]
            if result.pk is None:
                raise Refused(result.reason, "customer_id")
        except Refused as refused:
            raise given.as_validation_error(refused) from None
        body = OrderSerializer(self.get_queryset().get(pk=result.pk)).data
        return Response(body, status=201 if result.outcome is Outcome.CREATED else 200)

    @extend_schema(
        request=OrderBatchSerializer,
        responses={200: BatchResultSerializer, 207: BatchResultSerializer},
    )
    @action(detail=False, methods=["post"], filterset_class=None)
    def batch(self, request: Request) -> Response:
        """Upsert up to 10,000. Invalid ones fail alone, and the answer is 207."""
        items = given.a_list(request.data, "orders")
        create_missing = _flag(request.data)
        results: list[dict[str, Any]] = [{} for _item in items]
        orders: dict[int, GivenOrder] = {}
        for place, item in enumerate(items):
            try:
                orders[place] = read_order(item, create_missing=create_missing)
            except Refused as refused:
                results[place] = given.as_failure(place, refused)
        written = record_orders(list(orders.values()), evidence=EVIDENCE)
        created: set[str] = set()
        for place, order in orders.items():
            result = written[order.order_id]
            if result.pk is None:
                results[place] = given.as_failure(place, Refused(result.reason, "customer_id"))
            else:
                outcome = Outcome.UPDATED if order.order_id in created else result.outcome
                if outcome is Outcome.CREATED:
                    created.add(order.order_id)
                results[place] = {"index": place, "status": outcome.value, "id": order.order_id}
        return batch_answer(results)


def _flag(data: Any) -> bool:
    try:
        return isinstance(data, dict) and clean.boolean(data.get("create_missing", False))
    except ValueError as error:
        raise given.as_validation_error(Refused(str(error), "create_missing")) from None


@extend_schema_view(retrieve=extend_schema(parameters=[SKU]))
class ProductViewSet(Endpoint, Lists, RetrieveModelMixin, GenericViewSet[Product]):
    """Products. A POST is an upsert on the SKU."""

    rights = rights.of_model(
        "customers.product", create=("customers.add_product", "customers.change_product")
    )
    takes_in_data = True
    queryset = Product.objects.order_by("-id")
    serializer_class = ProductSerializer
    filterset_fields = ("category", "brand", "department")
    search_fields = ("^sku", "^name")
    ordering_fields = ("id", "sku", "name", "price")
    lookup_url_kwarg = "id"
    lookup_value_regex = ids.IN_PATH

    def get_object(self) -> Product:
        return get_object_or_404(self.get_queryset(), sku=str(self.kwargs["id"]))

    @extend_schema(
        request=ProductSerializer, responses={201: ProductSerializer, 200: ProductSerializer}
    )
    def create(self, request: Request) -> Response:
        """Create (201) or update (200) a product."""
        try:
            row = clean_product(given.product_fields(given.an_object(request.data)))
            result = upsert_products([row])[0]
            if result.pk is None:
                raise Refused(result.reason, "sku")
        except Refused as refused:
            raise given.as_validation_error(refused) from None
        body = ProductSerializer(Product.objects.get(pk=result.pk)).data
        return Response(body, status=201 if result.outcome is Outcome.CREATED else 200)
