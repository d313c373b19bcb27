"""API of segment triggers: an event re-evaluates its customer, or changes a static segment."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiParameter,
    extend_schema,
    extend_schema_field,
    extend_schema_view,
)
from rest_framework import serializers
from rest_framework.generics import get_object_or_404
from rest_framework.viewsets import ModelViewSet

from crm.api import ids, rights
from crm.api.endpoint import Endpoint
from crm.api.fields import PublicId
from crm.api.lists import Lists
from customers.models import Segment, SegmentTrigger
from customers.segments import RuleError, shown_conditions, triggers

SEGMENT = OpenApiParameter(
    "segment_id",
    OpenApiTypes.STR,
    OpenApiParameter.PATH,
    description="`seg_…` or the slug.",
)
ID = OpenApiParameter("id", OpenApiTypes.STR, OpenApiParameter.PATH, description="`trg_…`.")


@extend_schema_field(
    {"type": "array", "items": {"type": "object"}, "example": [{"field": "category"}]}
)
class WhereField(serializers.JSONField):
    """Conditions on the event's properties, as in the `where` of a rule; validated with the event."""


class TriggerSerializer(serializers.ModelSerializer[SegmentTrigger]):
    id = PublicId("trg")
    where = WhereField(
        required=False,
        help_text=_(
            "Conditions as in rules, all of which must hold. Empty matches every event of the type."
        ),
    )

    class Meta:
        model = SegmentTrigger
        fields: ClassVar[list[str]] = ["id", "event", "where", "action", "is_active", "created_at"]
        read_only_fields: ClassVar[list[str]] = ["created_at"]

    def to_representation(self, instance: SegmentTrigger) -> Any:
        shown = super().to_representation(instance)
        return {**shown, "where": shown_conditions(instance.event, instance.where)}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        before = self.instance
        given: dict[str, Any] = {
            name: attrs.get(name, getattr(before, name, None))
            for name in ("event", "where", "action")
        }
        segment: Segment = self.context["segment"]
        try:
            attrs["event"], attrs["where"] = triggers.check(**given, kind=segment.kind)
        except RuleError as refused:
            raise serializers.ValidationError(
                {error["path"]: [error["message"]] for error in refused.errors}
            ) from None
        return attrs


@extend_schema_view(
    list=extend_schema(parameters=[SEGMENT]),
    create=extend_schema(parameters=[SEGMENT]),
    retrieve=extend_schema(parameters=[SEGMENT, ID]),
    update=extend_schema(parameters=[SEGMENT, ID]),
    partial_update=extend_schema(parameters=[SEGMENT, ID]),
    destroy=extend_schema(parameters=[SEGMENT, ID]),
)
class TriggerViewSet(Endpoint, Lists, ModelViewSet[SegmentTrigger]):
    """Actions of an event on a segment: `reevaluate` its customer, or `add` and `remove` members of a static segment."""

    rights = rights.of_model("customers.segmenttrigger")
    serializer_class = TriggerSerializer
    queryset = SegmentTrigger.objects.order_by("pk")
    filter_backends = []
    lookup_url_kwarg = "id"
    lookup_value_regex = ids.IN_PATH

    def segment(self) -> Segment:
        given = str(self.kwargs["segment_id"])
        pk = ids.decode("seg", given)
        lookup: dict[str, Any] = {"slug": given} if pk is None else {"pk": pk}
        return get_object_or_404(Segment, **lookup)

    def get_queryset(self) -> QuerySet[SegmentTrigger]:
        if getattr(self, "swagger_fake_view", False):
            return self.queryset.none()
        return self.queryset.filter(segment=self.segment())

    def get_object(self) -> SegmentTrigger:
        trigger = get_object_or_404(
            self.get_queryset(), pk=ids.decode("trg", str(self.kwargs["id"]))
        )
        self.check_object_permissions(self.request, trigger)
        return trigger

    def get_serializer_context(self) -> dict[str, Any]:
        context = {**super().get_serializer_context()}
        if not getattr(self, "swagger_fake_view", False):
            context["segment"] = self.segment()
        return context

    def perform_create(self, serializer: Any) -> None:
        serializer.save(segment=self.segment())
