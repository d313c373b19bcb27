"""Consent, topics and suppressed addresses over the API."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any, ClassVar

from django.db.models import ProtectedError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.generics import get_object_or_404
from rest_framework.mixins import DestroyModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet, ModelViewSet

from crm import masking
from crm.accounts import audit
from crm.api import ids, rights
from crm.api.endpoint import Endpoint
from crm.api.fields import PublicId
from crm.api.lists import Lists
from crm.api.problems import Conflict
from customers import clean, consent
from customers.api.rows import item_errors
from customers.api.serializers import IndexedErrorSerializer
from customers.models import Consent, Customer, Suppression, Topic
from customers.models.consent import Channel

MOST_ADDRESSES = 100_000
NO_ADDRESS = gettext_lazy("This is not an address of the channel.")

ID = OpenApiParameter("id", OpenApiTypes.STR, OpenApiParameter.PATH)


class ConsentSerializer(serializers.ModelSerializer[Consent]):
    class Meta:
        model = Consent
        fields: ClassVar[list[str]] = ["channel", "topic", "decision", "evidence", "decided_at"]
        read_only_fields = fields


class DecisionSerializer(serializers.Serializer[Any]):
    channel = serializers.ChoiceField(choices=Channel.choices)
    topic = serializers.CharField(
        max_length=100,
        default="",
        allow_blank=True,
        help_text="Slug of a topic; empty means the whole channel.",
    )
    decision = serializers.ChoiceField(choices=["opted_in", "opted_out"])
    evidence = serializers.CharField(max_length=500, required=False)
    double_opt_in = serializers.BooleanField(
        default=False, help_text="For e-mail only: ask the customer to confirm first."
    )
    new_consent = serializers.BooleanField(
        default=False,
        help_text="An opt-in given after the customer opted out; `evidence` says how. Without it, such an opt-in is a 409.",
    )
    given_at = serializers.DateTimeField(
        required=False, help_text="When a new consent was given; now by default."
    )

    def validate_given_at(self, given_at: datetime) -> datetime:
        if given_at > timezone.now():
            raise ValidationError(_("This time is in the future."))
        return given_at

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["new_consent"] and not attrs.get("evidence"):
            raise ValidationError({"evidence": _("Say how the customer gave the new consent.")})
        if attrs["double_opt_in"] and (
            attrs["channel"] != Channel.EMAIL or attrs["topic"] or attrs["decision"] == "opted_out"
        ):
            message = _(
                "Only an opt-in to e-mail as a whole can be confirmed. Leave out the topic."
            )
            raise ValidationError({"double_opt_in": message})
        return attrs


class Consents(Lists, GenericViewSet[Customer]):
    """Mixin for the viewset of customers: their consents."""

    rights = rights.each(consents="customers.view_consent", decide="customers.add_consent")

    @extend_schema(parameters=[ID], responses=ConsentSerializer(many=True))
    @action(detail=True, gives_rows=True, filterset_class=None, filter_backends=[])
    def consents(self, request: Request, id: str) -> Response:
        """List every decision, newest first."""
        return self._decisions(self.get_object())

    @extend_schema(
        parameters=[ID], request=DecisionSerializer, responses={201: ConsentSerializer(many=True)}
    )
    @consents.mapping.post
    def decide(self, request: Request, id: str) -> Response:
        """Add a decision."""
        customer = self.get_object()
        given = DecisionSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        _decide(customer, given.validated_data, by=str(request.user))
        decided = ("channel", "topic", "decision")
        audit.describe(**{name: str(given.validated_data[name] or "") for name in decided})
        answer = self._decisions(customer)
        answer.status_code = 201
        return answer

    def _decisions(self, customer: Customer) -> Response:
        rows: Any = customer.consents.order_by("-decided_at", "-pk")
        return self.listed(rows, ConsentSerializer)


class TopicSerializer(serializers.ModelSerializer[Topic]):
    class Meta:
        model = Topic
        fields: ClassVar[list[str]] = ["slug", "name", "description", "order"]


class TopicViewSet(Endpoint, Lists, ModelViewSet[Topic]):
    """Topics of messages, for campaigns and the preference centre."""

    rights = rights.of_model("customers.topic")
    queryset = Topic.objects.all()
    serializer_class = TopicSerializer
    lookup_field = "slug"
    lookup_value_regex = ids.IN_PATH
    filter_backends = ()

    def perform_destroy(self, instance: Topic) -> None:
        try:
            instance.delete()
        except ProtectedError:
            raise Conflict(_("A campaign uses this topic. Change the campaign first.")) from None


class SuppressionSerializer(serializers.ModelSerializer[Suppression]):
    id = PublicId("sup")

    class Meta:
        model = Suppression
        fields: ClassVar[list[str]] = [
            "id", "channel", "address", "reason", "evidence", "created_at"
        ]  # fmt: skip
        read_only_fields = fields


class SuppressSerializer(serializers.Serializer[Any]):
    """One `address`, or many `addresses`."""

    channel = serializers.ChoiceField(choices=Channel.choices, default=Channel.EMAIL)
    address = serializers.CharField(max_length=320, required=False)
    addresses = serializers.ListField(
        child=serializers.CharField(max_length=320), required=False, max_length=MOST_ADDRESSES
    )
    reason = serializers.ChoiceField(
        choices=Suppression.Reason.choices, default=Suppression.Reason.MANUAL
    )
    evidence = serializers.CharField(max_length=500, default="API")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("address" in attrs) == ("addresses" in attrs):
            raise ValidationError({"address": _("Send an address or addresses.")})
        return attrs


class SuppressedSerializer(serializers.Serializer[Any]):
    added = serializers.IntegerField()
    known = serializers.IntegerField(help_text="Addresses already on the list.")
    refused = serializers.ListField(child=serializers.CharField(), help_text="Invalid addresses.")
    errors = IndexedErrorSerializer(many=True)  # type: ignore[assignment]


@extend_schema_view(
    retrieve=extend_schema(parameters=[ID]),
    destroy=extend_schema(parameters=[ID]),
)
class SuppressionViewSet(
    Endpoint, Lists, RetrieveModelMixin, DestroyModelMixin, GenericViewSet[Suppression]
):
    """The suppression list. `{id}` is our id or the address itself."""

    rights = rights.of_model("customers.suppression")
    queryset = Suppression.objects.order_by("-id")
    serializer_class = SuppressionSerializer
    filterset_fields = ("channel", "reason")
    search_fields = ("address",)
    ordering_fields = ("id", "address")
    lookup_url_kwarg = "id"
    lookup_value_regex = ids.IN_PATH

    def get_object(self) -> Suppression:
        name = str(self.kwargs["id"])
        pk = ids.decode("sup", name)
        if pk is None:
            masking.refuse()
        lookup: dict[str, Any] = (
            {"address__iexact": clean.comparable(name)} if pk is None else {"pk": pk}
        )
        found = self.get_queryset().filter(**lookup).first()
        return found or get_object_or_404(self.get_queryset().none())

    @extend_schema(
        request=SuppressSerializer, responses=dict.fromkeys((200, 201, 207), SuppressedSerializer)
    )
    def create(self, request: Request) -> Response:
        """Suppress one address or many; invalid ones are reported, and the others are added."""
        given = SuppressSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        wanted = given.validated_data
        addresses = wanted.get("addresses", [wanted.get("address", "")])
        outcome = consent.suppress_many(
            wanted["channel"],
            addresses,
            reason=wanted["reason"],
            evidence=wanted["evidence"],
        )
        if "address" in wanted and outcome.refused:
            raise ValidationError({"address": NO_ADDRESS})
        status = 207 if outcome.refused else 201 if outcome.added else 200
        audit.describe(added=outcome.added)
        errors = item_errors(addresses, outcome.refused, str(NO_ADDRESS))
        return Response({**asdict(outcome), "errors": errors}, status=status)


def _decide(customer: Customer, given: dict[str, Any], *, by: str) -> None:
    """Record a decision. Raises Conflict for an opt-in that would undo an opt-out without a new consent."""
    channel, topic = given["channel"], given["topic"]
    evidence, given_at = given.get("evidence") or "API", given.get("given_at")
    if given["double_opt_in"]:
        consent.ask_many([customer.pk], channel, evidence)
    elif given["decision"] == "opted_out":
        consent.opt_out_with_address(customer.pk, channel, evidence, topic=topic)
    else:
        opt_out = consent.opt_out_of(customer.pk, channel, topic)
        if opt_out and (not given["new_consent"] or (given_at and given_at <= opt_out.decided_at)):
            raise Conflict(
                _(
                    "The customer opted out on %(date)s. Send new_consent with its evidence, and given_at after that date, to record "
                    "a newer consent."
                )
                % {"date": opt_out.decided_at.date().isoformat()}
            )
        if given["new_consent"]:
            evidence = _("new consent, recorded by %(who)s: %(evidence)s") % {
                "who": by,
                "evidence": evidence,
            }
        consent.opt_in_many([customer.pk], channel, evidence, topic=topic, at=given_at)
