"""What all campaigns came to, and how many people went on from step to step."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from analytics import dashboard
from analytics.api.campaigns import OutlineSerializer
from analytics.api.figures import Money, RoiSerializer, StepSerializer
from analytics.api.query import span
from analytics.commerce import USUAL_DAYS
from analytics.event_funnel import FEWEST, LONGEST_WINDOW, MOST, USUAL_WINDOW, check, event_funnel
from analytics.funnel import Step, funnel
from crm.api import rights
from crm.api.files import Files
from crm.api.query import Query
from crm.statement_timeout import QueryTimeout
from customers.models import Segment
from customers.models.consent import Channel
from marketing.models import Campaign, CampaignRun

OF_RUNS = {"simulated", "channel", "since", "until"}
"""What may be asked of a funnel of campaigns."""


class RoiRowSerializer(OutlineSerializer):
    """A campaign's part in the return."""

    budget = Money(source="roi.budget", allow_null=True)
    revenue = Money(source="roi.revenue")
    conversions = serializers.IntegerField(source="roi.conversions")
    break_even_conversions = serializers.IntegerField(
        source="roi.break_even_conversions", allow_null=True
    )
    broke_even = serializers.BooleanField(source="roi.broke_even", allow_null=True)


class RoiReportSerializer(serializers.Serializer[Any]):
    real = RoiSerializer(
        help_text="Of the campaigns that went out for real and whose cost is known."
    )
    simulated = RoiSerializer(help_text="Of those that were simulated: nobody did any of it.")
    campaigns = RoiRowSerializer(many=True, help_text="Every launched campaign, newest first.")


class FunnelQuery(serializers.Serializer[Any]):
    """Of campaigns: which runs, by default all that were real. Of events, where steps are given: begun on which days, and by whom."""

    step = serializers.ListField(
        child=serializers.CharField(max_length=100),
        min_length=FEWEST,
        max_length=MOST,
        required=False,
        help_text=_("Kinds of events in their order, each as a parameter of its own."),
    )
    window_days = serializers.IntegerField(
        min_value=1,
        max_value=LONGEST_WINDOW,
        default=USUAL_WINDOW,
        help_text=_("Of events: days from the first step within which the others count."),
    )
    segment = serializers.SlugRelatedField(
        slug_field="slug",
        queryset=Segment.objects.all(),
        required=False,
        help_text=_("Of events: only of those who are in this segment now."),
    )
    simulated = serializers.BooleanField(default=False)
    channel = serializers.ChoiceField(
        choices=Channel.choices, required=False, help_text=_("Of campaigns.")
    )
    since = serializers.DateField(
        required=False,
        help_text=_("Runs that began on this day or later; first steps, the last 90 days."),
    )
    until = serializers.DateField(
        required=False, help_text=_("Runs that began on this day or earlier; first steps.")
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "step" not in attrs:
            return attrs
        try:
            check(attrs["step"], attrs["window_days"])
        except ValueError as error:
            raise serializers.ValidationError({"step": str(error)}) from error
        return {**attrs, **span(attrs, USUAL_DAYS)}


class FunnelSerializer(serializers.Serializer[Any]):
    runs = serializers.IntegerField()
    steps = StepSerializer(many=True)


class EventStepSerializer(StepSerializer):
    median_seconds = serializers.SerializerMethodField(
        help_text=_("Half of the people took no longer from the step before.")
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
    steps = EventStepSerializer(many=True, help_text=_("`count` is of people."))


class RoiReportView(Files):
    """What came in for what was paid: all together, and of each launched campaign."""

    rights = rights.each(get="analytics.view_campaignmetrics")

    @extend_schema(responses=RoiReportSerializer)
    def get(self, request: Request) -> Any:
        """ROI = (revenue − cost) / cost, with its parts. A file has a row a campaign."""
        rows = dashboard.campaign_rows(Campaign.objects.filter(launched_at__isnull=False))
        if self.wants_file:
            shown = RoiRowSerializer(rows, many=True).data
            return self.file(RoiRowSerializer().fields, shown)
        report = {
            "real": dashboard.results(simulated=False).roi,
            "simulated": dashboard.results(simulated=True).roi,
            "campaigns": rows,
        }
        return Response(RoiReportSerializer(report).data)


class FunnelView(Files, Query):
    """From the audience to the order over all campaigns, or from event to event."""

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
        """How many came to each step, and which part of those before that is."""
        asked = self.query
        if "step" in asked:
            return self._of_events(asked)
        runs = _runs(**{name: asked[name] for name in OF_RUNS & asked.keys()})
        shown = FunnelSerializer({"runs": runs.count(), "steps": funnel(runs)}).data
        return self._answer(StepSerializer, shown)

    def _of_events(self, asked: dict[str, Any]) -> Any:
        segment: Segment | None = asked.get("segment")
        try:
            steps = event_funnel(
                asked["step"],
                asked["first"],
                asked["last"],
                window_days=asked["window_days"],
                segment=segment.pk if segment else None,
                simulated=asked["simulated"],
            )
        except QueryTimeout:
            raise serializers.ValidationError(
                {"since": _("Too much has happened on these days: ask for fewer.")}
            ) from None
        found = {
            "since": asked["first"],
            "until": asked["last"],
            "window_days": asked["window_days"],
            "segment": segment.slug if segment else None,
            "simulated": asked["simulated"],
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
