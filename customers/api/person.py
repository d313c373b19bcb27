"""Everything about one customer: timeline, profile, and segments with the reasons."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from crm.api import rights
from crm.api.fields import PublicId
from crm.api.lists import Lists
from customers.api.serializers import CustomerSegmentSerializer, TimelineEntrySerializer
from customers.models import Customer, CustomerInterest, CustomerProfile, Interaction

ID = OpenApiParameter("id", str, OpenApiParameter.PATH, description="`cus_…` or the external id.")
TYPE = OpenApiParameter(
    "type", str, many=True, description="Only these types: order_placed, page_viewed, …"
)
MOST_INTERESTS = 50


class ProfileSerializer(serializers.ModelSerializer[CustomerProfile]):
    """Computed scores; null or an empty text means "not known yet"."""

    class Meta:
        model = CustomerProfile
        fields: ClassVar[list[str]] = [
            "lifetime_value", "expected_orders", "alive_probability", "churn_risk", "engagement_score", "satisfaction",
            "rfm_segment", "recency_score", "frequency_score", "monetary_score", "preferred_channel", "response_rate",
            "best_hour", "favourite_category", "favourite_brand", "most_viewed_category", "last_interaction_type",
            "seconds_on_site", "average_time_on_site", "computed_at",
        ]  # fmt: skip
        read_only_fields = fields
        extra_kwargs: ClassVar[dict[str, Any]] = {key: {"allow_null": True} for key in fields}


class InterestBriefSerializer(serializers.ModelSerializer[CustomerInterest]):
    class Meta:
        model = CustomerInterest
        fields: ClassVar[list[str]] = ["category", "score", "source"]
        read_only_fields = fields


class Customer360Serializer(serializers.ModelSerializer[Customer]):
    """One customer: fields, totals and scores."""

    id = PublicId("cus")
    name = serializers.CharField(read_only=True)
    tags = serializers.ListField(child=serializers.CharField(), read_only=True)
    opted_out_channels = serializers.ListField(child=serializers.CharField(), read_only=True)
    profile = serializers.SerializerMethodField()
    interests = serializers.SerializerMethodField()
    segments = serializers.SlugRelatedField[Any](slug_field="slug", many=True, read_only=True)

    class Meta:
        model = Customer
        fields: ClassVar[list[str]] = [
            "id", "external_id", "name", "first_name", "last_name", "email", "phone", "date_of_birth", "city", "region",
            "country", "language", "source", "registered_at", "lifecycle_status", "tags", "opted_out_channels",
            "total_spend", "order_count", "average_order_value", "visit_count", "first_order_at", "last_order_at",
            "last_visit_at", "last_interaction_at", "profile", "interests", "segments",
        ]  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(ProfileSerializer)
    def get_profile(self, customer: Customer) -> dict[str, Any]:
        held = CustomerProfile.objects.filter(customer=customer).first()
        return (
            ProfileSerializer(held).data if held else dict.fromkeys(ProfileSerializer.Meta.fields)
        )

    @extend_schema_field(InterestBriefSerializer(many=True))
    def get_interests(self, customer: Customer) -> list[dict[str, Any]]:
        held = customer.interests.order_by("-score", "category")[:MOST_INTERESTS]
        return list(InterestBriefSerializer(held, many=True).data)


class PersonPages(Lists, GenericViewSet[Customer]):
    """Mixin for the viewset of customers (put it first)."""

    rights = rights.each(
        timeline="customers.view_interaction",
        three_sixty="customers.view_customerprofile",
        segments="customers.view_segment",
    )

    @extend_schema(parameters=[ID, TYPE], responses=TimelineEntrySerializer(many=True))
    @action(detail=True, gives_rows=True, filterset_class=None, filter_backends=[])
    def timeline(self, request: Request, id: str) -> Response:
        """Everything that happened, newest first."""
        rows: QuerySet[Interaction] = self.get_object().interactions.order_by("-occurred_at", "-id")
        if types := request.query_params.getlist("type"):
            rows = rows.filter(type__in=[name.replace("\x00", "") for name in types])
        return self.listed(rows, TimelineEntrySerializer)

    @extend_schema(parameters=[ID], responses=Customer360Serializer)
    @action(detail=True, url_path="360", filterset_class=None, filter_backends=[])
    def three_sixty(self, request: Request, id: str) -> Response:
        """Return the customer with totals, favourites and computed scores."""
        return Response(Customer360Serializer(self.get_object()).data)

    @extend_schema(parameters=[ID], responses=CustomerSegmentSerializer(many=True))
    @action(detail=True, gives_rows=True, filterset_class=None, filter_backends=[])
    def segments(self, request: Request, id: str) -> Response:
        """List the segments of the customer, with the date of entry and the result of each rule."""
        customer = self.get_object()
        rows: Any = customer.memberships.select_related("segment").order_by("segment__name")
        return self.listed(rows, CustomerSegmentSerializer, customer=customer)
