"""The endpoints of a workflow's rehearsals: walk one customer through its draft, and back-test it on the past."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar

from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from crm.accounts.current_user import user_of
from customers import identity
from customers.models import Customer
from customers.timeline.types import OWN
from marketing import workflows
from marketing.api.fields import ID
from marketing.models import Backtest, EnrollmentEvent, WorkflowVersion

MOST_EVENTS = 50
LARGEST_SAMPLE = 100_000


class InventedSerializer(serializers.ModelSerializer[Customer]):
    """A customer who does not exist."""

    email = serializers.EmailField(required=False)

    class Meta:
        model = Customer
        fields: ClassVar[list[str]] = [
            *("email", "phone", "first_name", "last_name", "city", "region", "country", "language"),
            *("timezone", "date_of_birth", "tags", "attributes"),
        ]
        extra_kwargs: ClassVar[dict[str, Any]] = {name: {"required": False} for name in fields}


class WhatIfSerializer(serializers.Serializer[Any]):
    event = serializers.CharField(max_length=100)
    after_minutes = serializers.FloatField(min_value=0, max_value=366 * 24 * 60, default=0)
    properties = serializers.DictField(default=dict)

    def validate_event(self, event: str) -> str:
        if event in OWN:
            raise serializers.ValidationError(_("Only events of the customer can be invented."))
        return event


class WalkSerializer(serializers.Serializer[Any]):
    customer = serializers.CharField(
        required=False, max_length=320, help_text="An id or an e-mail; or give `invented`."
    )
    invented = InventedSerializer(required=False)
    context = serializers.DictField(
        default=dict,  # type: ignore[assignment]
        help_text="The properties of the event that lets the customer enter.",
    )
    happening = WhatIfSerializer(
        many=True, default=list, help_text="Events after entering; without them, waits time out."
    )

    def validate_happening(self, events: list[Any]) -> list[Any]:
        if len(events) > MOST_EVENTS:
            raise serializers.ValidationError(_("Give at most 50 events."))
        return events

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("customer" in attrs) == ("invented" in attrs):
            raise serializers.ValidationError(_("Give a customer, or an invented one."))
        return attrs


class WalkMoveSerializer(serializers.ModelSerializer[EnrollmentEvent]):
    kind = serializers.CharField()

    class Meta:
        model = EnrollmentEvent
        fields: ClassVar[list[str]] = ["kind", "step", "branch", "detail", "at"]


class WalkMessageSerializer(serializers.Serializer[Any]):
    step = serializers.CharField()
    channel = serializers.CharField()
    subject = serializers.CharField()
    text = serializers.CharField()
    html = serializers.CharField()
    error = serializers.CharField()


class WalkedSerializer(serializers.Serializer[Any]):
    state = serializers.CharField()
    why_not = serializers.CharField(help_text="Why the customer does not enter.")
    path = WalkMoveSerializer(many=True)
    messages = WalkMessageSerializer(many=True)


class BacktestRequestSerializer(serializers.Serializer[Any]):
    since = serializers.DateTimeField()
    until = serializers.DateTimeField(required=False, help_text="By default now.")
    version = serializers.IntegerField(required=False, help_text="By default the draft.")
    against = serializers.IntegerField(
        required=False, help_text="Another version, tested beside it."
    )
    sample = serializers.IntegerField(
        default=workflows.USUAL_SAMPLE,
        min_value=1,
        max_value=LARGEST_SAMPLE,
        help_text="The most customers that are taken, chosen at random.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs.setdefault("until", timezone.now())
        if attrs["until"] - attrs["since"] > workflows.LONGEST_PERIOD:
            raise serializers.ValidationError({"since": [_("Choose at most 366 days.")]})
        return attrs


class BacktestSerializer(serializers.ModelSerializer[Backtest]):
    result = serializers.ListField(
        child=serializers.DictField(), help_text="The figures of each definition; see the guide."
    )

    class Meta:
        model = Backtest
        fields: ClassVar[list[str]] = [
            *("state", "done", "total", "since", "until", "sample", "result", "error"),
            *("created_at", "finished_at"),
        ]
        read_only_fields = fields


NONE_YET = OpenApiResponse(description="No back-test yet.")


class Rehearsals(GenericAPIView):
    """Mixin of the workflow views. It takes the right to see personal data, which rehearsals reveal."""

    @extend_schema(parameters=[ID], request=WalkSerializer, responses=WalkedSerializer)
    @action(detail=True, methods=["post"], filter_backends=[], pagination_class=None)
    def walk(self, request: Request, id: str) -> Response:
        """Walk one customer through the draft at once: each move with its reason, each message. Nothing is written."""
        workflow = self.get_object()
        given = WalkSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        found = workflows.walk(
            workflow,
            _customer(given.validated_data),
            context=given.validated_data["context"],
            happening=[
                workflows.WhatIf(
                    each["event"], timedelta(minutes=each["after_minutes"]), each["properties"]
                )
                for each in given.validated_data["happening"]
            ],
        )
        return Response(WalkedSerializer(found).data)

    @extend_schema(parameters=[ID], responses={200: BacktestSerializer, 404: NONE_YET})
    @action(detail=True, filter_backends=[], pagination_class=None)
    def backtest(self, request: Request, id: str) -> Response:
        """Return the progress and the result of the newest back-test."""
        found = self.get_object().backtests.first()
        if found is None:
            raise Http404
        return Response(BacktestSerializer(found).data)

    @extend_schema(
        parameters=[ID], request=BacktestRequestSerializer, responses={202: BacktestSerializer}
    )
    @backtest.mapping.post
    def begin_backtest(self, request: Request, id: str) -> Response:
        """Start a back-test of the draft, or of a version: what it would have done in a past period."""
        workflow = self.get_object()
        given = BacktestRequestSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        values = given.validated_data
        try:
            begun = workflows.start_backtest(
                workflow,
                since=values["since"],
                until=values["until"],
                sample=values["sample"],
                number=values.get("version"),
                against=values.get("against"),
                by=user_of(request),
            )
        except WorkflowVersion.DoesNotExist as error:
            raise NotFound(_("There is no such version.")) from error
        except workflows.ImpossiblePeriod as error:
            raise serializers.ValidationError({"until": [str(error)]}) from error
        return Response(BacktestSerializer(begun).data, status=status.HTTP_202_ACCEPTED)


def _customer(given: dict[str, Any]) -> Customer:
    """Return the stored customer of a name, or an unsaved one."""
    if "invented" in given:
        return Customer(**given["invented"])
    found = identity.find([given["customer"]])
    return get_object_or_404(Customer, pk=next(iter(found.values()), 0))
