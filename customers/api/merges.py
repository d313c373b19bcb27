"""Merge records of one person over the API, list merges, and undo them."""

from __future__ import annotations

from typing import Any, ClassVar

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.generics import get_object_or_404
from rest_framework.mixins import RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from crm.accounts.current_user import user_of
from crm.accounts.middleware import SEE_PERSONAL_DATA
from crm.api import ids, rights
from crm.api.endpoint import Endpoint
from crm.api.fields import PublicId
from crm.api.lists import Lists
from crm.api.problems import Conflict
from customers.api.serializers import CustomerSerializer
from customers.identity import CHOOSABLE, NotMerged, find_one, merge, undo
from customers.models import Customer, LikelyDuplicate, Merge

ID = OpenApiParameter("id", OpenApiTypes.STR, OpenApiParameter.PATH)


class MergeInputSerializer(serializers.Serializer):
    into = serializers.CharField(
        required=False, help_text="The survivor; this customer is merged into it."
    )
    duplicate = serializers.CharField(
        required=False, help_text="The customer to merge into this one."
    )
    fields_of_duplicate = serializers.ListField(
        child=serializers.ChoiceField(CHOOSABLE),
        required=False,
        help_text="Fields for which the duplicate's value wins.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("into" in attrs) == ("duplicate" in attrs):
            raise serializers.ValidationError(_("Send either “into” or “duplicate”."))
        for name in attrs.keys() & {"into", "duplicate"}:
            attrs[name] = find_one(attrs[name])
            if attrs[name] is None:
                raise serializers.ValidationError({name: _("There is no such customer.")})
        return attrs


class MergeSerializer(serializers.ModelSerializer[Merge]):
    id = PublicId("mrg", source="pk")
    survivor = PublicId("cus", source="survivor_id")
    duplicate = PublicId("cus", source="duplicate_id")

    class Meta:
        model = Merge
        fields: ClassVar[list[str]] = [
            "id", "survivor", "duplicate", "reason", "merged_at", "undone_at",
        ]  # fmt: skip
        read_only_fields = fields


class MergedSerializer(MergeSerializer):
    customer = CustomerSerializer(source="survivor", read_only=True)

    class Meta(MergeSerializer.Meta):
        fields: ClassVar[list[str]] = [*MergeSerializer.Meta.fields, "customer"]
        read_only_fields = fields


class LikelyDuplicateSerializer(serializers.ModelSerializer[LikelyDuplicate]):
    customer = CustomerSerializer(read_only=True)
    other = CustomerSerializer(read_only=True)

    class Meta:
        model = LikelyDuplicate
        fields = ("customer", "other", "reason", "found_at")
        read_only_fields = fields


class MergeFilter(django_filters.FilterSet):
    survivor = django_filters.CharFilter(method="of", field_name="survivor_id", help_text="cus_…")
    duplicate = django_filters.CharFilter(method="of", field_name="duplicate_id", help_text="cus_…")
    undone = django_filters.BooleanFilter("undone_at", "isnull", exclude=True)

    class Meta:
        model = Merge
        fields = ("reason",)

    def of(self, merges: QuerySet[Merge], name: str, value: str) -> QuerySet[Merge]:
        return merges.filter(**{name: ids.decode("cus", value)})


class Merging:
    """Mixin for the view set of customers."""

    rights = rights.each(merge=("customers.merge_customer", SEE_PERSONAL_DATA))

    @extend_schema(parameters=[ID], request=MergeInputSerializer, responses=MergedSerializer)
    @action(
        detail=True,
        methods=["post"],
        filterset_class=None,
        filter_backends=[],
    )
    def merge(self, request: Request, id: str) -> Response:
        """Merge a duplicate: its rows move and its ids lead to the survivor. Undo it under /api/merges."""
        this: Customer = self.get_object()  # type: ignore[attr-defined]  # the view set's
        given = MergeInputSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        into = given.validated_data.get("into")
        survivor, duplicate = (into, this) if into else (this, given.validated_data["duplicate"])
        chosen = given.validated_data.get("fields_of_duplicate", ())
        try:
            done = merge(survivor.pk, duplicate.pk, chosen=chosen, by=user_of(request))
        except NotMerged as error:
            raise Conflict(str(error)) from None
        return Response(MergedSerializer(done).data)


@extend_schema_view(retrieve=extend_schema(parameters=[ID]))
class MergeViewSet(Endpoint, Lists, RetrieveModelMixin, GenericViewSet[Merge]):
    """Merges, newest first."""

    rights = rights.of_model(
        "customers.merge", undo=("customers.merge_customer", SEE_PERSONAL_DATA)
    )
    queryset = Merge.objects.select_related("survivor").order_by("-id")
    serializer_class = MergeSerializer
    filterset_class = MergeFilter
    ordering_fields = ("id",)
    lookup_url_kwarg = "id"
    lookup_value_regex = ids.IN_PATH

    def get_object(self) -> Merge:
        return get_object_or_404(self.get_queryset(), pk=ids.decode("mrg", str(self.kwargs["id"])))

    @extend_schema(parameters=[ID], request=None, responses=MergeSerializer)
    @action(detail=True, methods=["post"], filterset_class=None)
    def undo(self, request: Request, id: str) -> Response:
        """Undo a merge; rows since the merge stay with the survivor."""
        try:
            done = undo(self.get_object().pk)
        except NotMerged as error:
            raise Conflict(str(error)) from None
        return Response(MergeSerializer(done).data)


class LikelyDuplicateViewSet(Endpoint, Lists, GenericViewSet[LikelyDuplicate]):
    """Pairs of customers that are probably one person."""

    rights = rights.of_model("customers.likelyduplicate")
    queryset = (
        LikelyDuplicate.objects.filter(dismissed_at=None)
        .select_related("customer", "other")
        .order_by("-id")
    )
    serializer_class = LikelyDuplicateSerializer
    filterset_fields = ("reason",)
    ordering_fields = ("id",)
