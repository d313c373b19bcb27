"""Templates over the API: written, looked at, sent as a test."""

from __future__ import annotations

from typing import Any, ClassVar

from django.utils.translation import gettext_lazy
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ModelViewSet

from crm.api.fields import PublicId
from crm.api.idempotency import IdempotentWrites
from customers.models.consent import Channel
from marketing.api.errors import MarketingProblems
from marketing.api.fields import ID, ByPublicId, CustomerReference, Reference
from marketing.campaigns.create import default_sender
from marketing.content import liquid
from marketing.content.preview import preview, send_test
from marketing.models import CampaignTemplate, Sender


class TemplateSerializer(serializers.ModelSerializer[CampaignTemplate]):
    id = PublicId("tpl")
    channel = serializers.ChoiceField(
        choices=[(Channel.EMAIL.value, Channel.EMAIL.label)],
        default=Channel.EMAIL,
        error_messages={"invalid_choice": gettext_lazy("Only email now, not {input}.")},
    )
    body = serializers.CharField(
        trim_whitespace=False, help_text=gettext_lazy("HTML with Liquid, or {name}.")
    )

    class Meta:
        model = CampaignTemplate
        fields: ClassVar[list[str]] = [
            "id", "name", "channel", "subject", "body", "plain_text", "created_at", "updated_at",
        ]  # fmt: skip
        read_only_fields: ClassVar[list[str]] = ["created_at"]

    def validate_subject(self, subject: str) -> str:
        return _liquid(subject)

    def validate_body(self, body: str) -> str:
        return _liquid(body, html=True)

    def validate_plain_text(self, plain_text: str) -> str:
        return _liquid(plain_text)


class LookSerializer(serializers.Serializer[Any]):
    customer = CustomerReference(
        required=False, help_text=gettext_lazy("Id or external id; a random one if not given.")
    )


class TestSendSerializer(LookSerializer):
    to = serializers.EmailField()
    sender = Reference("snd", queryset=Sender.objects.all(), required=False)


class MessagePreviewSerializer(serializers.Serializer[Any]):
    subject = serializers.CharField()
    html = serializers.CharField()
    text = serializers.CharField()
    unknown = serializers.ListField(
        child=serializers.CharField(), help_text=gettext_lazy("Variables that nobody has.")
    )
    customer = CustomerReference(allow_null=True)


class TestReceiptSerializer(serializers.Serializer[Any]):
    provider_id = serializers.CharField()
    simulated = serializers.BooleanField(help_text=gettext_lazy("Nothing was delivered."))


@extend_schema_view(
    retrieve=extend_schema(parameters=[ID]),
    update=extend_schema(parameters=[ID]),
    partial_update=extend_schema(parameters=[ID]),
    destroy=extend_schema(
        parameters=[ID],
        responses={204: None, 409: OpenApiResponse(description="A campaign uses it.")},
    ),
)
class TemplateViewSet(
    MarketingProblems, IdempotentWrites, ByPublicId, ModelViewSet[CampaignTemplate]
):
    """What is said, in Liquid. What was sent keeps its words when the template changes."""

    id_kind = "tpl"
    serializer_class = TemplateSerializer
    queryset = CampaignTemplate.objects.all()
    filterset_fields = ("channel",)
    search_fields = ("name", "subject")
    ordering_fields = ("id", "name", "updated_at")

    @extend_schema(parameters=[ID], request=LookSerializer, responses=MessagePreviewSerializer)
    @action(detail=True, methods=["post"])
    def preview(self, request: Request, id: str) -> Response:
        """The message as a customer would get it; nothing is sent or tracked."""
        given = LookSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        seen = preview(self.get_object(), given.validated_data.get("customer"))
        return Response(MessagePreviewSerializer(seen).data)

    @extend_schema(
        parameters=[ID],
        request=TestSendSerializer,
        responses={
            200: TestReceiptSerializer,
            502: OpenApiResponse(description="The provider did not take it."),
        },
    )
    @action(detail=True, methods=["post"], url_path="test-send")
    def test_send(self, request: Request, id: str) -> Response:
        """Send it to one address, marked as a test; it counts nowhere."""
        given = TestSendSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        wanted = given.validated_data
        sender = wanted.get("sender") or default_sender()
        receipt = send_test(
            self.get_object(),
            sender=sender,
            to_address=wanted["to"],
            customer=wanted.get("customer"),
        )
        answer = {"provider_id": receipt.provider_id, "simulated": sender.simulated}
        return Response(TestReceiptSerializer(answer).data)


def _liquid(source: str, *, html: bool = False) -> str:
    try:
        liquid.compile_template(source, html=html)
    except liquid.ContentError as error:
        raise serializers.ValidationError(str(error)) from error
    return source
