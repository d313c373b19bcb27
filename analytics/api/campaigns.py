"""Results, costs and ROI of campaigns over the API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Count
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from analytics import metrics
from analytics.api.figures import Money, Rate, RoiSerializer, StepSerializer, TotalsSerializer
from analytics.funnels import campaign_funnel
from analytics.models import CampaignCost
from analytics.performance import CampaignRow, campaign_rows
from analytics.returns import (
    Cost,
    IncrementalRevenue,
    incremental_revenue,
    paid_back_on,
    payback,
    replace_costs,
)
from crm.api import rights
from crm.api.endpoint import Endpoint
from crm.api.fields import PublicId
from crm.api.lists import Lists
from marketing.api.campaigns import CampaignFilter
from marketing.api.executions import RunSerializer
from marketing.api.fields import ID, ByPublicId
from marketing.models import Campaign, CampaignExecution


class OutlineSerializer(serializers.Serializer[Any]):
    """A campaign with its cost, profit and ROI."""

    id = PublicId("cmp", source="campaign.pk")
    name = serializers.CharField(source="campaign.name")
    status = serializers.ChoiceField(choices=Campaign.State.choices, source="campaign.state")
    channel = serializers.CharField(source="campaign.channel")
    simulated = serializers.BooleanField(help_text="No message was delivered.")
    failed = serializers.IntegerField(help_text="Messages that could not be sent.")
    launched_at = serializers.DateTimeField(source="campaign.launched_at", allow_null=True)
    completed_at = serializers.DateTimeField(source="campaign.completed_at", allow_null=True)
    cost = Money(source="roi.cost", allow_null=True)
    profit = Money(source="roi.profit", allow_null=True)
    roi = Rate(source="roi.roi", help_text="Profit by cost: 1.5 is 150 %.")


class CampaignRowSerializer(OutlineSerializer, TotalsSerializer):
    """A campaign with its counters and rates."""

    def to_representation(self, instance: CampaignRow) -> dict[str, Any]:
        return {**OutlineSerializer(instance).data, **TotalsSerializer(instance.totals).data}


class SlotSerializer(serializers.Serializer[Any]):
    """Counters of one hour or day."""

    start = serializers.DateTimeField()
    sent = serializers.IntegerField()
    opened = serializers.IntegerField()
    clicked = serializers.IntegerField()
    converted = serializers.IntegerField()


class CampaignMetricsSerializer(CampaignRowSerializer):
    runs = RunSerializer(many=True)
    course = SlotSerializer(many=True, help_text="By hour; by day if it is longer than three days.")


class CampaignSummarySerializer(CampaignRowSerializer):
    audience = serializers.IntegerField()
    skipped = serializers.DictField(
        child=serializers.IntegerField(), help_text="Customers without a message, by reason."
    )
    funnel = StepSerializer(many=True)


class IncrementSerializer(serializers.Serializer[IncrementalRevenue]):
    """Revenue beyond that of the holdout group."""

    reached = serializers.IntegerField(source="recipients", help_text="Number of recipients.")
    held_back = serializers.IntegerField(
        source="holdout", help_text="Number of customers in the holdout group."
    )
    revenue = serializers.FloatField(help_text="Incremental revenue of all recipients.")
    revenue_interval = serializers.ListField(
        child=serializers.FloatField(), help_text="[low, high], with 95 % confidence."
    )
    each_reached = serializers.FloatField(
        source="per_recipient", help_text="Mean revenue per recipient."
    )
    each_held_back = serializers.FloatField(
        source="per_holdout", help_text="Mean revenue per customer of the holdout group."
    )


class PaybackSerializer(serializers.Serializer[Any]):
    day = serializers.DateField()
    revenue = Money()
    earned = Money(help_text="Revenue up to and with the day.")
    profit = Money(allow_null=True, help_text="Revenue so far, less the whole cost.")


class CampaignRoiSerializer(RoiSerializer):
    id = PublicId("cmp")
    simulated = serializers.BooleanField()
    incremental = IncrementSerializer(allow_null=True, help_text="Null without a holdout group.")
    payback = PaybackSerializer(many=True)
    paid_back_on = serializers.DateField(allow_null=True)


class CostSerializer(serializers.Serializer[Any]):
    kind = serializers.CharField(max_length=50)
    amount = Money(min_value=0, max_digits=14, decimal_places=4)
    basis = serializers.ChoiceField(
        CampaignCost.Basis.choices,
        default=CampaignCost.Basis.FIXED,
        help_text="Whether the amount is the price once, per message or per click.",
    )


class CostsSerializer(serializers.Serializer[Any]):
    """One cost, or several by kind; they replace the costs entered before."""

    cost = Money(min_value=0, max_digits=14, required=False)
    costs = CostSerializer(many=True, required=False, allow_empty=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if len(attrs) != 1:
            raise serializers.ValidationError({"cost": _("Enter either cost or costs.")})
        return attrs


class CampaignResults(Endpoint, Lists, ByPublicId, GenericViewSet[Campaign]):
    """Results of campaigns."""

    rights = rights.of_model(
        "analytics.campaignmetrics",
        summary="analytics.view_campaignmetrics",
        roi="analytics.view_campaignmetrics",
        enter_costs="analytics.add_campaigncost",
    )
    id_kind = "cmp"
    queryset = Campaign.objects.all()
    serializer_class = CampaignRowSerializer
    filterset_class = CampaignFilter
    search_fields = ("name", "description")
    ordering_fields = ("id", "name", "created_at", "launched_at")

    def worked_out(self, rows: Sequence[Campaign]) -> Sequence[CampaignRow]:
        return campaign_rows(rows)

    @extend_schema(parameters=[ID], responses=CampaignMetricsSerializer)
    def retrieve(self, request: Request, id: str) -> Response:
        """Return counters and rates, in total and over time."""
        row = self._row()
        runs = row.campaign.runs.all()
        return Response(
            {
                **CampaignRowSerializer(row).data,
                "runs": RunSerializer(runs, many=True).data,
                "course": SlotSerializer(metrics.time_series(runs), many=True).data,
            }
        )

    @extend_schema(parameters=[ID], responses=CampaignSummarySerializer)
    @action(detail=True, filterset_class=None)
    def summary(self, request: Request, id: str) -> Response:
        """Return counters, rates and the funnel from audience to order."""
        row = self._row()
        steps = campaign_funnel(row.campaign.runs.all(), row.totals)
        return Response(
            {
                **CampaignRowSerializer(row).data,
                "audience": steps[0].count,
                "skipped": _skipped(row.campaign),
                "funnel": StepSerializer(steps, many=True).data,
            }
        )

    @extend_schema(parameters=[ID], responses=CampaignRoiSerializer)
    @action(detail=True, filterset_class=None)
    def roi(self, request: Request, id: str) -> Response:
        """Return the ROI with each part of its formula."""
        return self._roi(self.get_object())

    @extend_schema(
        parameters=[ID],
        request={"application/json": CostsSerializer, None: None},
        responses=CampaignRoiSerializer,
    )
    @roi.mapping.post
    def enter_costs(self, request: Request, id: str) -> Response:
        """Replace the costs of the campaign; return its new ROI. Without a body, the costs stay."""
        campaign = self.get_object()
        if not request.body:
            return self._roi(campaign)
        given = CostsSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        one, several = given.validated_data.get("cost"), given.validated_data.get("costs")
        replace_costs(
            campaign,
            [Cost("fixed", one)] if several is None else [Cost(**each) for each in several],
        )
        return self._roi(campaign)

    def _row(self) -> CampaignRow:
        return campaign_rows([self.get_object()])[0]

    def _roi(self, campaign: Campaign) -> Response:
        row = campaign_rows([campaign])[0]
        days = payback(campaign, row.roi.cost)
        found = incremental_revenue(campaign)
        return Response(
            {
                "id": PublicId("cmp").to_representation(campaign.pk),
                "simulated": row.simulated,
                **RoiSerializer(row.roi).data,
                "incremental": None if found is None else IncrementSerializer(found).data,
                "payback": PaybackSerializer(days, many=True).data,
                "paid_back_on": paid_back_on(days),
            }
        )


def _skipped(campaign: Campaign) -> dict[str, int]:
    rows = CampaignExecution.objects.filter(
        run__campaign=campaign, state=CampaignExecution.State.SKIPPED
    )
    return dict(rows.order_by().values_list("skip_reason").annotate(Count("pk")))
