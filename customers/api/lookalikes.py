"""API of lookalikes: static segments of customers similar to a segment's members."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from crm.api import ids, rights
from crm.api.endpoint import Endpoint
from crm.api.problems import Conflict
from customers.api.segment_serializers import SegmentSerializer
from customers.models import Segment
from customers.segments import Driver, Lookalike, NoLookalike, find_lookalikes

MOST_PEOPLE = 1_000_000
DEFAULT_PERCENT = 5.0

REFUSED = OpenApiResponse(
    description="The segment is too small, or its members do not differ from other customers."
)


class LookalikeRequestSerializer(serializers.Serializer[Any]):
    size = serializers.IntegerField(
        required=False,
        min_value=1,
        max_value=MOST_PEOPLE,
        help_text=gettext_lazy("Number of customers."),
    )
    percent = serializers.FloatField(
        required=False,
        min_value=0.001,
        max_value=100,
        help_text=gettext_lazy("Or the percentage of customers outside; 5 by default."),
    )
    name = serializers.CharField(
        required=False, max_length=200, help_text=gettext_lazy("The new segment's name.")
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "size" in attrs and "percent" in attrs:
            raise serializers.ValidationError(_("Give a size or a percentage, not both."))
        return attrs


class LookalikeOfSerializer(LookalikeRequestSerializer):
    base_segment_id = serializers.CharField(
        max_length=200, help_text=gettext_lazy("`seg_…` or the slug; also baseSegmentId.")
    )

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict) and "base_segment_id" not in data and "baseSegmentId" in data:
            data = {**data, "base_segment_id": data["baseSegmentId"]}
        return super().to_internal_value(data)


class DriverSerializer(serializers.Serializer[Driver]):
    feature = serializers.CharField()
    weight = serializers.FloatField(
        help_text=gettext_lazy(
            "Weight of the standardised feature; below 0 if members have less of it."
        )
    )
    members = serializers.FloatField(help_text=gettext_lazy("Mean of members."))
    others = serializers.FloatField(help_text=gettext_lazy("The mean among the others."))


class LookalikeSerializer(serializers.Serializer[Lookalike]):
    segment = SegmentSerializer(read_only=True)
    auc = serializers.FloatField(
        help_text=gettext_lazy("AUC by cross-validation: 0.5 is random, 1 is perfect.")
    )
    drivers = DriverSerializer(many=True)


class LookalikeAudienceView(Endpoint, GenericAPIView[Any]):
    """Create a static segment of customers outside a segment who are most similar to its members."""

    rights = rights.each(post="customers.add_segment")
    serializer_class = LookalikeOfSerializer
    filter_backends = []
    pagination_class = None
    queryset = Segment.objects.all()

    @extend_schema(
        request=LookalikeOfSerializer, responses={201: LookalikeSerializer, 409: REFUSED}
    )
    def post(self, request: Request) -> Response:
        """Create it; return its drivers and how well members differ from others."""
        given = self.get_serializer(data=request.data)
        given.is_valid(raise_exception=True)
        wanted = dict(given.validated_data)
        return made(_segment(wanted.pop("base_segment_id")), wanted)


def made(base: Segment, wanted: dict[str, Any]) -> Response:
    """Create a lookalike of a segment and return the response."""
    if "size" not in wanted:
        wanted.setdefault("percent", DEFAULT_PERCENT)
    try:
        found = find_lookalikes(base, **wanted)
    except NoLookalike as refused:
        raise Conflict(str(refused)) from None
    return Response(LookalikeSerializer(found).data, status=201)


def _segment(given: str) -> Segment:
    pk = ids.decode("seg", given)
    lookup: dict[str, Any] = {"slug": given} if pk is None else {"pk": pk}
    if given.isdecimal() and len(given) < 19:
        lookup = {"pk": int(given)}
    return get_object_or_404(Segment, **lookup)
