"""The experiment that a campaign is, and how many people one needs."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.api.figures import Rate
from analytics.experiments.campaign_experiment import METRICS, Experiment, experiment
from analytics.experiments.report import Arm
from analytics.experiments.verdict import verdict
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
        source="measure.count", help_text=_("How many people did it; for revenue, how many bought.")
    )
    value = serializers.FloatField(
        source="measure.value", help_text=_("The rate, or for revenue the mean a person.")
    )
    interval = IntervalField(help_text=_("Of the value, with 95 % confidence."))
    lift = serializers.FloatField(
        source="comparison.lift", allow_null=True, help_text=_("To the base: 0.1 is 10 % more.")
    )
    difference = serializers.FloatField(
        source="comparison.difference", allow_null=True, help_text=_("To the base.")
    )
    difference_interval = IntervalField(source="comparison.interval", allow_null=True)
    p_value = serializers.FloatField(
        source="comparison.p_value",
        allow_null=True,
        help_text=_("For an experiment that is over, corrected for the number of arms (Holm)."),
    )
    always_valid_p_value = serializers.FloatField(
        source="comparison.always_valid_p",
        allow_null=True,
        help_text=_("For an experiment that is looked at while it goes on."),
    )
    probability_best = serializers.FloatField(source="belief.best")
    expected_loss = serializers.FloatField(
        source="belief.expected_loss",
        help_text=_("What choosing this arm costs a person on average, if it is not the best."),
    )


class AdjustedSerializer(serializers.Serializer[Any]):
    """Revenue with what people spent in the 90 days before taken out (CUPED)."""

    variance_reduction = Rate()
    variants = ArmSerializer(source="adjusted.arms", many=True)


class ExperimentSerializer(serializers.Serializer[Experiment]):
    metric = serializers.ChoiceField(METRICS, source="report.metric")
    variants = ArmSerializer(source="report.arms", many=True)
    base = serializers.CharField(source="report.base", help_text=_("What lift is relative to."))
    holdout = serializers.SerializerMethodField()
    is_over = serializers.BooleanField(
        source="report.is_over", help_text=_("Whether everything that counts has happened.")
    )
    sample_ratio_p = serializers.FloatField(
        source="report.sample_ratio_p",
        allow_null=True,
        help_text=_("Below 0.001 the sizes of the arms are not what they should be."),
    )
    cuped = serializers.SerializerMethodField()
    verdict = serializers.SerializerMethodField()

    @extend_schema_field(ArmSerializer(allow_null=True))
    def get_holdout(self, found: Experiment) -> dict[str, Any] | None:
        held_back = next((arm for arm in found.report.arms if arm.is_holdout), None)
        return None if held_back is None else dict(ArmSerializer(held_back).data)

    @extend_schema_field(AdjustedSerializer(allow_null=True))
    def get_cuped(self, found: Experiment) -> dict[str, Any] | None:
        return None if found.adjusted is None else dict(AdjustedSerializer(found).data)

    def get_verdict(self, found: Experiment) -> str:
        return verdict(found.report)


class MetricQuery(serializers.Serializer[Any]):
    metric = serializers.ChoiceField(METRICS, default="conversion")


class ExperimentView(Query):
    """Variants and holdout of a campaign beside each other."""

    rights = rights.each(get="analytics.view_campaignmetrics")
    query_serializer_class = MetricQuery

    @extend_schema(parameters=[ID, MetricQuery], responses=ExperimentSerializer)
    def get(self, request: Request, id: str) -> Response:
        """Rates or means with intervals, lift, p-values, the probability to be the best, and a verdict."""
        campaign = get_object_or_404(Campaign, pk=decoded("cmp", id))
        return Response(ExperimentSerializer(experiment(campaign, self.query["metric"])).data)
