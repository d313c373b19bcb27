"""ROI of all campaigns, and funnels, over the API."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.api.campaigns import OutlineSerializer
from analytics.api.figures import Money, RoiSerializer, StepSerializer
from analytics.api.query import date_range
from analytics.days import USUAL_DAYS
from analytics.funnels import (
    DEFAULT_WINDOW_DAYS,
    MAX_STEPS,
    MAX_WINDOW_DAYS,
    MIN_STEPS,
    Step,
    campaign_funnel,
    check,
    event_funnel,
)
from analytics.headlines import campaign_figures
from analytics.performance import campaign_rows
from crm.api import rights
from crm.api.fields import People
from crm.api.files import Files
from crm.api.query import Query
from crm.statement_timeout import QueryTimeout
from customers.models import Segment
from customers.models.consent import Channel
from marketing.models import Campaign, CampaignRun

RUN_FILTERS = {"simulated", "channel", "since", "until"}


class RoiRowSerializer(OutlineSerializer):
    """ROI of one campaign."""

    budget = Money(source="roi.budget", allow_null=True)
    revenue = Money(source="roi.revenue")
    conversions = serializers.IntegerField(source="roi.conversions")
    break_even_conversions = serializers.IntegerField(
        source="roi.break_even_conversions", allow_null=True
    )
    broke_even = serializers.BooleanField(source="roi.broke_even", allow_null=True)


class RoiReportSerializer(serializers.Serializer[Any]):
    real = RoiSerializer(help_text="ROI of the real campaigns with a known cost.")
    simulated = RoiSerializer(help_text="ROI of the simulated campaigns.")
    campaigns = RoiRowSerializer(many=True, help_text="Every launched campaign, newest first.")


class FunnelQuery(serializers.Serializer[Any]):
    """Filters of a funnel: of campaigns by run, by default all real runs; with steps, of events by day and segment."""

    step = serializers.ListField(
        child=serializers.CharField(max_length=100),
        min_length=MIN_STEPS,
        max_length=MAX_STEPS,
        required=False,
        help_text=_("Event types in order, each as its own parameter."),
    )
    window_days = serializers.IntegerField(
        min_value=1,
        max_value=MAX_WINDOW_DAYS,
        default=DEFAULT_WINDOW_DAYS,
        help_text=_("Funnel of events: days from the first step to the last."),
    )
    segment = serializers.SlugRelatedField(
        slug_field="slug",
        queryset=Segment.objects.all(),
        required=False,
        help_text=_("Funnel of events: only present members of this segment."),
    )
    simulated = serializers.BooleanField(default=False)
    channel = serializers.ChoiceField(
        choices=Channel.choices,
        required=False,
        help_text=_("Funnel of campaigns: only this channel."),
    )
    since = serializers.DateField(
        required=False,
        help_text=_("First day of runs or of first steps; for events by default 90 days ago."),
    )
    until = serializers.DateField(
        required=False, help_text=_("Last day of runs or of first steps.")
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "step" not in attrs:
            return attrs
        try:
            check(attrs["step"], attrs["window_days"])
        except ValueError as error:
            raise serializers.ValidationError({"step": str(error)}) from error
        return {**attrs, **date_range(attrs, USUAL_DAYS)}


class FunnelSerializer(serializers.Serializer[Any]):
    runs = serializers.IntegerField()
    steps = StepSerializer(many=True)


class EventStepSerializer(StepSerializer):
    count = People()
    median_seconds = serializers.SerializerMethodField(
        help_text=_("Median time from the previous step.")
    )

    @extend_schema_field(serializers.FloatField(allow_null=True))
    def get_median_seconds(self, step: Step) -> float | None:
        return None if step.median is None else step.median.total_seconds()


class EventFunnelSerializer(serializers.Serializer[Any]):
    since = serializers.DateField()
    until = serializers.DateField()
    window_days = serializers.IntegerField()
    segment = serializers.CharField(allow_null=True)
    simulated = serializers.BooleanField()
    steps = EventStepSerializer(many=True, help_text=_("`count` is the number of customers."))


class RoiReportView(Files):
    """ROI of all campaigns, and of each launched campaign."""

    rights = rights.each(get="analytics.view_campaignmetrics")

    @extend_schema(responses=RoiReportSerializer)
    def get(self, request: Request) -> Any:
        """Return ROI = (revenue − cost) / cost with its parts; a file has one row per campaign."""
        rows = campaign_rows(Campaign.objects.filter(launched_at__isnull=False))
        if self.wants_file:
            shown = RoiRowSerializer(rows, many=True).data
            return self.file(RoiRowSerializer().fields, shown)
        report = {
            "real": campaign_figures(simulated=False).roi,
            "simulated": campaign_figures(simulated=True).roi,
            "campaigns": rows,
        }
        return Response(RoiReportSerializer(report).data)


class FunnelView(Files, Query):
    """Funnel of campaigns from audience to order, or of events."""

    rights = rights.each(get="analytics.view_campaignmetrics")
    query_serializer_class = FunnelQuery

    @extend_schema(
        parameters=[FunnelQuery],
        responses=PolymorphicProxySerializer(
            component_name="AnyFunnel",
            serializers=[FunnelSerializer, EventFunnelSerializer],
            resource_type_field_name=None,
        ),
    )
    def get(self, request: Request) -> Any:
        """Return the number of each step, and its fractions of the previous and of the first step."""
        query = self.query
        if "step" in query:
            return self._of_events(query)
        runs = _runs(**{name: query[name] for name in RUN_FILTERS & query.keys()})
        shown = FunnelSerializer({"runs": runs.count(), "steps": campaign_funnel(runs)}).data
        return self._answer(StepSerializer, shown)

    def _of_events(self, query: dict[str, Any]) -> Any:
        segment: Segment | None = query.get("segment")
        try:
            steps = event_funnel(
                query["step"],
                query["first"],
                query["last"],
                window_days=query["window_days"],
                segment=segment.pk if segment else None,
                simulated=query["simulated"],
            )
        except QueryTimeout:
            raise serializers.ValidationError(
                {"since": _("There are too many events on these days. Choose fewer days.")}
            ) from None
        found = {
            "since": query["first"],
            "until": query["last"],
            "window_days": query["window_days"],
            "segment": segment.slug if segment else None,
            "simulated": query["simulated"],
            "steps": steps,
        }
        return self._answer(EventStepSerializer, EventFunnelSerializer(found).data)

    def _answer(self, step: type[StepSerializer], shown: dict[str, Any]) -> Any:
        return self.file(step().fields, shown["steps"]) if self.wants_file else Response(shown)


def _runs(
    *, simulated: bool, channel: str = "", since: date | None = None, until: date | None = None
) -> QuerySet[CampaignRun]:
    runs = CampaignRun.objects.filter(simulated=simulated)
    if channel:
        runs = runs.filter(campaign__channel=channel)
    if since:
        runs = runs.filter(created_at__date__gte=since)
    if until:
        runs = runs.filter(created_at__date__lte=until)
    return runs
