"""What all campaigns came to: the return on them, and the way from the audience to the order."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from analytics import dashboard
from analytics.api.campaigns import OutlineSerializer
from analytics.api.figures import Money, RoiSerializer, StepSerializer
from analytics.funnel import funnel
from crm.api import rights
from crm.api.files import Files
from crm.api.query import Query
from customers.models.consent import Channel
from marketing.models import Campaign, CampaignRun


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
    """Which runs; by default all that were real."""

    simulated = serializers.BooleanField(default=False)
    channel = serializers.ChoiceField(choices=Channel.choices, required=False)
    since = serializers.DateField(
        required=False, help_text=_("Runs that began on this day or later.")
    )
    until = serializers.DateField(
        required=False, help_text=_("Runs that began on this day or earlier.")
    )


class FunnelSerializer(serializers.Serializer[Any]):
    runs = serializers.IntegerField()
    steps = StepSerializer(many=True)


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


class FunnelView(Query):
    """From the audience to the order, over all campaigns."""

    rights = rights.each(get="analytics.view_campaignmetrics")
    query_serializer_class = FunnelQuery

    @extend_schema(parameters=[FunnelQuery], responses=FunnelSerializer)
    def get(self, request: Request) -> Response:
        """How many came to each step, and which part of those before that is."""
        runs = _runs(**self.query)
        return Response(FunnelSerializer({"runs": runs.count(), "steps": funnel(runs)}).data)


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
