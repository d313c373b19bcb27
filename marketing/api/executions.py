"""The API of runs and messages."""

from __future__ import annotations

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.generics import ListAPIView, RetrieveAPIView

from crm.api import rights
from crm.api.endpoint import Endpoint
from crm.api.lists import Lists
from marketing.api.execution_serializers import (
    ExecutionDetailSerializer,
    ExecutionFilter,
    ExecutionSerializer,
    RunSerializer,
)
from marketing.api.fields import ID, ByPublicId, decoded
from marketing.models import Campaign, CampaignExecution, CampaignRun


@extend_schema_view(get=extend_schema(parameters=[ID]))
class RunsView(Endpoint, Lists, ListAPIView[CampaignRun]):
    """The runs of a campaign, newest first."""

    rights = rights.each(get="marketing.view_campaignrun")
    serializer_class = RunSerializer
    queryset = CampaignRun.objects.all()
    search_fields = ()
    ordering_fields = ("number",)

    def get_queryset(self) -> QuerySet[CampaignRun]:
        return super().get_queryset().filter(campaign=_campaign(self.kwargs["id"]))


@extend_schema_view(get=extend_schema(parameters=[ID]))
class ExecutionsView(Endpoint, Lists, ListAPIView[CampaignExecution]):
    """The messages of all runs of a campaign, oldest first."""

    rights = rights.each(get="marketing.view_campaignexecution")
    serializer_class = ExecutionSerializer
    queryset = CampaignExecution.objects.order_by("pk")
    filterset_class = ExecutionFilter
    search_fields = ()
    ordering_fields = ("id",)

    def get_queryset(self) -> QuerySet[CampaignExecution]:
        return super().get_queryset().filter(run__campaign=_campaign(self.kwargs["id"]))


@extend_schema_view(get=extend_schema(parameters=[ID]))
class ExecutionView(Endpoint, ByPublicId, RetrieveAPIView[CampaignExecution]):
    """A message with its state, the reason for it, and its history."""

    rights = rights.each(get="marketing.view_campaignexecution")
    id_kind = "msg"
    serializer_class = ExecutionDetailSerializer
    queryset = CampaignExecution.objects.select_related("run", "run__version__template")


def _campaign(public_id: str) -> Campaign:
    return get_object_or_404(Campaign, pk=decoded("cmp", public_id))
