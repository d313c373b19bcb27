"""Experiments of campaigns over the API."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.api.figures import Rate
from analytics.experiments import METRICS, Arm, Experiment, experiment, verdict
from crm.api import rights
from crm.api.query import Query
from marketing.api.fields import ID, decoded
from marketing.models import Campaign


class IntervalField(serializers.ListField):
    """[low, high]."""

    def __init__(self, **options: Any) -> None:
        super().__init__(child=serializers.FloatField(), min_length=2, max_length=2, **options)


class ArmSerializer(serializers.Serializer[Arm]):
    name = serializers.CharField()
    customers = serializers.IntegerField(source="measure.customers")
    count = serializers.IntegerField(
        source="measure.count", help_text=_("Customers who converted; for revenue, buyers.")
    )
    value = serializers.FloatField(
        source="measure.value", help_text=_("The rate, or for revenue the mean per customer.")
    )
    interval = IntervalField(help_text=_("95 % confidence interval of the value."))
    lift = serializers.FloatField(
        source="comparison.lift",
        allow_null=True,
        help_text=_("Relative to the base: 0.1 is 10 % more."),
    )
    difference = serializers.FloatField(
        source="comparison.difference", allow_null=True, help_text=_("Difference to the base.")
    )
    difference_interval = IntervalField(source="comparison.interval", allow_null=True)
    p_value = serializers.FloatField(
        source="comparison.p_value",
        allow_null=True,
        help_text=_("For a finished experiment, corrected for the number of variants (Holm)."),
    )
    always_valid_p_value = serializers.FloatField(
        source="comparison.always_valid_p",
        allow_null=True,
        help_text=_("For a running experiment; it holds at every look."),
    )
    probability_best = serializers.FloatField(source="posterior.best")
    expected_loss = serializers.FloatField(
        source="posterior.expected_loss",
        help_text=_("Expected loss per customer of choosing this variant."),
    )


class AdjustedSerializer(serializers.Serializer[Any]):
    """Revenue adjusted for the spend of the 90 days before (CUPED)."""

    variance_reduction = Rate()
    variants = ArmSerializer(source="adjusted.arms", many=True)


class ExperimentSerializer(serializers.Serializer[Experiment]):
    metric = serializers.ChoiceField(METRICS, source="report.metric")
    variants = ArmSerializer(source="report.arms", many=True)
    base = serializers.CharField(
        source="report.base", help_text=_("The variant that the others are compared with.")
    )
    holdout = serializers.SerializerMethodField()
    is_over = serializers.BooleanField(
        source="report.is_over", help_text=_("Whether the outcomes are final.")
    )
    sample_ratio_p = serializers.FloatField(
        source="report.sample_ratio_p",
        allow_null=True,
        help_text=_("Below 0.001 there is a sample ratio mismatch."),
    )
    cuped = serializers.SerializerMethodField()
    verdict = serializers.SerializerMethodField()

    @extend_schema_field(ArmSerializer(allow_null=True))
    def get_holdout(self, found: Experiment) -> dict[str, Any] | None:
        holdout = next((arm for arm in found.report.arms if arm.is_holdout), None)
        return None if holdout is None else dict(ArmSerializer(holdout).data)

    @extend_schema_field(AdjustedSerializer(allow_null=True))
    def get_cuped(self, found: Experiment) -> dict[str, Any] | None:
        return None if found.adjusted is None else dict(AdjustedSerializer(found).data)

    def get_verdict(self, found: Experiment) -> str:
        return verdict(found.report)


class MetricQuery(serializers.Serializer[Any]):
    metric = serializers.ChoiceField(METRICS, default="conversion")


class ExperimentView(Query):
    """Variants and holdout of a campaign compared."""

    rights = rights.each(get="analytics.view_campaignmetrics")
    query_serializer_class = MetricQuery

    @extend_schema(parameters=[ID, MetricQuery], responses=ExperimentSerializer)
    def get(self, request: Request, id: str) -> Response:
        """Return rates or means with intervals, lift, p-values, the probability to be best, and a verdict."""
        campaign = get_object_or_404(Campaign, pk=decoded("cmp", id))
        return Response(ExperimentSerializer(experiment(campaign, self.query["metric"])).data)
