"""The endpoints that change the state of a campaign, each by one move of marketing.campaigns."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from crm.accounts import audit
from crm.accounts.current_user import user_of
from crm.accounts.models import User
from crm.api import rights
from marketing import campaigns
from marketing.api.campaign_serializers import CampaignSerializer, ScheduleTime
from marketing.api.executions import DryRunSerializer, RunSerializer
from marketing.api.fields import ID
from marketing.models import Campaign

State = Campaign.State


class ExecuteSerializer(serializers.Serializer[Any]):
    dry_run = serializers.BooleanField(
        default=False, help_text="Only return the recipients, and the skipped customers by reason."
    )
    skip_invalid = serializers.BooleanField(
        default=False,
        help_text="Send in spite of the preflight; customers with a rendering error are skipped.",
    )


class ApproveSerializer(serializers.Serializer[Any]):
    fingerprint = serializers.CharField(
        default="",
        help_text="That of the dry run that was looked at: 409 where the campaign has changed since.",
    )


class StatusSerializer(serializers.Serializer[Any]):
    status = serializers.ChoiceField(choices=State.choices)


class RescheduleSerializer(serializers.Serializer[Any]):
    schedule_time = ScheduleTime()


IMPOSSIBLE = OpenApiResponse(
    description="Not possible in the present state; `possible` lists the states that are."
)
MOVED = {200: CampaignSerializer, 409: IMPOSSIBLE}
LAUNCHED = {
    200: OpenApiResponse(DryRunSerializer, description="The result of a dry run."),
    202: OpenApiResponse(RunSerializer, description="Sending has started."),
    409: IMPOSSIBLE,
}
LAUNCH = "marketing.launch_campaign"


def move_view(move: Callable[..., Any], description: str) -> Callable[..., Response]:
    """Return a POST endpoint that makes a move and answers with the campaign."""

    def view(self: CampaignMoves, request: Request, id: str) -> Response:
        return self._make(move)

    view.__name__ = move.__name__
    schema = extend_schema(parameters=[ID], request=None, responses=MOVED, description=description)
    decorated: Callable[..., Response] = schema(action(detail=True, methods=["post"])(view))
    return decorated


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
        """Change the state by the move that leads to it: `running` launches or resumes."""
        given = StatusSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        return self._make(_move_to(given.validated_data["status"]))

    @extend_schema(parameters=[ID], request=ExecuteSerializer, responses=LAUNCHED)
    @action(detail=True, methods=["post"])
    def execute(self, request: Request, id: str) -> Response:
        """Send now, or count the recipients in a dry run."""
        return self._launch(request)

    @extend_schema(parameters=[ID], request=ExecuteSerializer, responses=LAUNCHED)
    @action(detail=True, methods=["post"])
    def launch(self, request: Request, id: str) -> Response:
        """Do the same as execute."""
        return self._launch(request)

    pause = move_view(campaigns.pause, "Pause sending.")
    resume = move_view(campaigns.resume, "Resume sending where it stopped.")
    complete = move_view(
        campaigns.complete, "End the campaign early; messages not sent yet are skipped."
    )
    cancel = move_view(campaigns.cancel, "Cancel the campaign; messages not sent yet are skipped.")

    @extend_schema(parameters=[ID], request=RescheduleSerializer, responses=MOVED)
    @action(detail=True, methods=["patch"])
    def reschedule(self, request: Request, id: str) -> Response:
        """Schedule a draft, or move a scheduled campaign to another time."""
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
            raise serializers.ValidationError(
                {"schedule_time": _("Give the time at which the campaign starts.")}
            )
        campaigns.schedule_launch(campaign, at=at, by=user_of(request))
        return Response(self.get_serializer(campaign).data)

    @extend_schema(parameters=[ID], request=None, responses={201: CampaignSerializer})
    @action(detail=True, methods=["post"])
    def duplicate(self, request: Request, id: str) -> Response:
        """Copy a campaign as a draft with the same content, audience and schedule."""
        copy = campaigns.duplicate(self.get_object(), by=user_of(request))
        return Response(self.get_serializer(copy).data, status=201)

    @extend_schema(
        parameters=[ID],
        request=ApproveSerializer,
        responses={
            200: CampaignSerializer,
            403: OpenApiResponse(description="The user is its author."),
        },
    )
    @action(detail=True, methods=["post"])
    def approve(self, request: Request, id: str) -> Response:
        """Approve the campaign as it is now, where the site requires a second user; its author may not."""
        given = ApproveSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        return self._make(partial(campaigns.approve, seen=given.validated_data["fingerprint"]))

    def _launch(self, request: Request) -> Response:
        given = ExecuteSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        campaign: Campaign = self.get_object()
        if given.validated_data["dry_run"]:
            audit.leave_out()
            campaigns.check_ready(campaign)
            found = campaigns.dry_run(campaign)
            return Response(DryRunSerializer(found, context={"campaign": campaign}).data)
        skip_invalid = given.validated_data["skip_invalid"]
        run = campaigns.launch(campaign, by=user_of(request), skip_invalid=skip_invalid)
        return Response(RunSerializer(run).data, status=202)

    def _make(self, move: Callable[..., Any]) -> Response:
        campaign: Campaign = self.get_object()
        move(campaign, by=user_of(self.request))
        return Response(self.get_serializer(campaign).data)


def _move_to(status: str) -> Callable[..., Any]:
    """Return the move that brings a campaign to a state; it raises ImpossibleMove where there is none."""

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
                    raise campaigns.NotReady(_("Give the campaign a schedule_time first."))
                campaigns.schedule_launch(campaign, at=campaign.scheduled_at, by=by)
            case _:
                raise campaigns.ImpossibleMove(campaign, status)

    return go
