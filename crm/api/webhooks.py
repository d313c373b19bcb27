"""Webhooks over the API: endpoints, deliveries and redelivery."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter
from rest_framework.viewsets import ModelViewSet

from crm.api import ids, rights
from crm.api.endpoint import Endpoint
from crm.api.fields import PublicId
from crm.api.lists import Lists
from crm.events import catalog, webhooks
from crm.events.models import WebhookDelivery, WebhookEndpoint

STATE = OpenApiParameter("state", str, enum=WebhookDelivery.State.values)
ID = OpenApiParameter("id", OpenApiTypes.STR, OpenApiParameter.PATH)


class WebhookSerializer(serializers.ModelSerializer[WebhookEndpoint]):
    id = PublicId("whk")
    types = serializers.ListField(
        child=serializers.RegexField(r"^[a-z0-9_]+(\.[a-z0-9_]+)*(\.\*)?$", max_length=100),
        required=False,
        max_length=100,
        help_text="customer.created, or campaign.* for all of a kind; none is all.",
    )

    secret = serializers.CharField(
        write_only=True,
        required=False,
        help_text="The present secret, required with a new url. It is made by us: not for a new webhook.",
    )

    class Meta:
        model = WebhookEndpoint
        fields: ClassVar[list[str]] = [
            "id", "name", "url", "secret", "types", "is_active", "notify", "failures", "failing_since", "switched_off_why", "created_at",
        ]  # fmt: skip
        read_only_fields: ClassVar[list[str]] = [
            "failures", "failing_since", "switched_off_why", "created_at",
        ]  # fmt: skip

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Require the secret for a new address, which rights alone cannot change."""
        secret = attrs.pop("secret", None)
        if self.instance is None and secret is not None:
            raise serializers.ValidationError({"secret": [_("Leave it out: it is generated.")]})
        if self.instance:
            needed = secret is not None or attrs.get("url", self.instance.url) != self.instance.url
            if needed and not webhooks.is_secret(self.instance, secret or ""):
                raise serializers.ValidationError({"secret": [webhooks.MOVED]})
        return attrs

    def update(self, instance: WebhookEndpoint, validated_data: dict[str, Any]) -> WebhookEndpoint:
        if validated_data.get("is_active") and not instance.is_active:
            webhooks.switch_on(instance)
            instance.refresh_from_db()
        return super().update(instance, validated_data)


class WebhookWithSecretSerializer(WebhookSerializer):
    secret = serializers.CharField(read_only=True, help_text="Told this once.")

    class Meta(WebhookSerializer.Meta):
        fields: ClassVar[list[str]] = [*WebhookSerializer.Meta.fields, "secret"]


class DeliverySerializer(serializers.ModelSerializer[WebhookDelivery]):
    id = PublicId("whd")

    class Meta:
        model = WebhookDelivery
        fields: ClassVar[list[str]] = [
            "id", "event_id", "type", "state", "attempts", "next_attempt_at", "response_code", "ms", "error", "created_at",
            "delivered_at",
        ]  # fmt: skip
        read_only_fields = fields


class ReplaySerializer(serializers.Serializer[Any]):
    delivery = serializers.CharField(
        required=False, max_length=100, help_text="The one; without it, all that failed."
    )
    since = serializers.DateTimeField(
        required=False, help_text="Only those that failed and are no older than this."
    )


class ReplayedSerializer(serializers.Serializer[Any]):
    replayed = serializers.IntegerField()


class EventTypeSerializer(serializers.Serializer[Any]):
    type = serializers.CharField()
    description = serializers.CharField()


