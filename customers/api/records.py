"""Service tickets, visits and interests over the API."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, cast

import django_filters
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.viewsets import GenericViewSet

from crm.api import rights
from crm.api.endpoint import Endpoint
from crm.api.fields import PublicId
from crm.api.lists import Lists
from customers import ingest
from customers.api import rows
from customers.api.serializers import ObjectField
from customers.ingest import Result
from customers.models import CustomerInterest, ServiceInteraction, Visit

SPELLINGS = {
    "customerId": "customer_id",
    "customer": "customer_id",
    "product": "sku",
    "occurredAt": "occurred_at",
    "visitedAt": "occurred_at",
    "resolvedAt": "resolved_at",
}


CUSTOMER = serializers.CharField(help_text="Ours, the external id or the e-mail. Also: customerId.")


class ServiceInteractionSerializer(serializers.ModelSerializer[ServiceInteraction]):
    id = serializers.CharField(source="external_id", required=False)
    customer_id = PublicId("cus", source=None)
    product = serializers.CharField(
        source="product.sku", default=None, allow_null=True, help_text="SKU."
    )
    attributes = ObjectField(required=False)

    class Meta:
        model = ServiceInteraction
        fields: ClassVar[list[str]] = [
            "id", "customer_id", "type", "occurred_at", "channel", "subject", "message", "product", "resolution",
            "resolved_at", "satisfaction", "attributes",
        ]  # fmt: skip


class ServiceInteractionInputSerializer(ServiceInteractionSerializer):
    customer_id = CUSTOMER  # type: ignore[assignment]  # in any spelling on its way in


class ServiceInteractionBatchSerializer(serializers.Serializer[Any]):
    service_interactions = ServiceInteractionInputSerializer(many=True)


class VisitSerializer(serializers.ModelSerializer[Visit]):
    id = serializers.CharField(source="external_id", required=False)
    customer_id = PublicId("cus", source=None)
    attributes = ObjectField(required=False)

    class Meta:
        model = Visit
        fields: ClassVar[list[str]] = [
            "id", "customer_id", "occurred_at", "url", "title", "referrer", "device", "pages", "seconds", "attributes",
        ]  # fmt: skip


class VisitInputSerializer(VisitSerializer):
    customer_id = CUSTOMER  # type: ignore[assignment]  # in any spelling on its way in


class VisitBatchSerializer(serializers.Serializer[Any]):
    visits = VisitInputSerializer(many=True)


class InterestSerializer(serializers.ModelSerializer[CustomerInterest]):
    customer_id = PublicId("cus", source=None)

    class Meta:
        model = CustomerInterest
        fields: ClassVar[list[str]] = ["customer_id", "category", "score", "source", "updated_at"]
        read_only_fields: ClassVar[list[str]] = ["updated_at"]


class InterestInputSerializer(InterestSerializer):
    customer_id = CUSTOMER  # type: ignore[assignment]  # in any spelling on its way in


class InterestBatchSerializer(serializers.Serializer[Any]):
    interests = InterestInputSerializer(many=True)


@dataclass(frozen=True)
class Intake:
    """How sent objects become rows: the file type, alternative names, the cleaner and the writer."""

    file_type: str
    spellings: Mapping[str, str]
    clean: Callable[[Mapping[str, object]], dict[str, Any]]
    write: Callable[[Sequence[dict[str, Any]]], list[Result]]


def described(one: type[Serializer[Any]], many: type[Serializer[Any]]) -> Callable[[Any], Any]:
    """Describe the requests of a view set of records, for the schema."""
    shown = cast(type[Serializer[Any]], one.__base__)
    return extend_schema_view(
        create=extend_schema(
            parameters=[rows.MODE, rows.DATE_ORDER],
            request=one,
            responses=rows.one_or_many(shown),
        ),
        batch=extend_schema(
            parameters=[rows.MODE, rows.DATE_ORDER],
            request=many,
            responses=rows.BATCH_ANSWERS,
        ),
    )


def _intake(model: str) -> rights.Rights:
    """Return the rights of a view set whose rows programs send in."""
    return dict.fromkeys(("create", "batch"), rights.ingest(f"customers.add_{model}"))


class RecordViewSet(Endpoint, Lists, GenericViewSet[Any]):
    """Base of view sets of records of customers."""

    reports_facts = True
    intake: ClassVar[Intake]

    def create(self, request: Request) -> Response:
        """Create (201) or update (200) one. A list, or an object with a list, is a batch."""
        if isinstance(request.data, list) or self.intake.file_type in rows.an_object(request.data):
            return self._take(request)
        sent = rows.an_object(request.data)
        result = rows.write_one(request, sent, self._read, self.intake.write, field="customer_id")
        body = self.get_serializer(self.get_queryset().get(pk=result.pk)).data
        return rows.answer(request, result, body)

    @action(detail=False, methods=["post"], filterset_class=None)
    def batch(self, request: Request) -> Response:
        """Upsert up to 10,000. Invalid ones fail alone, and the answer is 207."""
        return self._take(request)

    def _take(self, request: Request) -> Response:
        items = rows.a_list(request.data, self.intake.file_type)
        if rows.is_async(request):
            renamed = rows.renamed(items, self.intake.spellings)
            return rows.queue_rows(request, self.intake.file_type, renamed)
        return rows.write_batch(
            request,
            items,
            self._read,
            self.intake.write,
            _body,
            field="customer_id",
        )

    def _read(self, item: Any) -> dict[str, Any]:
        fields = rows.known_fields(
            item, self.intake.spellings, ingest.file_type(self.intake.file_type).fields
        )
        return self.intake.clean(fields)


def _body(row: Mapping[str, Any], _result: Result) -> dict[str, Any]:
    return {"id": row["external_id"]} if "external_id" in row else {}


@described(ServiceInteractionInputSerializer, ServiceInteractionBatchSerializer)
class ServiceInteractionViewSet(RecordViewSet):
    """Service tickets: complaints, inquiries and feedback. A POST is an upsert on `id`."""

    rights = rights.of_model("customers.serviceinteraction", **_intake("serviceinteraction"))
    intake = Intake(
        "service_interactions",
        SPELLINGS | {"id": "external_id", "kind": "type"},
        ingest.clean_service,
        ingest.record_service,
    )
    queryset = ServiceInteraction.objects.select_related("product").order_by("-occurred_at", "-id")
    serializer_class = ServiceInteractionSerializer
    search_fields = ("subject", "message", "=external_id")
    ordering_fields = ("occurred_at", "satisfaction")

    class filterset_class(django_filters.FilterSet):
        customer = django_filters.CharFilter(field_name="customer__external_id")
        occurred = django_filters.IsoDateTimeFromToRangeFilter(field_name="occurred_at")

        class Meta:
            model = ServiceInteraction
            fields: ClassVar[list[str]] = ["type", "channel", "satisfaction"]


@described(VisitInputSerializer, VisitBatchSerializer)
class VisitViewSet(RecordViewSet):
    """Site visits. A POST is an upsert on `id`."""

    rights = rights.of_model("customers.visit", **_intake("visit"))
    intake = Intake(
        "visits",
        SPELLINGS | {"id": "external_id", "page": "url"},
        ingest.clean_visit,
        ingest.record_visits,
    )
    queryset = Visit.objects.order_by("-occurred_at", "-id")
    serializer_class = VisitSerializer
    search_fields = ("url", "title", "=external_id")
    ordering_fields = ("occurred_at", "pages", "seconds")

    class filterset_class(django_filters.FilterSet):
        customer = django_filters.CharFilter(field_name="customer__external_id")
        occurred = django_filters.IsoDateTimeFromToRangeFilter(field_name="occurred_at")

        class Meta:
            model = Visit
            fields: ClassVar[list[str]] = ["device"]


@described(InterestInputSerializer, InterestBatchSerializer)
class InterestViewSet(RecordViewSet):
    """Interests of customers. A POST is an upsert on customer, category and source."""

    rights = rights.of_model("customers.customerinterest", **_intake("customerinterest"))
    intake = Intake("interests", SPELLINGS, ingest.clean_interest, ingest.record_interests)
    queryset = CustomerInterest.objects.order_by("-id")
    serializer_class = InterestSerializer
    search_fields = ("category",)
    ordering_fields = ("id", "score")

    class filterset_class(django_filters.FilterSet):
        customer = django_filters.CharFilter(field_name="customer__external_id")

        class Meta:
            model = CustomerInterest
            fields: ClassVar[list[str]] = ["category", "source"]
