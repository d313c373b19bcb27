"""What came of campaigns, each by its public id."""

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

from analytics import dashboard, metrics
from analytics.api.figures import Money, Rate, RoiSerializer, StepSerializer, TotalsSerializer
from analytics.dashboard import CampaignRow
from analytics.funnel import funnel
from analytics.models import CampaignCost
from analytics.returns import costs, payback
from analytics.returns.costs import Cost
from analytics.returns.incremental import Increment, increment
from crm.api import rights
from crm.api.endpoint import Endpoint
from crm.api.fields import PublicId
from crm.api.lists import Lists
from marketing.api.campaigns import CampaignFilter
from marketing.api.execution_serializers import RunSerializer
from marketing.api.fields import ID, ByPublicId
from marketing.models import Campaign, CampaignExecution


class OutlineSerializer(serializers.Serializer[Any]):
    """Which campaign, and what it brought for what it cost."""

    id = PublicId("cmp", source="campaign.pk")
    name = serializers.CharField(source="campaign.name")
    status = serializers.ChoiceField(choices=Campaign.State.choices, source="campaign.state")
    channel = serializers.CharField(source="campaign.channel")
    simulated = serializers.BooleanField(help_text="Nothing was delivered; nobody did any of it.")
    launched_at = serializers.DateTimeField(source="campaign.launched_at", allow_null=True)
    completed_at = serializers.DateTimeField(source="campaign.completed_at", allow_null=True)
    cost = Money(source="roi.cost", allow_null=True)
    profit = Money(source="roi.profit", allow_null=True)
    roi = Rate(source="roi.roi", help_text="Profit by cost: 1.5 is 150 %.")


class CampaignRowSerializer(OutlineSerializer, TotalsSerializer):
    """A campaign with its counters and rates beside it."""

    def to_representation(self, instance: CampaignRow) -> dict[str, Any]:
        return {**OutlineSerializer(instance).data, **TotalsSerializer(instance.totals).data}


class SlotSerializer(serializers.Serializer[Any]):
    """analytics.metrics.Slot: what happened within an hour or a day."""

    start = serializers.DateTimeField()
    sent = serializers.IntegerField()
    opened = serializers.IntegerField()
    clicked = serializers.IntegerField()
    converted = serializers.IntegerField()


class CampaignMetricsSerializer(CampaignRowSerializer):
    runs = RunSerializer(many=True)
    course = SlotSerializer(many=True, help_text="By the hour; by the day over more than three.")


class CampaignSummarySerializer(CampaignRowSerializer):
    audience = serializers.IntegerField()
    skipped = serializers.DictField(
        child=serializers.IntegerField(), help_text="Who got none, by reason."
    )
    funnel = StepSerializer(many=True)


class IncrementSerializer(serializers.Serializer[Increment]):
    """What came that would not have come without the campaign, by the people who were held back."""

    reached = serializers.IntegerField(help_text="People.")
    held_back = serializers.IntegerField(help_text="People.")
    revenue = serializers.FloatField(help_text="Of all who were reached.")
    revenue_interval = serializers.ListField(
        child=serializers.FloatField(), help_text="[low, high], with 95 % confidence."
    )
    each_reached = serializers.FloatField(help_text="Revenue a person.")
    each_held_back = serializers.FloatField()


class PaybackSerializer(serializers.Serializer[Any]):
    day = serializers.DateField()
    revenue = Money()
    earned = Money(help_text="Up to and with the day.")
    profit = Money(allow_null=True, help_text="What was earned, less the whole cost.")


class CampaignRoiSerializer(RoiSerializer):
    id = PublicId("cmp")
    simulated = serializers.BooleanField()
    incremental = IncrementSerializer(allow_null=True, help_text="Null where nobody was held back.")
    payback = PaybackSerializer(many=True)
    paid_back_on = serializers.DateField(allow_null=True)


class CostSerializer(serializers.Serializer[Any]):
    kind = serializers.CharField(max_length=50)
    amount = Money(min_value=0, max_digits=14, decimal_places=4)
    basis = serializers.ChoiceField(
        CampaignCost.Basis.choices,
        default=CampaignCost.Basis.FIXED,
        help_text="Whether the amount is paid once, or for each message or click.",
    )


class CostsSerializer(serializers.Serializer[Any]):
    """One cost, or several by kind. They take the place of those entered before."""

    cost = Money(min_value=0, max_digits=14, required=False)
    costs = CostSerializer(many=True, required=False, allow_empty=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if len(attrs) != 1:
            raise serializers.ValidationError({"cost": _("Give either a cost or costs.")})
        return attrs


class CampaignResults(Endpoint, Lists, ByPublicId, GenericViewSet[Campaign]):
    """What came of each campaign."""

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
        return dashboard.campaign_rows(rows)

    @extend_schema(parameters=[ID], responses=CampaignMetricsSerializer)
    def retrieve(self, request: Request, id: str) -> Response:
        """Counters, rates, and when it happened."""
        row = self._row()
        runs = row.campaign.runs.all()
        return Response(
            {
                **CampaignRowSerializer(row).data,
                "runs": RunSerializer(runs, many=True).data,
                "course": SlotSerializer(metrics.course(runs), many=True).data,
            }
        )

    @extend_schema(parameters=[ID], responses=CampaignSummarySerializer)
    @action(detail=True, filterset_class=None)
    def summary(self, request: Request, id: str) -> Response:
        """Counters, rates and the way from the audience to the order."""
        row = self._row()
        steps = funnel(row.campaign.runs.all(), row.totals)
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
        """The return on what was paid, by the parts of the formula."""
        return self._roi(self.get_object())

    @extend_schema(parameters=[ID], request=CostsSerializer, responses=CampaignRoiSerializer)
    @roi.mapping.post
    def enter_costs(self, request: Request, id: str) -> Response:
        """Say what the campaign cost, and see what that makes of its return."""
        given = CostsSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        campaign = self.get_object()
        one, several = given.validated_data.get("cost"), given.validated_data.get("costs")
        costs.enter(
            campaign,
            [Cost("fixed", one)] if several is None else [Cost(**each) for each in several],
        )
        return self._roi(campaign)

    def _row(self) -> CampaignRow:
        return dashboard.campaign_rows([self.get_object()])[0]

    def _roi(self, campaign: Campaign) -> Response:
        row = dashboard.campaign_rows([campaign])[0]
        days = payback.payback(campaign, row.roi.cost)
        found = increment(campaign)
        return Response(
            {
                "id": PublicId("cmp").to_representation(campaign.pk),
                "simulated": row.simulated,
                **RoiSerializer(row.roi).data,
                "incremental": None if found is None else IncrementSerializer(found).data,
                "payback": PaybackSerializer(days, many=True).data,
                "paid_back_on": payback.paid_back_on(days),
            }
        )


def _skipped(campaign: Campaign) -> dict[str, int]:
    rows = CampaignExecution.objects.filter(
        run__campaign=campaign, state=CampaignExecution.State.SKIPPED
    )
    return dict(rows.order_by().values_list("skip_reason").annotate(Count("pk")))
