"""How segments do, and how customers spread over them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from analytics import dashboard
from analytics.api.figures import Money, Rate
from analytics.segments import SegmentRow, segment_rows
from crm.api import rights
from crm.api.endpoint import Endpoint
from crm.api.fields import PublicId
from crm.api.lists import Lists
from crm.estimated_counts import count
from customers.models import Customer, Segment


class SegmentSizeSerializer(serializers.ModelSerializer[Segment]):
    id = PublicId("seg")
    share = serializers.SerializerMethodField()

    class Meta:
        model = Segment
        fields = ["id", "name", "slug", "kind", "size", "share", "refreshed_at"]
        read_only_fields = fields

    def get_share(self, segment: Segment) -> float | None:
        """Of all customers, 0 to 1."""
        of = self.context["customers"]
        return round(segment.size / of, 4) if of else None


class CustomerSegmentsSerializer(serializers.Serializer[Any]):
    customers = serializers.IntegerField()
    segments = SegmentSizeSerializer(many=True, help_text="Largest first; they may overlap.")
    by_lifecycle = serializers.DictField(child=serializers.IntegerField())


class SegmentRowSerializer(serializers.Serializer[Any]):
    """analytics.segments.SegmentRow."""

    id = PublicId("seg", source="segment.pk")
    name = serializers.CharField(source="segment.name")
    slug = serializers.CharField(source="segment.slug")
    size = serializers.IntegerField(source="segment.size")
    refreshed_at = serializers.DateTimeField(source="segment.refreshed_at", allow_null=True)
    spend = Money(source="worth.spend", help_text="What its members spent, all time.")
    average_spend = Money(source="worth.average_spend", allow_null=True)
    orders = serializers.IntegerField(source="worth.orders")
    buyers = serializers.IntegerField(source="worth.buyers")
    average_order_value = Money(source="worth.average_order_value", allow_null=True)
    campaigns = serializers.IntegerField(help_text="Launched campaigns that name it.")
    sent = serializers.IntegerField(
        source="totals.sent",
        help_text="By those of them that were real, whoever else they went to; so are all below.",
    )
    open_rate = Rate(source="totals.open_rate")
    click_rate = Rate(source="totals.click_rate")
    conversion_rate = Rate(source="totals.conversion_rate")
    revenue = Money(source="totals.revenue")


class SegmentPerformance(Endpoint, Lists, GenericViewSet[Segment]):
    """What the members of each segment are worth, and what came of the campaigns that went to them."""

    rights = rights.of_model("analytics.campaignmetrics")
    queryset = Segment.objects.order_by("-size", "name")
    serializer_class = SegmentRowSerializer
    filterset_fields = ("kind",)
    search_fields = ("name", "slug", "description")
    ordering_fields = ("name", "size", "refreshed_at", "created_at")

    def worked_out(self, rows: Sequence[Segment]) -> Sequence[SegmentRow]:
        return segment_rows(rows)


class CustomerSegmentsView(APIView):
    """How customers spread over segments and lifecycle."""

    rights = rights.each(get="analytics.view_campaignmetrics")

    @extend_schema(responses=CustomerSegmentsSerializer)
    def get(self, request: Request) -> Response:
        """The size of each segment, and its share of all customers."""
        number = count(Customer.objects.all()).number
        figures = {
            "customers": number,
            "segments": Segment.objects.order_by("-size", "name"),
            "by_lifecycle": dashboard.customers_by_lifecycle(),
        }
        return Response(CustomerSegmentsSerializer(figures, context={"customers": number}).data)
