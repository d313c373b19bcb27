"""The API of senders: accounts at providers. It accepts secrets and never returns them."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import transaction
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import (
    OpenApiResponse,
    extend_schema,
    extend_schema_field,
    extend_schema_view,
)
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ModelViewSet

from crm import credentials
from crm.api import rights
from crm.api.endpoint import Endpoint
from crm.api.fields import PublicId
from crm.api.lists import Lists
from customers.models import Suppression
from marketing.api.errors import MarketingProblems
from marketing.api.fields import ID, ByPublicId
from marketing.api.template_serializers import TestReceiptSerializer
from marketing.channels import provider_choices
from marketing.models import Sender, SenderBreaker
from marketing.sending import sender_accounts, unproven_suppressions

MOST_LISTED = 1_000


class TroubleSerializer(serializers.Serializer[Any]):
    at = serializers.DateTimeField()
    what = serializers.CharField()


class StandingSerializer(serializers.Serializer[Any]):
    breaker = serializers.ChoiceField(
        choices=SenderBreaker.State.choices,
        source="breaker.state",
        default=SenderBreaker.State.CLOSED,
    )
    tried_again_at = serializers.DateTimeField(
        source="breaker.probe_at", default=None, allow_null=True
    )
    sent_today = serializers.IntegerField(
        source="pace.taken", default=0, help_text=gettext_lazy("Used of the daily limit.")
    )
    held_until = serializers.DateTimeField(source="pace.held_until", default=None, allow_null=True)
    faults = serializers.DictField(child=serializers.CharField())
    last_errors = TroubleSerializer(source="errors", many=True)


class SenderSerializer(serializers.ModelSerializer[Sender]):
    id = PublicId("snd")
    provider = serializers.ChoiceField(choices=provider_choices())
    settings = serializers.DictField(
        child=serializers.CharField(allow_blank=True, max_length=5_000),
        required=False,
        help_text=gettext_lazy(
            "The provider's settings by name; a secret in clear, or as env:SENDER_NAME, a variable whose name starts with "
            "SENDER_SECRETS_PREFIX. Secrets are not returned, and settings left out stay as they are; another server or provider needs its "
            "secrets again."
        ),
    )
    simulated = serializers.BooleanField(read_only=True)
    receipts_url = serializers.CharField(
        read_only=True, help_text=gettext_lazy("The URL for the provider's receipts.")
    )

    class Meta:
        model = Sender
        fields: ClassVar[list[str]] = [
            "id", "name", "channel", "provider", "from_name", "from_address", "reply_to", "settings", "is_default", "per_second",
            "per_day", "connections", "cost_per_message", "simulated", "receipts_url", "created_at",
        ]  # fmt: skip
        read_only_fields: ClassVar[list[str]] = ["created_at"]

    def to_representation(self, instance: Sender) -> dict[str, Any]:
        shown: dict[str, Any] = super().to_representation(instance)
        secrets = {
            name: credentials.masked(stored) for name, stored in instance.credentials.items()
        }
        return {**shown, "settings": {**instance.settings, **secrets}}

    @transaction.atomic
    def create(self, validated_data: dict[str, Any]) -> Sender:
        return self._save(Sender(), validated_data)

    @transaction.atomic
    def update(self, instance: Sender, validated_data: dict[str, Any]) -> Sender:
        return self._save(instance, validated_data)

    def _save(self, sender: Sender, wanted: dict[str, Any]) -> Sender:
        given = wanted.pop("settings", {})
        for name, value in wanted.items():
            setattr(sender, name, value)
        try:
            sender_accounts.set_up(sender, given)
        except sender_accounts.NotSetUp as error:
            raise serializers.ValidationError(self._by_field(error.faults)) from error
        sender.save()
        return sender

    def _by_field(self, faults: dict[str, str]) -> dict[str, Any]:
        ours = {name: [fault] for name, fault in faults.items() if name in self.fields}
        theirs = {name: [fault] for name, fault in faults.items() if name not in self.fields}
        return {**ours, **({"settings": theirs} if theirs else {})}


class SenderWithStandingSerializer(SenderSerializer):
    standing = serializers.SerializerMethodField()

    class Meta(SenderSerializer.Meta):
        fields: ClassVar[list[str]] = [*SenderSerializer.Meta.fields, "standing"]

    @extend_schema_field(StandingSerializer)
    def get_standing(self, sender: Sender) -> Any:
        return StandingSerializer(sender_accounts.status_of(sender)).data


class SenderTestSerializer(serializers.Serializer[Any]):
    to = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=320,
        help_text=gettext_lazy("An address of the channel; none for a post."),
    )
    message = serializers.CharField(required=False, allow_blank=True, max_length=1_000)


class UnprovenSuppressionSerializer(serializers.ModelSerializer[Suppression]):
    id = PublicId("sup")

    class Meta:
        model = Suppression
        fields: ClassVar[list[str]] = ["id", "channel", "address", "evidence", "created_at"]
        read_only_fields = fields


class UnprovenSuppressionsSerializer(serializers.Serializer[Any]):
    count = serializers.IntegerField()
    results = UnprovenSuppressionSerializer(many=True, help_text="The first 1,000, oldest first.")


class LiftedSerializer(serializers.Serializer[Any]):
    lifted = serializers.IntegerField()


class SenderReceiptSerializer(TestReceiptSerializer):
    url = serializers.CharField(help_text=gettext_lazy("The public address of a post."))
    remarks = serializers.ListField(child=serializers.CharField())


@extend_schema_view(
    retrieve=extend_schema(parameters=[ID], responses=SenderWithStandingSerializer),
    update=extend_schema(parameters=[ID]),
    partial_update=extend_schema(parameters=[ID]),
    destroy=extend_schema(
        parameters=[ID],
        responses={204: None, 409: OpenApiResponse(description="A campaign uses it.")},
    ),
)
class SenderViewSet(MarketingProblems, Endpoint, Lists, ByPublicId, ModelViewSet[Sender]):
    """Senders: from addresses, each with its provider."""

    rights = rights.of_settings(
        "marketing.sender",
        test_send="marketing.change_sender",
        unproven_suppressions="customers.view_suppression",
        lift_suppressions="customers.delete_suppression",
    )
    id_kind = "snd"
    serializer_class = SenderSerializer
    queryset = Sender.objects.all()
    filterset_fields = ("channel", "provider", "is_default")
    search_fields = ("name", "from_address")
    ordering_fields = ("id", "name")

    def get_serializer_class(self) -> type[SenderSerializer]:
        return SenderWithStandingSerializer if self.action == "retrieve" else SenderSerializer

    @extend_schema(responses=UnprovenSuppressionsSerializer)
    @action(
        detail=False, url_path="unproven-suppressions", filter_backends=[], pagination_class=None
    )
    def unproven_suppressions(self, request: Request) -> Response:
        """Hard bounces whose evidence blames the sender and not the address."""
        found = list(unproven_suppressions.find())
        answer = {"count": len(found), "results": found[:MOST_LISTED]}
        return Response(UnprovenSuppressionsSerializer(answer).data)

    @extend_schema(request=None, responses=LiftedSerializer)
    @action(detail=False, methods=["post"], url_path="lift-suppressions")
    def lift_suppressions(self, request: Request) -> Response:
        """Delete all of these suppressions; failed messages to their addresses can be retried."""
        return Response(LiftedSerializer({"lifted": unproven_suppressions.lift()}).data)

    @extend_schema(
        parameters=[ID],
        request=SenderTestSerializer,
        responses={
            200: SenderReceiptSerializer,
            502: OpenApiResponse(description="The provider rejected the message."),
        },
    )
    @action(detail=True, methods=["post"], url_path="test-send")
    def test_send(self, request: Request, id: str) -> Response:
        """Send a test message to one address; no figure counts it."""
        given = SenderTestSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        sender = self.get_object()
        wanted = given.validated_data
        receipt, remarks = sender_accounts.send_test(
            sender, wanted.get("to", ""), text=wanted.get("message", "")
        )
        answer = {
            "provider_id": receipt.provider_id,
            "simulated": sender.simulated,
            "url": receipt.url,
            "remarks": remarks,
        }
        return Response(SenderReceiptSerializer(answer).data)