@extend_schema_view(
    retrieve=extend_schema(parameters=[ID]),
    create=extend_schema(responses={201: WebhookWithSecretSerializer}),
    update=extend_schema(parameters=[ID]),
    partial_update=extend_schema(parameters=[ID]),
    destroy=extend_schema(parameters=[ID]),
)
class WebhookViewSet(Endpoint, Lists, ModelViewSet[WebhookEndpoint]):
    """Addresses that events are posted to, signed by the Standard Webhooks scheme."""

    rights = rights.of_model(
        "events.webhookendpoint",
        types="events.view_webhookendpoint",
        deliveries="events.view_webhookdelivery",
        replay="events.change_webhookendpoint",
        rotate_secret=rights.administer("events.change_webhookendpoint"),
        test="events.change_webhookendpoint",
    )
    serializer_class = WebhookSerializer
    queryset = WebhookEndpoint.objects.order_by("pk")
    lookup_url_kwarg = "id"
    lookup_value_regex = ids.IN_PATH
    filterset_fields = ("is_active",)
    search_fields = ("name", "url")
    ordering_fields = ("id", "name")

    def get_object(self) -> WebhookEndpoint:
        pk = ids.decode("whk", self.kwargs["id"])
        found = pk and self.get_queryset().filter(pk=pk).first()
        if not found:
            raise Http404
        self.check_object_permissions(self.request, found)
        return found

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        given = self.get_serializer(data=request.data)
        given.is_valid(raise_exception=True)
        endpoint = WebhookEndpoint(**given.validated_data)
        secret = webhooks.create(endpoint)
        endpoint.refresh_from_db()
        return Response(_with_secret(endpoint, secret), status=status.HTTP_201_CREATED)

    @extend_schema(parameters=[ID, STATE], responses=DeliverySerializer(many=True))
    @action(detail=True, methods=["get"], gives_rows=True, filter_backends=[])
    def deliveries(self, request: Request, id: str) -> Response:
        """List the deliveries, newest first."""
        rows: Any = self.get_object().deliveries.order_by("-pk")
        if state := request.query_params.get("state"):
            rows = rows.filter(state=state)
        return self.listed(rows, DeliverySerializer)

    @extend_schema(parameters=[ID], request=ReplaySerializer, responses=ReplayedSerializer)
    @action(detail=True, methods=["post"])
    def replay(self, request: Request, id: str) -> Response:
        """Post one delivery again, or all that failed."""
        given = ReplaySerializer(data=request.data)
        given.is_valid(raise_exception=True)
        endpoint = self.get_object()
        wanted = webhooks.failed_since(endpoint, given.validated_data.get("since"))
        if named := given.validated_data.get("delivery"):
            wanted = endpoint.deliveries.filter(pk=ids.decode("whd", named) or 0)
            if not wanted.exists():
                raise serializers.ValidationError({"delivery": [_("There is no such delivery.")]})
        return Response({"replayed": webhooks.replay(wanted)})

    @extend_schema(parameters=[ID], request=None, responses=WebhookWithSecretSerializer)
    @action(detail=True, methods=["post"], url_path="rotate-secret")
    def rotate_secret(self, request: Request, id: str) -> Response:
        """Rotate the secret; the old one also signs for 24 hours."""
        endpoint = self.get_object()
        return Response(_with_secret(endpoint, webhooks.rotate(endpoint)))

    @extend_schema(parameters=[ID], request=None, responses={202: DeliverySerializer})
    @action(detail=True, methods=["post"])
    def test(self, request: Request, id: str) -> Response:
        """Queue a test event for it."""
        delivery = webhooks.send_test(self.get_object())
        delivery.refresh_from_db()
        return Response(DeliverySerializer(delivery).data, status=status.HTTP_202_ACCEPTED)

    @extend_schema(responses=EventTypeSerializer(many=True))
    @action(detail=False, methods=["get"], pagination_class=None, filter_backends=[])
    def types(self, request: Request) -> Response:
        """List the event types."""
        known = catalog.public().items()
        return Response([{"type": name, "description": str(what)} for name, what in known])


def _with_secret(endpoint: WebhookEndpoint, secret: str) -> dict[str, Any]:
    return {**WebhookSerializer(endpoint).data, "secret": secret}


router = SimpleRouter()
router.register("webhooks", WebhookViewSet, basename="webhook")
