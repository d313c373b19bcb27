"""The endpoints of campaigns."""

from __future__ import annotations

from typing import Any, ClassVar

import django_filters
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
    extend_schema_view,
)
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.renderers import BrowsableAPIRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ModelViewSet

from crm.api import ids, rights
from crm.api.endpoint import Endpoint
from crm.api.lists import Lists
from marketing import campaigns
from marketing.api import stream
from marketing.api.campaign_moves import CampaignMoves
from marketing.api.campaign_serializers import CampaignSerializer
from marketing.api.errors import MarketingProblems
from marketing.api.executions import PersonSerializer, RealtimeSerializer, realtime
from marketing.api.fields import ID, ByPublicId
from marketing.api.preflights import Preflights
from marketing.api.retry_and_resolve import Aftermath
from marketing.models import Campaign, CampaignExecution


class CampaignFilter(django_filters.FilterSet):
    status = django_filters.ChoiceFilter(field_name="state", choices=Campaign.State.choices)
    segment = django_filters.CharFilter(
        field_name="segments__slug", help_text="Slug of a segment of the audience."
    )
    tag = django_filters.CharFilter(method="tagged")
    created_after = django_filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="gte")
    created_before = django_filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="lt")

    class Meta:
        model = Campaign
        fields: ClassVar[list[str]] = ["status", "channel", "segment", "tag"]

    def tagged(self, campaigns: Any, name: str, value: str) -> Any:
        return campaigns.filter(tags__contains=[value])


@extend_schema_view(
    retrieve=extend_schema(parameters=[ID]),
    update=extend_schema(parameters=[ID]),
    partial_update=extend_schema(parameters=[ID]),
    destroy=extend_schema(
        parameters=[ID],
        responses={
            204: None,
            409: OpenApiResponse(description="A launched campaign cannot be deleted."),
        },
    ),
)
class CampaignViewSet(
    MarketingProblems,
    Endpoint,
    Lists,
    ByPublicId,
    CampaignMoves,
    Aftermath,
    Preflights,
    ModelViewSet[Campaign],
):
    """Campaigns: scheduled with a `schedule_time`, else drafts that `execute` sends."""

    rights = rights.of_model(
        "marketing.campaign",
        by_status="marketing.view_campaign",
        audience=("marketing.view_campaign", "customers.view_customer"),
        realtime="marketing.view_campaign",
    )
    id_kind = "cmp"
    serializer_class = CampaignSerializer
    queryset = Campaign.objects.select_related("sender", "template").prefetch_related(
        "segments", "exclude_segments", "variants__template"
    )
    filterset_class = CampaignFilter
    search_fields = ("name", "description")
    ordering_fields = ("id", "name", "created_at", "launched_at", "scheduled_at")

    def perform_destroy(self, instance: Campaign) -> None:
        campaigns.discard(instance)

    @extend_schema(
        parameters=[
            OpenApiParameter("status", enum=Campaign.State.values, location=OpenApiParameter.PATH)
        ],
        responses=CampaignSerializer(many=True),
    )
    @action(
        detail=False, url_path=r"status/(?P<status>[^/]+)", gives_rows=True, filterset_class=None
    )
    def by_status(self, request: Request, status: str) -> Response:
        """List the campaigns in one state."""
        if status not in Campaign.State:
            known = ", ".join(Campaign.State.values)
            raise NotFound(_("Unknown state. Known: %s.") % known)
        return self.listed(self.filter_queryset(self.get_queryset().filter(state=status)))

    @extend_schema(
        parameters=[
            ID,
            OpenApiParameter(
                "reason",
                description="A skip reason; by default the recipients.",
                enum=CampaignExecution.SkipReason.values,
            ),
            OpenApiParameter("after", description="The last customer of the page before."),
        ],
        responses=PersonSerializer(many=True),
    )
    @action(detail=True, filterset_class=None, filter_backends=[], pagination_class=None)
    def audience(self, request: Request, id: str) -> Response:
        """List the customers of one reason of a dry run, a hundred at a time in a fixed order."""
        campaign: Campaign = self.get_object()
        campaigns.check_ready(campaign)
        written = request.query_params.get("after", "")
        after = ids.decode("cus", written) if written else 0
        if after is None:
            raise ValidationError({"after": [_("Give the id of a customer, such as cus_….")]})
        found = campaigns.audience_with(
            campaign, request.query_params.get("reason", ""), after=after
        )
        return Response([PersonSerializer(person).data for person in found])

    @extend_schema(
        parameters=[
            ID,
            OpenApiParameter(
                "stream",
                OpenApiTypes.BOOL,
                description="1: server-sent events, for a minute at most.",
            ),
        ],
        responses=RealtimeSerializer,
    )
    @action(
        detail=True,
        renderer_classes=[JSONRenderer, BrowsableAPIRenderer, stream.EventStreamRenderer],
    )
    def realtime(self, request: Request, id: str) -> HttpResponseBase:
        """Return the progress, once or as a stream."""
        campaign = self.get_object()
        accepted = request.accepted_renderer.format
        if accepted == stream.EventStreamRenderer.format or request.query_params.get("stream"):
            return stream.response(campaign, request.user.pk)
        return Response(realtime(campaign))
