"""Customers in sum: RFM, risk to leave, and cohorts."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from analytics import commerce
from analytics.api.commerce import Table
from analytics.api.figures import Money, Rate
from analytics.api.query import USUAL_MONTHS, MonthsQuery
from analytics.cohorts import Cohort, cohorts
from analytics.models import ModelRun
from analytics.people.overview import ChurnRisk, Rfm, RfmSegment, churn_risk, rfm_segmentation
from crm.api import rights


class RfmSegmentSerializer(serializers.Serializer[RfmSegment]):
    name = serializers.CharField()
    customers = serializers.IntegerField()
    spend = Money(help_text=_("Of all of them together."))
    orders = serializers.FloatField(help_text=_("Of each, on average."))


class RfmCellSerializer(serializers.Serializer[Any]):
    recency = serializers.IntegerField(min_value=1, max_value=5)
    frequency = serializers.IntegerField(min_value=1, max_value=5)
    monetary = serializers.IntegerField(min_value=1, max_value=5)
    customers = serializers.IntegerField()


class RfmSerializer(serializers.Serializer[Rfm]):
    customers = serializers.IntegerField(help_text=_("Who have bought, and have scores."))
    segments = RfmSegmentSerializer(many=True)
    scores = serializers.SerializerMethodField()

    @extend_schema_field(RfmCellSerializer(many=True))
    def get_scores(self, found: Rfm) -> list[dict[str, int]]:
        names = ("recency", "frequency", "monetary")
        return [
            {**dict(zip(names, scores, strict=True)), "customers": number}
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
    customers = serializers.IntegerField(help_text=_("Whose risk is known."))
    low = serializers.IntegerField(help_text=_("Below 0.3."))
    medium = serializers.IntegerField()
    high = serializers.IntegerField(help_text=_("0.7 and more."))
    mean = Rate()
    tenths = serializers.ListField(
        child=serializers.IntegerField(),
        help_text=_("Customers by tenth of the risk, low to high."),
    )
    model = serializers.SerializerMethodField()

    @extend_schema_field(ModelRunSerializer(allow_null=True))
    def get_model(self, found: ChurnRisk) -> dict[str, Any] | None:
        """The newest run of the model, with what it was worth on weeks it had not seen."""
        newest = ModelRun.objects.filter(kind=ModelRun.Kind.CHURN).first()
        return None if newest is None else dict(ModelRunSerializer(newest).data)


class CohortSerializer(serializers.Serializer[Cohort]):
    month = serializers.DateField(help_text=_("Of the first purchase."))
    customers = serializers.IntegerField()
    active = serializers.ListField(
        child=serializers.IntegerField(),
        help_text=_("Who bought in each month, from the first on."),
    )
    retention = serializers.ListField(child=serializers.FloatField())
    revenue = serializers.ListField(child=Money())


class RfmView(APIView):
    """Everyone who bought by recency, frequency and monetary value."""

    rights = rights.each(get="analytics.view_campaignmetrics")

    @extend_schema(responses=RfmSerializer)
    def get(self, request: Request) -> Response:
        """The named segments, and how many customers have which scores."""
        return Response(RfmSerializer(rfm_segmentation()).data)


class ChurnRiskView(APIView):
    """How many customers are at which risk to buy nothing in the next 90 days."""

    rights = rights.each(get="analytics.view_campaignmetrics")

    @extend_schema(responses=ChurnRiskSerializer)
    def get(self, request: Request) -> Response:
        """By level and by tenth, with the model and its quality."""
        return Response(ChurnRiskSerializer(churn_risk()).data)


@extend_schema_view(get=extend_schema(parameters=[MonthsQuery]))
class CohortsView(Table):
    """Retention by month of the first purchase, oldest first."""

    rights = rights.each(get="analytics.view_campaignmetrics")
    serializer_class = CohortSerializer
    query_serializer_class = MonthsQuery

    def get_queryset(self) -> Any:
        return cohorts(commerce.as_of(), self.query.get("months", USUAL_MONTHS))
