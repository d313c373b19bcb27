"""Write keys over the API: list, create and revoke them."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.generics import get_object_or_404
from rest_framework.mixins import RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from crm.api import ids, rights
from crm.api.endpoint import Endpoint
from crm.api.fields import PublicId
from crm.api.lists import Lists
from customers import tracking_api
from customers.models import WriteKey

ID = OpenApiParameter("id", OpenApiTypes.STR, OpenApiParameter.PATH)


class WriteKeySerializer(serializers.ModelSerializer[WriteKey]):
    id = PublicId("wky")

    class Meta:
        model = WriteKey
        fields: ClassVar[list[str]] = [
            "id", "name", "kind", "prefix", "created_at", "last_used_at", "revoked_at",
        ]  # fmt: skip
        read_only_fields: ClassVar[list[str]] = [
            "prefix",
            "created_at",
            "last_used_at",
            "revoked_at",
        ]


class IssuedKeySerializer(WriteKeySerializer):
    key = serializers.CharField(read_only=True, help_text="Returned once.")
    secret = serializers.CharField(
        read_only=True,
        help_text="Returned once, with which your server signs user ids; empty for a server key.",
    )

    class Meta(WriteKeySerializer.Meta):
        fields: ClassVar[list[str]] = [*WriteKeySerializer.Meta.fields, "key", "secret"]


@extend_schema_view(retrieve=extend_schema(parameters=[ID]))
class WriteKeyViewSet(Endpoint, Lists, RetrieveModelMixin, GenericViewSet[WriteKey]):
    """Keys with which sites and programs send events to /v1: of servers, and of browsers, where every visitor can read them."""

    rights = rights.of_settings(
        "customers.writekey", revoke=rights.administer("customers.change_writekey")
    )
    queryset = WriteKey.objects.order_by("-id")
    serializer_class = WriteKeySerializer
    filterset_fields = ("kind",)
    search_fields = ("name", "prefix")
    ordering_fields = ("id", "name")
    lookup_url_kwarg = "id"
    lookup_value_regex = ids.IN_PATH

    def get_object(self) -> WriteKey:
        return get_object_or_404(self.get_queryset(), pk=ids.decode("wky", str(self.kwargs["id"])))

    @extend_schema(request=WriteKeySerializer, responses={201: IssuedKeySerializer})
    def create(self, request: Request) -> Response:
        """Create a key; the answer alone has its text and its signing secret."""
        given = WriteKeySerializer(data=request.data)
        given.is_valid(raise_exception=True)
        key, text = tracking_api.issue_key(**given.validated_data)
        key.refresh_from_db()
        body: dict[str, Any] = {**WriteKeySerializer(key).data, "key": text}
        return Response({**body, "secret": tracking_api.secret_of(key)}, status=201)

    @extend_schema(parameters=[ID], request=None, responses=WriteKeySerializer)
    @action(detail=True, methods=["post"], filterset_fields=None, filter_backends=[])
    def revoke(self, request: Request, id: str) -> Response:
        """Revoke a key for ever: calls with it get a 401."""
        key = self.get_object()
        tracking_api.revoke_keys(WriteKey.objects.filter(pk=key.pk))
        key.refresh_from_db()
        return Response(WriteKeySerializer(key).data)
