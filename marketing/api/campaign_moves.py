"""The calls that change the state of a campaign; each is one function of marketing.campaigns.moves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from crm.accounts.current_user import user_of
from crm.accounts.models import User
from crm.api import rights
from marketing import campaigns
from marketing.api.campaign_serializers import CampaignSerializer, ScheduleTime
from marketing.api.execution_serializers import DryRunSerializer, RunSerializer
from marketing.api.fields import ID
from marketing.models import Campaign

State = Campaign.State


class ExecuteSerializer(serializers.Serializer[Any]):
    dry_run = serializers.BooleanField(
        default=False, help_text="Only say who would get it, and who would not and why."
    )
    skip_invalid = serializers.BooleanField(
        default=False,
        help_text="Send whatever a preflight found; people for whom the message fails are skipped.",
    )


class StatusSerializer(serializers.Serializer[Any]):
    status = serializers.ChoiceField(choices=State.choices)


class RescheduleSerializer(serializers.Serializer[Any]):
    schedule_time = ScheduleTime()


IMPOSSIBLE = OpenApiResponse(
    description="Not from its present state; `possible` says where it can go."
)
MOVED = {200: CampaignSerializer, 409: IMPOSSIBLE}
LAUNCHED = {
    200: OpenApiResponse(DryRunSerializer, description="Of a dry run."),
    202: OpenApiResponse(RunSerializer, description="It is being sent."),
    409: IMPOSSIBLE,
}
LAUNCH = "marketing.launch_campaign"


class CampaignMoves(GenericAPIView):
    """Mixin of the campaign views."""

    rights = rights.each(
        status=LAUNCH,
        execute=LAUNCH,
        launch=LAUNCH,
        pause=LAUNCH,
        resume=LAUNCH,
        complete=LAUNCH,
        cancel=LAUNCH,
        reschedule=LAUNCH,
        duplicate="marketing.add_campaign",
        approve="marketing.approve_campaign",
    )

    @extend_schema(parameters=[ID], request=StatusSerializer, responses=MOVED)
    @action(detail=True, methods=["put"])
    def status(self, request: Request, id: str) -> Response:
        """Change the state, whatever that takes: to `running` launches or resumes."""
        given = StatusSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        return self._move(_way_to(given.validated_data["status"]))

    @extend_schema(parameters=[ID], request=ExecuteSerializer, responses=LAUNCHED)
    @action(detail=True, methods=["post"])
    def execute(self, request: Request, id: str) -> Response:
        """Send now; or, in a dry run, say to whom."""
        return self._launch(request)

    @extend_schema(parameters=[ID], request=ExecuteSerializer, responses=LAUNCHED)
    @action(detail=True, methods=["post"])
    def launch(self, request: Request, id: str) -> Response:
        """The same as execute."""
        return self._launch(request)

    @extend_schema(parameters=[ID], request=None, responses=MOVED)
    @action(detail=True, methods=["post"])
    def pause(self, request: Request, id: str) -> Response:
        """Hold it; nothing more leaves."""
        return self._move(campaigns.pause)

    @extend_schema(parameters=[ID], request=None, responses=MOVED)
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, id: str) -> Response:
        """Go on where it stopped."""
        return self._move(campaigns.resume)

    @extend_schema(parameters=[ID], request=None, responses=MOVED)
    @action(detail=True, methods=["post"])
    def complete(self, request: Request, id: str) -> Response:
        """End it early and count it as done; what has not left is skipped."""
        return self._move(campaigns.complete)

    @extend_schema(parameters=[ID], request=None, responses=MOVED)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, id: str) -> Response:
        """End it; what has not left is skipped."""
        return self._move(campaigns.cancel)

    @extend_schema(parameters=[ID], request=RescheduleSerializer, responses=MOVED)
    @action(detail=True, methods=["patch"])
    def reschedule(self, request: Request, id: str) -> Response:
        """Start at another time; a draft is scheduled by it."""
        campaign: Campaign = self.get_object()
        asked = RescheduleSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        given = CampaignSerializer(
            campaign,
            data={"schedule_time": asked.initial_data["schedule_time"]},
            partial=True,
            context=self.get_serializer_context(),
        )
        given.is_valid(raise_exception=True)
        at = given.validated_data["scheduled_at"]
        if at is None:
            raise serializers.ValidationError({"schedule_time": _("When should it start?")})
        campaigns.schedule_launch(campaign, at=at, by=user_of(request))
        return Response(self.get_serializer(campaign).data)

    @extend_schema(parameters=[ID], request=None, responses={201: CampaignSerializer})
    @action(detail=True, methods=["post"])
    def duplicate(self, request: Request, id: str) -> Response:
        """A draft that says the same to the same people in the same rhythm."""
        copy = campaigns.duplicate(self.get_object(), by=user_of(request))
        return Response(self.get_serializer(copy).data, status=201)

    @extend_schema(
        parameters=[ID],
        request=None,
        responses={200: CampaignSerializer, 403: OpenApiResponse(description="Its author.")},
    )
    @action(detail=True, methods=["post"])
    def approve(self, request: Request, id: str) -> Response:
        """Approve it as it is now, where the site asks for a second pair of eyes; its author may not."""
        return self._move(campaigns.approve)

    def _launch(self, request: Request) -> Response:
        given = ExecuteSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        campaign: Campaign = self.get_object()
        if given.validated_data["dry_run"]:
            campaigns.check_ready(campaign)
            return Response(DryRunSerializer(campaigns.dry_run(campaign)).data)
        skip_invalid = given.validated_data["skip_invalid"]
        run = campaigns.launch(campaign, by=user_of(request), skip_invalid=skip_invalid)
        return Response(RunSerializer(run).data, status=202)

    def _move(self, move: Callable[..., Any]) -> Response:
        campaign: Campaign = self.get_object()
        move(campaign, by=user_of(self.request))
        return Response(self.get_serializer(campaign).data)


def _way_to(status: str) -> Callable[..., Any]:
    """The function that brings a campaign to the state. It raises ImpossibleMove where there is no way."""

    def go(campaign: Campaign, *, by: User) -> None:
        match status:
            case State.RUNNING if campaign.state == State.PAUSED:
                campaigns.resume(campaign, by=by)
            case State.RUNNING:
                campaigns.launch(campaign, by=by)
            case State.PAUSED:
                campaigns.pause(campaign, by=by)
            case State.COMPLETED:
                campaigns.complete(campaign, by=by)
            case State.CANCELLED:
                campaigns.cancel(campaign, by=by)
            case State.SCHEDULED if campaign.state == State.PAUSED and campaign.recurs:
                campaigns.resume(campaign, by=by)
            case State.SCHEDULED if campaign.is_editable:
                if campaign.scheduled_at is None:
                    raise campaigns.NotReady(_("Give it a schedule_time first."))
                campaigns.schedule_launch(campaign, at=campaign.scheduled_at, by=by)
            case _:
                raise campaigns.ImpossibleMove(campaign, status)

    return go
