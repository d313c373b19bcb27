"""The API calls that retry failed messages and resolve messages in doubt."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from crm.accounts.current_user import user_of
from crm.api import ids, rights
from marketing import campaigns
from marketing.api.fields import ID
from marketing.models import Campaign, CampaignExecution
from marketing.sending import resolve_all


class RetriedSerializer(serializers.Serializer[Any]):
    retried = serializers.IntegerField(help_text="The number of messages that are retried.")


class SettleSerializer(serializers.Serializer[Any]):
    arrived = serializers.BooleanField(
        help_text="Whether the messages were delivered, as far as you know."
    )
    executions = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        max_length=10_000,
        help_text="Ids of messages; all messages in doubt without them.",
    )


class SettledSerializer(serializers.Serializer[Any]):
    settled = serializers.IntegerField(help_text="The number of messages resolved.")


class Aftermath(GenericAPIView):
    """Mixin of the campaign views."""

    rights = rights.each(
        retry_failed="marketing.launch_campaign", settle="marketing.change_campaignexecution"
    )

    @extend_schema(parameters=[ID], request=None, responses={202: RetriedSerializer})
    @action(detail=True, methods=["post"], url_path="retry-failed")
    def retry_failed(self, request: Request, id: str) -> Response:
        """Retry the failed messages of the newest run, without invalid addresses."""
        number = campaigns.retry_failed(self.get_object(), by=user_of(request))
        return Response({"retried": number}, status=202)

    @extend_schema(parameters=[ID], request=SettleSerializer, responses={200: SettledSerializer})
    @action(detail=True, methods=["post"])
    def settle(self, request: Request, id: str) -> Response:
        """Mark unconfirmed messages as delivered or not; your name is recorded with each."""
        campaign: Campaign = self.get_object()
        given = SettleSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        messages = CampaignExecution.objects.filter(run__campaign=campaign)
        if "executions" in given.validated_data:
            messages = messages.filter(pk__in=_decoded(given.validated_data["executions"]))
        number = resolve_all(
            messages, delivered=given.validated_data["arrived"], by=user_of(request)
        )
        return Response({"settled": number})


def _decoded(public_ids: list[str]) -> list[int]:
    decoded = {each: ids.decode("msg", each) for each in public_ids}
    if unknown := [each for each, pk in decoded.items() if pk is None]:
        raise serializers.ValidationError(
            {"executions": _("There is no such message: %s") % ", ".join(unknown[:5])}
        )
    return [pk for pk in decoded.values() if pk is not None]
