"""API of segments: rules, members and previews."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, ClassVar

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
    extend_schema_view,
)
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.generics import GenericAPIView, get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ModelViewSet

from crm import masking
from crm.accounts import audit
from crm.api import ids, rights
from crm.api.endpoint import Endpoint
from crm.api.lists import Lists
from crm.api.problems import Conflict
from crm.nudge import nudge
from customers.api.lookalikes import (
    REFUSED,
    LookalikeRequestSerializer,
    LookalikeSerializer,
    made,
)
from customers.api.rows import item_errors
from customers.api.segment_serializers import (
    EXACT,
    ChangedMembersSerializer,
    ChangeMembersSerializer,
    MemberSerializer,
    OverlapSerializer,
    PreviewRequestSerializer,
    PreviewSerializer,
    RefreshedSerializer,
    SegmentSerializer,
    checked_rules,
)
from customers.models import Customer, Segment, SegmentMembership
from customers.segments import (
    SegmentInUse,
    check_can_delete,
    find_customers,
    members,
    overlap,
    preview,
    refresh,
)

ID = OpenApiParameter(
    "id", OpenApiTypes.STR, OpenApiParameter.PATH, description="`seg_…` or the slug."
)
EXACTLY = OpenApiParameter("exact", OpenApiTypes.BOOL, description=str(EXACT))
DYNAMIC = OpenApiResponse(description="The members of a dynamic segment follow its rules.")
IN_USE = OpenApiResponse(description="Other segments or campaigns use it.")


class SegmentFilter(django_filters.FilterSet):
    size_min = django_filters.NumberFilter(field_name="size", lookup_expr="gte")
    size_max = django_filters.NumberFilter(field_name="size", lookup_expr="lte")
    refreshed_after = django_filters.IsoDateTimeFilter(field_name="refreshed_at", lookup_expr="gte")
    refreshed_before = django_filters.IsoDateTimeFilter(field_name="refreshed_at", lookup_expr="lt")

    def filter_queryset(self, queryset: Any) -> Any:
        """Refuse sizes of users with masked data: filters would count what is not shown."""
        if any(self.form.cleaned_data.get(name) is not None for name in ("size_min", "size_max")):
            masking.refuse()
        return super().filter_queryset(queryset)

    class Meta:
        model = Segment
        fields: ClassVar[list[str]] = ["kind"]


@extend_schema_view(
    retrieve=extend_schema(parameters=[ID]),
    update=extend_schema(parameters=[ID]),
    partial_update=extend_schema(parameters=[ID]),
    destroy=extend_schema(parameters=[ID], responses={204: None, 409: IN_USE}),
)
class SegmentViewSet(Endpoint, Lists, ModelViewSet[Segment]):
    """Named audiences: dynamic segments follow their rules, static segments are lists. Changed rules apply at once, in the background."""

    rights = rights.of_model(
        "customers.segment",
        refresh="customers.change_segment",
        lookalike="customers.add_segment",
        overlap="customers.view_segment",
        customers=("customers.view_segment", "customers.view_customer"),
        add_customers="customers.change_segment",
        remove_customers="customers.change_segment",
    )
    serializer_class = SegmentSerializer
    queryset = Segment.objects.all()
    filterset_class = SegmentFilter
    search_fields = ("name", "slug", "description")
    ordering_fields = ("id", "name", "size", "refreshed_at", "created_at")
    lookup_url_kwarg = "id"
    lookup_value_regex = ids.IN_PATH

    def get_object(self) -> Segment:
        segment = self._named(str(self.kwargs["id"]))
        self.check_object_permissions(self.request, segment)
        return segment

    def perform_create(self, serializer: Any) -> None:
        nudge("customers.tasks.refresh_segments", [serializer.save().pk])

    def perform_update(self, serializer: Any) -> None:
        segment = serializer.save()
        if {"rules", "kind"} & serializer.validated_data.keys():
            nudge("customers.tasks.refresh_segments", [segment.pk])

    def perform_destroy(self, instance: Segment) -> None:
        try:
            check_can_delete(instance)
        except SegmentInUse as in_use:
            raise Conflict(str(in_use)) from None
        instance.delete()

    @extend_schema(parameters=[ID], request=None, responses=RefreshedSerializer)
    @action(detail=True, methods=["post"], filterset_class=None)
    def refresh(self, request: Request, id: str) -> Response:
        """Refresh the members now; count the members of a static segment."""
        segment = self.get_object()
        with masking.hidden(False):  # stored rules apply for every user
            checked_rules(segment.rules, segment)
        return Response(RefreshedSerializer(refresh(segment)).data)

    @extend_schema(
        parameters=[ID],
        request=LookalikeRequestSerializer,
        responses={201: LookalikeSerializer, 409: REFUSED},
    )
    @action(detail=True, methods=["post"], filterset_class=None)
    def lookalike(self, request: Request, id: str) -> Response:
        """Create a static segment of customers outside who are most similar to its members; return the drivers."""
        given = LookalikeRequestSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        return made(self.get_object(), dict(given.validated_data))

    @extend_schema(parameters=[ID], responses=MemberSerializer(many=True))
    @action(
        detail=True,
        gives_rows=True,
        serializer_class=MemberSerializer,
        filterset_class=None,
        filter_backends=[],
        ordering_fields=None,
    )
    def customers(self, request: Request, id: str) -> Response:
        """List the members as of the last refresh."""
        segment = self.get_object()
        memberships: QuerySet[SegmentMembership] = segment.memberships.select_related(
            "customer"
        ).order_by("customer_id")
        return self.listed(memberships)

    @extend_schema(
        parameters=[ID],
        request=ChangeMembersSerializer,
        responses={200: ChangedMembersSerializer, 409: DYNAMIC},
    )
    @customers.mapping.post
    def add_customers(self, request: Request, id: str) -> Response:
        """Add customers to a static segment."""
        return self._change_members(members.add)

    @extend_schema(
        parameters=[ID],
        request=ChangeMembersSerializer,
        responses={200: ChangedMembersSerializer, 409: DYNAMIC},
    )
    @customers.mapping.delete
    def remove_customers(self, request: Request, id: str) -> Response:
        """Remove customers from a static segment."""
        return self._change_members(members.remove)

    def _change_members(self, change: Callable[[Segment, list[int]], int]) -> Response:
        segment = self.get_object()
        given = ChangeMembersSerializer(data=self.request.data)
        given.is_valid(raise_exception=True)
        names = given.validated_data["customers"]
        found = find_customers(names)
        try:
            changed = change(segment, found.customer_ids)
        except members.NotStatic as refused:
            raise Conflict(str(refused)) from None
        if changed:
            audit.record(
                "changed",
                kind="customers.segment",
                object_id=segment.pk,
                label=segment.name,
                changes={"members": [None, changed] if change is members.add else [changed, None]},
            )
        errors = item_errors(names, found.unknown, _("No customer has this id or address."))
        size = masking.people(segment.size)
        body = {"changed": changed, "size": size, "unknown": found.unknown}
        return Response({**body, "errors": errors})

    @extend_schema(
        parameters=[
            ID,
            OpenApiParameter(
                "with",
                OpenApiTypes.STR,
                required=True,
                description="The other segment: `seg_…` or its slug.",
            ),
        ],
        responses=OverlapSerializer,
    )
    @action(detail=True, filterset_class=None, filter_backends=[])
    def overlap(self, request: Request, id: str) -> Response:
        """Count the customers in this segment only, in another only, and in both, as of their last refresh."""
        other = self._named(request.query_params.get("with", ""))
        found = overlap(self.get_object(), other)
        return Response(OverlapSerializer(found).data)

    def _named(self, given: str) -> Segment:
        pk = ids.decode("seg", given)
        lookup: dict[str, Any] = {"slug": given} if pk is None else {"pk": pk}
        return get_object_or_404(self.get_queryset(), **lookup)


class PreviewView(Endpoint, GenericAPIView[Any]):
    """Preview the audience of rules without saving."""

    rights = rights.each(
        get=("customers.view_segment", "customers.view_customer"),
        post=("customers.view_segment", "customers.view_customer"),
    )
    serializer_class = PreviewRequestSerializer
    filter_backends = []
    pagination_class = None
    queryset = Customer.objects.none()

    @extend_schema(
        parameters=[
            OpenApiParameter(
                "rules", OpenApiTypes.STR, required=True, description="The rules, as JSON."
            ),
            EXACTLY,
        ],
        responses=PreviewSerializer,
    )
    def get(self, request: Request) -> Response:
        """Preview rules given as a parameter."""
        try:
            rules = json.loads(request.query_params.get("rules", ""))
        except (ValueError, RecursionError):
            raise ValidationError({"rules": [_("Give ?rules= as JSON.")]}) from None
        return self._answer({"exact": request.query_params.get("exact", False), "rules": rules})

    @extend_schema(
        parameters=[EXACTLY], request=PreviewRequestSerializer, responses=PreviewSerializer
    )
    def post(self, request: Request) -> Response:
        """Preview rules given in the body, as `rules` or as the body itself."""
        audit.leave_out()
        body = request.data
        if isinstance(body, dict) and "conditions" in body:
            body = {"rules": body}
        if isinstance(body, dict) and "exact" in request.query_params:
            body = {**body, "exact": request.query_params["exact"]}
        return self._answer(body)

    def _answer(self, body: Any) -> Response:
        given = self.get_serializer(data=body)
        given.is_valid(raise_exception=True)
        rules, exact = given.validated_data["rules"], given.validated_data["exact"]
        seen = preview(checked_rules(rules), exact=exact)
        return Response(PreviewSerializer(seen).data)
