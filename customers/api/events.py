"""Events over the API: list, publish, and process now."""

from __future__ import annotations

from typing import Any, ClassVar

import django_filters
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from crm.accounts.middleware import SEE_PERSONAL_DATA
from crm.api import ids, places, rights
from crm.api.endpoint import Endpoint
from crm.api.lists import Lists
from crm.events import catalog, outbox, reader
from crm.events.models import MarketingEvent
from customers import identity
from customers.timeline import NewInteraction, record_interactions

TYPE = r"^[a-z0-9_]+(\.[a-z0-9_]+)+$"
BY_THE_API = "api"
SECONDS = 20
"""Time in which a request has subscribers handle events; what is left then is for the next round."""


class CloudEventSerializer(serializers.Serializer[MarketingEvent]):
    """CloudEvents 1.0."""

    specversion = serializers.CharField()
    id = serializers.UUIDField()
    type = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]  # of CloudEvents, not DRF's
    subject = serializers.CharField(required=False)
    time = serializers.DateTimeField()
    datacontenttype = serializers.CharField()
    data = serializers.DictField()  # type: ignore[assignment]  # likewise

    def to_representation(self, instance: MarketingEvent) -> dict[str, Any]:
        return catalog.cloud_event(instance)


class PublishSerializer(serializers.Serializer[Any]):
    type = serializers.RegexField(
        TYPE, max_length=100, help_text="Words separated by dots: loyalty.joined"
    )
    data = serializers.DictField(default=dict)  # type: ignore[assignment]  # likewise
    customer = serializers.CharField(
        required=False, allow_null=True, max_length=200, help_text="Our id or your external_id."
    )

    def validate_type(self, value: str) -> str:
        if value in catalog.internal():
            raise serializers.ValidationError(_("This type is Kindling's own."))
        return value

    def validate_customer(self, value: str | None) -> int | None:
        if not value:
            return None
        found = identity.find_one(value)
        if found is None:
            raise serializers.ValidationError(_("There is no customer %s.") % value)
        return found.pk


class ProcessedSerializer(serializers.Serializer[Any]):
    processed = serializers.IntegerField()


class EventFilter(django_filters.FilterSet):
    type = django_filters.CharFilter()
    source = django_filters.CharFilter()
    customer = django_filters.CharFilter(method="of_customer", label="customer")
    since = django_filters.IsoDateTimeFilter(field_name="time", lookup_expr="gte")
    until = django_filters.IsoDateTimeFilter(field_name="time", lookup_expr="lt")

    class Meta:
        model = MarketingEvent
        fields: ClassVar[list[str]] = []

    def of_customer(self, events: Any, _name: str, value: str) -> Any:
        pk = ids.decode("cus", value) or identity.find([value], emails=False).get(value)
        return events.none() if pk is None else events.filter(customer_id=pk)


class EventsView(Endpoint, Lists, ListAPIView[MarketingEvent]):
    """Events, newest first. Those of single customers and messages are published only where the stream or a webhook subscribes to them."""

    rights = rights.each(get=("events.view_marketingevent", SEE_PERSONAL_DATA))
    serializer_class = CloudEventSerializer
    filterset_class = EventFilter
    ordering_fields = ("time",)

    def get_queryset(self) -> Any:
        return MarketingEvent.objects.exclude(type__in=catalog.internal()).order_by("-position")


class PublishEventView(Endpoint):
    """Publish an event of another system; with a customer it is added to the timeline, too."""

    rights = rights.each(post=rights.ingest("events.add_marketingevent"))
    reports_facts = True

    @extend_schema(request=PublishSerializer, responses={201: CloudEventSerializer})
    def post(self, request: Request) -> Response:
        given = PublishSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        event = publish(**given.validated_data)
        return Response(CloudEventSerializer(event).data, status=status.HTTP_201_CREATED)


class ProcessEventsView(Endpoint):
    """Let every subscriber handle the events that are pending, without waiting for the next round."""

    rights = rights.each(post="events.change_marketingevent")

    @extend_schema(request=None, responses=ProcessedSerializer)
    def post(self, request: Request) -> Response:
        places.count()  # before subscribers do, which would take a refusal for a failure
        return Response({"processed": reader.drain_all(SECONDS)})


@transaction.atomic
def publish(type: str, data: dict[str, Any], customer: int | None = None) -> MarketingEvent:
    """Write the event, and with a customer's key a row of the timeline."""
    if customer is not None:
        record_interactions([NewInteraction(customer, type, timezone.now(), data)])
    event = outbox.emit(type, customer_id=customer, data=data, source=BY_THE_API)
    event.refresh_from_db()
    return event
