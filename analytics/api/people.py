"""RFM, churn risk and cohorts over the API."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.api.commerce import Table
from analytics.api.figures import Money, Rate
from analytics.api.query import USUAL_MONTHS, MonthsQuery
from analytics.commerce import Cohort, cohorts
from analytics.days import as_of
from analytics.models import ModelRun
from analytics.people import ChurnRisk, Rfm, RfmPoint, RfmSegment, churn_risk, rfm_summary
from crm import masking
from crm.api import rights
from crm.api.fields import People
from crm.api.parameters import KnownParameters


class RfmSegmentSerializer(serializers.Serializer[RfmSegment]):
    name = serializers.CharField()
    customers = People()
    spend = Money(help_text=_("Total spend of the segment."))
    orders = serializers.FloatField(help_text=_("Mean number of orders per customer."))


class RfmCellSerializer(serializers.Serializer[Any]):
    recency = serializers.IntegerField(min_value=1, max_value=5)
    frequency = serializers.IntegerField(min_value=1, max_value=5)
    monetary = serializers.IntegerField(min_value=1, max_value=5)
    customers = People()


class RfmPointSerializer(serializers.Serializer[RfmPoint]):
    days = serializers.IntegerField(help_text=_("Days since the last order."))
    orders = serializers.IntegerField()
    spend = Money()
    segment = serializers.CharField()


class RfmSerializer(serializers.Serializer[Rfm]):
    customers = People(help_text=_("Buyers with scores."))
    segments = RfmSegmentSerializer(many=True)
    scores = serializers.SerializerMethodField()
    points = serializers.SerializerMethodField()

    @extend_schema_field(
        RfmPointSerializer(many=True, help_text=_("Buyers, a sample if there are many."))
    )
    def get_points(self, found: Rfm) -> list[dict[str, Any]]:
        """Return no single customers to users with masked data."""
        if masking.is_on():
            return []
        return [dict(RfmPointSerializer(point).data) for point in found.points]

    @extend_schema_field(RfmCellSerializer(many=True))
    def get_scores(self, found: Rfm) -> list[dict[str, int | None]]:
        names = ("recency", "frequency", "monetary")
        return [
            {**dict(zip(names, scores, strict=True)), "customers": masking.people(number)}
            for scores, number in sorted(found.scores.items(), reverse=True)
        ]


class ModelRunSerializer(serializers.ModelSerializer[ModelRun]):
    class Meta:
        model = ModelRun
        fields = [
            "kind",
            "fitted_at",
            "data_from",
            "data_until",
            "customers",
            "parameters",
            "quality",
        ]
        read_only_fields = fields


class ChurnRiskSerializer(serializers.Serializer[ChurnRisk]):
    customers = People(help_text=_("Customers with a known risk."))
    low = People(help_text=_("Risk below 0.3."))
    medium = People()
    high = People(help_text=_("Risk of 0.7 or more."))
    mean = Rate()
    tenths = serializers.ListField(
        child=People(),
        help_text=_("Customers by tenth of the risk, low to high."),
    )
    model = serializers.SerializerMethodField()

    @extend_schema_field(ModelRunSerializer(allow_null=True))
    def get_model(self, found: ChurnRisk) -> dict[str, Any] | None:
        """Return the newest run of the model, with its quality on the validation period."""
        newest = ModelRun.objects.filter(kind=ModelRun.Kind.CHURN).first()
        return None if newest is None else dict(ModelRunSerializer(newest).data)


class CohortSerializer(serializers.Serializer[Cohort]):
    month = serializers.DateField(help_text=_("Month of the first purchase."))
    customers = People()
    active = serializers.ListField(
        child=People(),
        help_text=_("Buyers in each month, from the first on."),
    )
    retention = serializers.ListField(child=serializers.FloatField())
    revenue = serializers.ListField(child=Money())


class RfmView(KnownParameters):
    """Buyers by recency, frequency and monetary value (RFM)."""

    rights = rights.each(get="analytics.view_campaignmetrics")

    @extend_schema(responses=RfmSerializer)
    def get(self, request: Request) -> Response:
        """Return the RFM segments, and the number of customers by score."""
        return Response(RfmSerializer(rfm_summary()).data)


class ChurnRiskView(KnownParameters):
    """Customers by churn risk: the probability of no purchase in 90 days."""

    rights = rights.each(get="analytics.view_campaignmetrics")

    @extend_schema(responses=ChurnRiskSerializer)
    def get(self, request: Request) -> Response:
        """Return the number of customers by level and by tenth of the risk, with the model and its quality."""
        return Response(ChurnRiskSerializer(churn_risk()).data)


@extend_schema_view(get=extend_schema(parameters=[MonthsQuery]))
class CohortsView(Table):
    """Retention by month of the first purchase, oldest first."""

    rights = rights.each(get="analytics.view_campaignmetrics")
    serializer_class = CohortSerializer
    query_serializer_class = MonthsQuery

    def get_queryset(self) -> Any:
        last = self.query.get("until") or as_of()
        return cohorts(last, self.query.get("months", USUAL_MONTHS))
