"""The endpoints of a campaign's preflight: start, progress, stop."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import Http404
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from crm.accounts.current_user import user_of
from crm.api import rights
from crm.api.fields import PublicId
from marketing import campaigns
from marketing.api.fields import ID
from marketing.models import Campaign, Preflight, PreflightFailure

LISTED = 100


class FailureSerializer(serializers.ModelSerializer[PreflightFailure]):
    customer = PublicId("cus", source="customer_id")
    name = serializers.CharField(source="customer.__str__", read_only=True)

    class Meta:
        model = PreflightFailure
        fields: ClassVar[list[str]] = ["customer", "name", "variant", "error"]
        read_only_fields = fields


class PreflightSerializer(serializers.ModelSerializer[Preflight]):
    """The progress, and the first hundred customers with a rendering error."""

    status = serializers.ChoiceField(
        choices=Preflight.State.choices, source="state", read_only=True
    )
    current = serializers.SerializerMethodField(
        help_text="Whether the campaign still has the content that was rendered."
    )
    failures = serializers.SerializerMethodField()

    class Meta:
        model = Preflight
        fields: ClassVar[list[str]] = [
            "status", "current", "total", "done", "failed", "error", "created_at", "finished_at",
            "failures",
        ]  # fmt: skip
        read_only_fields = fields

    def get_current(self, found: Preflight) -> bool:
        return campaigns.is_current(found)

    @extend_schema(responses=FailureSerializer(many=True))
    def get_failures(self, found: Preflight) -> list[dict[str, Any]]:
        failures = found.failures.select_related("customer")[:LISTED]
        return [FailureSerializer(each).data for each in failures]


NONE_YET = OpenApiResponse(description="No preflight yet.")


class Preflights(GenericAPIView):
    """Mixin of the campaign views."""

    rights = rights.each(
        preflight="marketing.view_preflight",
        begin_preflight="marketing.add_preflight",
        stop_preflight="marketing.change_preflight",
    )

    @extend_schema(parameters=[ID], responses={200: PreflightSerializer, 404: NONE_YET})
    @action(detail=True, filterset_class=None, pagination_class=None)
    def preflight(self, request: Request, id: str) -> Response:
        """Return the progress of the newest preflight, and the customers with a rendering error."""
        found = campaigns.newest_preflight(self.get_object())
        if found is None:
            raise Http404
        return Response(PreflightSerializer(found).data)

    @extend_schema(parameters=[ID], request=None, responses={202: PreflightSerializer})
    @preflight.mapping.post
    def begin_preflight(self, request: Request, id: str) -> Response:
        """Render the message for all recipients in the background, without sending it."""
        campaign: Campaign = self.get_object()
        campaigns.check_ready(campaign)
        begun = campaigns.start_preflight(campaign, by=user_of(request))
        return Response(PreflightSerializer(begun).data, status=202)

    @extend_schema(parameters=[ID], responses={204: None})
    @preflight.mapping.delete
    def stop_preflight(self, request: Request, id: str) -> Response:
        """Stop the preflight under way."""
        campaigns.stop_preflight(self.get_object())
        return Response(status=204)
