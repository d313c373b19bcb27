"""Lookalikes over the API: from a segment, a new one of the people outside who are most like its members."""

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
    description="The segment is too small, or its members are like everybody else."
)


class LookalikeRequestSerializer(serializers.Serializer[Any]):
    size = serializers.IntegerField(
        required=False,
        min_value=1,
        max_value=MOST_PEOPLE,
        help_text=gettext_lazy("So many people."),
    )
    percent = serializers.FloatField(
        required=False,
        min_value=0.001,
        max_value=100,
        help_text=gettext_lazy("Or that percentage of those outside; 5 where nothing is said."),
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
            "Of the standardised feature; below 0 where members have less of it."
        )
    )
    members = serializers.FloatField(help_text=gettext_lazy("The mean among members."))
    others = serializers.FloatField(help_text=gettext_lazy("The mean among the others."))


class LookalikeSerializer(serializers.Serializer[Lookalike]):
    segment = SegmentSerializer(read_only=True)
    auc = serializers.FloatField(
        help_text=gettext_lazy("On people held out: 0.5 is a coin, 1 is perfect.")
    )
    drivers = DriverSerializer(many=True)


class LookalikeAudienceView(Endpoint, GenericAPIView[Any]):
    """From a segment, a new static one of the people outside who are most like its members."""

    rights = rights.each(post="customers.add_segment")
    serializer_class = LookalikeOfSerializer
    filter_backends = []
    pagination_class = None
    queryset = Segment.objects.all()

    @extend_schema(
        request=LookalikeOfSerializer, responses={201: LookalikeSerializer, 409: REFUSED}
    )
    def post(self, request: Request) -> Response:
        """Make it, and say what drove it and how well members can be told from others."""
        given = self.get_serializer(data=request.data)
        given.is_valid(raise_exception=True)
        wanted = dict(given.validated_data)
        return made(_segment(wanted.pop("base_segment_id")), wanted)


def made(base: Segment, wanted: dict[str, Any]) -> Response:
    """The answer to a request for a lookalike of a segment."""
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
