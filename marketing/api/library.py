"""Edit what templates share, over the API: snippets and images."""

from __future__ import annotations

from typing import Any, ClassVar

from django.utils.translation import gettext_lazy
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiResponse,
    extend_schema,
    extend_schema_field,
    extend_schema_view,
)
from rest_framework import serializers
from rest_framework.mixins import (
    CreateModelMixin,
    DestroyModelMixin,
    RetrieveModelMixin,
    UpdateModelMixin,
)
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser
from rest_framework.viewsets import GenericViewSet, ModelViewSet

from crm.accounts.current_user import user_of
from crm.api import rights
from crm.api.endpoint import Endpoint
from crm.api.fields import PublicId
from crm.api.lists import Lists
from marketing import images
from marketing.api.errors import MarketingProblems
from marketing.api.fields import ID, ByPublicId
from marketing.content import ContentError, check_snippet, discard_snippet
from marketing.models import Image, Snippet


class SnippetSerializer(serializers.ModelSerializer[Snippet]):
    id = PublicId("snp")
    body = serializers.CharField(trim_whitespace=False)

    class Meta:
        model = Snippet
        fields: ClassVar[list[str]] = [
            "id",
            "name",
            "description",
            "body",
            "created_at",
            "updated_at",
        ]
        read_only_fields: ClassVar[list[str]] = ["created_at"]

    def validate_name(self, name: str) -> str:
        if self.instance and name != self.instance.name:
            raise serializers.ValidationError(
                gettext_lazy("The name of a snippet cannot change: templates refer to it by name.")
            )
        return name

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        name = self.instance.name if self.instance else attrs["name"]
        try:
            if "body" in attrs:
                check_snippet(name, attrs["body"])
        except ContentError as error:
            raise serializers.ValidationError({"body": [str(error)]}) from error
        return attrs


@extend_schema_view(
    retrieve=extend_schema(parameters=[ID]),
    update=extend_schema(parameters=[ID]),
    partial_update=extend_schema(parameters=[ID]),
    destroy=extend_schema(
        parameters=[ID],
        responses={204: None, 409: OpenApiResponse(description="A template uses it.")},
    ),
)
class SnippetViewSet(MarketingProblems, Endpoint, Lists, ByPublicId, ModelViewSet[Snippet]):
    """Snippets, which templates render by `{% render 'name' %}`. Sent messages keep the text of their time."""

    rights = rights.of_model("marketing.snippet")
    id_kind = "snp"
    serializer_class = SnippetSerializer
    queryset = Snippet.objects.all()
    search_fields = ("name", "description")
    ordering_fields = ("id", "name", "updated_at")

    def perform_destroy(self, instance: Snippet) -> None:
        discard_snippet(instance)


@extend_schema_field(OpenApiTypes.BINARY)
class UploadField(serializers.FileField):
    """An uploaded file."""


class ImageSerializer(serializers.ModelSerializer[Image]):
    id = PublicId("img")
    file = UploadField(
        write_only=True, help_text=gettext_lazy("PNG, JPEG, GIF or WebP, at most 5 MB.")
    )
    url = serializers.CharField(read_only=True)

    class Meta:
        model = Image
        fields: ClassVar[list[str]] = [
            "id", "name", "alt", "file", "url", "width", "height", "size", "created_at",
        ]  # fmt: skip
        read_only_fields: ClassVar[list[str]] = ["width", "height", "size", "created_at"]
        extra_kwargs: ClassVar[dict[str, Any]] = {"name": {"required": False}}

    def create(self, validated_data: dict[str, Any]) -> Image:
        file = validated_data["file"]
        try:
            return images.add(
                file,
                name=validated_data.get("name") or file.name,
                alt=validated_data.get("alt", ""),
                by=user_of(self.context["request"]),
            )
        except images.BadImage as error:
            raise serializers.ValidationError({"file": [str(error)]}) from error


class ImageWordsSerializer(ImageSerializer):
    """The fields of an image that can change; its address stands for its pixels."""

    file = None  # type: ignore[assignment]

    class Meta(ImageSerializer.Meta):
        fields: ClassVar[list[str]] = [
            field for field in ImageSerializer.Meta.fields if field != "file"
        ]


@extend_schema_view(
    retrieve=extend_schema(parameters=[ID]),
    update=extend_schema(parameters=[ID], request=ImageWordsSerializer),
    partial_update=extend_schema(parameters=[ID], request=ImageWordsSerializer),
    destroy=extend_schema(
        parameters=[ID],
        responses={204: None, 409: OpenApiResponse(description="Messages show it.")},
    ),
)
class ImageViewSet(
    MarketingProblems,
    Endpoint,
    Lists,
    ByPublicId,
    CreateModelMixin,
    RetrieveModelMixin,
    UpdateModelMixin,
    DestroyModelMixin,
    GenericViewSet[Image],
):
    """Images for messages. The same pixels again are the image that exists already."""

    rights = rights.of_model("marketing.image")
    id_kind = "img"
    queryset = Image.objects.all()
    search_fields = ("name", "alt")
    ordering_fields = ("id", "name", "created_at")
    parser_classes = (MultiPartParser, FormParser, JSONParser)

    def get_serializer_class(self) -> type[ImageSerializer]:
        return ImageWordsSerializer if "update" in str(self.action) else ImageSerializer

    def perform_destroy(self, instance: Image) -> None:
        images.discard(instance)
