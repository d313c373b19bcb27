"""Customers over the API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import django_filters
from django.db.models import ProtectedError
from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.filters import SearchFilter
from rest_framework.generics import get_object_or_404
from rest_framework.mixins import DestroyModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from crm.accounts import audit
from crm.accounts.middleware import SEE_PERSONAL_DATA
from crm.api import ids, rights
from crm.api.endpoint import Endpoint
from crm.api.lists import Lists
from crm.api.ordering import Ordering
from crm.api.problems import Conflict
from crm.api.search import Filters
from customers import clean, identity
from customers.api import rows
from customers.api.consent import Consents
from customers.api.merges import Merging
from customers.api.person import PersonPages
from customers.api.privacy import PersonalData
from customers.api.serializers import (
    CustomerBatchSerializer,
    CustomerInputSerializer,
    CustomerSerializer,
    WrittenCustomerSerializer,
)
from customers.ingest import (
    LEFT_OUT,
    Refused,
    Result,
    change_customer,
    clean_customer,
    upsert_customers,
)
from customers.models import Customer
from customers.querysets import CustomerQuerySet

EVIDENCE = "API"
UPSERT = rights.ingest("customers.add_customer", "customers.change_customer", SEE_PERSONAL_DATA)

ID = OpenApiParameter(
    "id", OpenApiTypes.STR, OpenApiParameter.PATH, description="`cus_…` or the external id."
)


class CustomerFilter(django_filters.FilterSet):
    email = django_filters.CharFilter(method="with_email")
    external_id = django_filters.CharFilter()
    tag = django_filters.CharFilter(method="tagged")
    segment = django_filters.CharFilter(field_name="segments__slug", help_text="Slug of a segment.")
    total_spend = django_filters.RangeFilter()
    order_count = django_filters.RangeFilter()
    last_order = django_filters.IsoDateTimeFromToRangeFilter(field_name="last_order_at")
    registered = django_filters.IsoDateTimeFromToRangeFilter(field_name="registered_at")

    class Meta:
        model = Customer
        fields: ClassVar[list[str]] = ["lifecycle_status", "country", "city", "source"]

    def with_email(self, customers: CustomerQuerySet, name: str, value: str) -> CustomerQuerySet:
        return customers.filter(email__iexact=clean.comparable(value))

    def tagged(self, customers: CustomerQuerySet, name: str, value: str) -> CustomerQuerySet:
        return customers.filter(tags__contains=[value])


class BeginningsSearch(SearchFilter):
    """Search by beginnings of names, e-mails and external ids."""

    def filter_queryset(self, request: Request, queryset: Any, view: Any) -> Any:
        return queryset.search(" ".join(self.get_search_terms(request)))


@extend_schema_view(
    retrieve=extend_schema(parameters=[ID]),
    destroy=extend_schema(parameters=[ID]),
)
class CustomerViewSet(
    PersonPages,
    Merging,
    Consents,
    PersonalData,
    Endpoint,
    Lists,
    RetrieveModelMixin,
    DestroyModelMixin,
    GenericViewSet[Customer],
):
    """Customers. A POST is an upsert: matched by external id, else by e-mail; missing fields keep their value."""

    rights = rights.of_model(
        "customers.customer",
        create=UPSERT,
        batch=UPSERT,
        partial_update=("customers.change_customer", SEE_PERSONAL_DATA),
    )
    queryset = Customer.objects.order_by("-id")
    serializer_class = CustomerSerializer
    filterset_class = CustomerFilter
    filter_backends = (
        Filters,
        BeginningsSearch,
        Ordering,
    )
    search_fields = ("email", "external_id", "first_name", "last_name")
    ordering_fields = (
        "id",
        "registered_at",
        "total_spend",
        "order_count",
        "last_order_at",
        "email",
    )
    lookup_url_kwarg = "id"
    lookup_value_regex = ids.IN_PATH

    def get_queryset(self) -> Any:
        """Leave erased customers out of the list."""
        found = super().get_queryset()
        return found.filter(erased_at=None) if self.action == "list" else found

    def get_object(self) -> Customer:
        customer = identity.find_one(str(self.kwargs["id"]), self.get_queryset())
        if customer is None:
            raise Http404
        self.check_object_permissions(self.request, customer)
        audit.describe(ids.encode("cus", customer.pk))
        return customer

    @extend_schema(
        parameters=[rows.MODE, rows.DATE_ORDER],
        request=CustomerInputSerializer,
        responses=rows.one_or_many(WrittenCustomerSerializer),
    )
    def create(self, request: Request) -> Response:
        """Create (201) or update (200) a customer. An object with `customers` is a batch."""
        if "customers" in rows.an_object(request.data):
            return self._take(request)
        result = rows.write_one(request, rows.an_object(request.data), self._read, _write)
        customer = get_object_or_404(Customer, pk=result.pk)
        audit.describe(ids.encode("cus", customer.pk))
        body = _written(customer, opt_out_kept=result.kept_out, left_out=result.left_out)
        return rows.answer(request, result, body)

    @extend_schema(
        parameters=[ID, rows.DATE_ORDER],
        request=CustomerInputSerializer,
        responses=WrittenCustomerSerializer,
    )
    def partial_update(self, request: Request, id: str) -> Response:
        """Change the given fields; null or an empty text empties a field."""
        customer = self.get_object()
        try:
            fields = rows.customer_fields(rows.an_object(request.data))
            audit.describe(fields=sorted(fields))
            with rows.order_of_dates(request):
                row = clean_customer(fields, erase=True)
            kept_out = change_customer(customer.pk, row, evidence=EVIDENCE)
        except Refused as refused:
            raise rows.as_validation_error(refused) from None
        customer = Customer.objects.get(pk=customer.pk)
        body = _written(customer, opt_out_kept=kept_out, left_out=row.get(LEFT_OUT))
        return Response(body)

    def perform_destroy(self, instance: Customer) -> None:
        try:
            instance.delete()
        except ProtectedError:
            raise Conflict(
                _("Other records refer to this customer. Erase the customer instead.")
            ) from None

    @extend_schema(
        parameters=[rows.MODE, rows.DATE_ORDER],
        request=CustomerBatchSerializer,
        responses=rows.BATCH_ANSWERS,
    )
    @action(detail=False, methods=["post"], filterset_class=None)
    def batch(self, request: Request) -> Response:
        """Upsert up to 10,000. Invalid ones fail alone, and the answer is 207."""
        return self._take(request)

    def _take(self, request: Request) -> Response:
        items = rows.a_list(request.data, "customers")
        if rows.is_async(request):
            renamed = rows.renamed(items, rows.CUSTOMER_SPELLINGS)
            return rows.queue_rows(request, "customers", renamed)
        return rows.write_batch(request, items, self._read, _write, _body)

    def _read(self, item: Any) -> dict[str, Any]:
        row = clean_customer(rows.customer_fields(item))
        rows.refuse_opt_in(self.request, row)
        return row


def _write(customers: list[dict[str, Any]]) -> Sequence[Result]:
    return upsert_customers(customers, evidence=EVIDENCE)


def _body(_row: Any, result: Result) -> dict[str, Any]:
    assert result.pk
    body: dict[str, Any] = {"id": ids.encode("cus", result.pk)}
    if result.kept_out:
        body["opt_out_kept"] = True
    if result.left_out:
        body["notes"] = [str(result.left_out)]
    return body


def _written(customer: Customer, *, opt_out_kept: bool, left_out: Refused | None) -> dict[str, Any]:
    notes = [str(left_out)] if left_out else []
    return {**CustomerSerializer(customer).data, "opt_out_kept": opt_out_kept, "notes": notes}
