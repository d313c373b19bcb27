"""Performance of segments, and their share of customers, over the API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from analytics.api.figures import Money, Rate
from analytics.headlines import customers_by_lifecycle
from analytics.performance import SegmentRow, segment_rows
from crm import masking
from crm.api import rights
from crm.api.endpoint import Endpoint
from crm.api.fields import People, PublicId
from crm.api.lists import Lists
from crm.api.parameters import KnownParameters
from crm.estimated_counts import count
from customers.models import Customer, Segment


class SegmentSizeSerializer(serializers.ModelSerializer[Segment]):
    id = PublicId("seg")
    size = People()
    share = serializers.SerializerMethodField()

    class Meta:
        model = Segment
        fields = ["id", "name", "slug", "kind", "size", "share", "refreshed_at"]
        read_only_fields = fields

    def get_share(self, segment: Segment) -> float | None:
        """Return the fraction of all customers, 0 to 1."""
        of, size = self.context["customers"], masking.people(segment.size)
        return round(size / of, 4) if of and size is not None else None


class CustomerSegmentsSerializer(serializers.Serializer[Any]):
    customers = serializers.IntegerField()
    segments = SegmentSizeSerializer(many=True, help_text="Largest first; segments may overlap.")
    by_lifecycle = serializers.DictField(child=People())


class SegmentRowSerializer(serializers.Serializer[Any]):
    """A segment with the figures of its members and of its campaigns."""

    id = PublicId("seg", source="segment.pk")
    name = serializers.CharField(source="segment.name")
    slug = serializers.CharField(source="segment.slug")
    size = People(source="segment.size")
    refreshed_at = serializers.DateTimeField(source="segment.refreshed_at", allow_null=True)
    spend = Money(source="members.spend", help_text="Total spend of the members.")
    average_spend = Money(source="members.average_spend", allow_null=True)
    orders = serializers.IntegerField(source="members.orders")
    buyers = People(source="members.buyers")
    average_order_value = Money(source="members.average_order_value", allow_null=True)
    campaigns = serializers.IntegerField(
        help_text="Launched campaigns with the segment in their audience."
    )
    sent = serializers.IntegerField(
        source="totals.sent",
        help_text="Messages of the real ones among these campaigns, other recipients included; likewise below.",
    )
    open_rate = Rate(source="totals.open_rate")
    click_rate = Rate(source="totals.click_rate")
    conversion_rate = Rate(source="totals.conversion_rate")
    revenue = Money(source="totals.revenue")


class SegmentPerformance(Endpoint, Lists, GenericViewSet[Segment]):
    """Spend of the members of each segment, and results of its campaigns."""

    rights = rights.of_model("analytics.campaignmetrics")
    queryset = Segment.objects.order_by("-size", "name")
    serializer_class = SegmentRowSerializer
    filterset_fields = ("kind",)
    search_fields = ("name", "slug", "description")
    ordering_fields = ("name", "size", "refreshed_at", "created_at")

    def worked_out(self, rows: Sequence[Segment]) -> Sequence[SegmentRow]:
        return segment_rows(rows)


class CustomerSegmentsView(KnownParameters):
    """Customers by segment and lifecycle status."""

    rights = rights.each(get="analytics.view_campaignmetrics")

    @extend_schema(responses=CustomerSegmentsSerializer)
    def get(self, request: Request) -> Response:
        """Return the size of each segment and its share of all customers."""
        number = count(Customer.objects.present()).number
        figures = {
            "customers": number,
            "segments": Segment.objects.order_by("-size", "name"),
            "by_lifecycle": customers_by_lifecycle(),
        }
        return Response(CustomerSegmentsSerializer(figures, context={"customers": number}).data)
