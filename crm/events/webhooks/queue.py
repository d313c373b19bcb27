"""Queue deliveries of events to endpoints, and queue them again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from crm.events import catalog, outbox
from crm.events.models import MarketingEvent, WebhookDelivery, WebhookEndpoint

TEST = "webhook.test"
State = WebhookDelivery.State


def add(happened: Sequence[MarketingEvent]) -> None:
    """Queue each event for each active endpoint that subscribes to it, in the order of the events."""
    endpoints = list(WebhookEndpoint.objects.filter(is_active=True))
    wanted = [(event, each) for event in happened for each in endpoints if _goes_to(event, each)]
    bodies = {event.pk: catalog.text(event) for event, _each in wanted}
    WebhookDelivery.objects.bulk_create(
        WebhookDelivery(
            endpoint=each,
            event_id=event.event_id,
            type=event.type,
            customer_id=event.customer_id,
            body=bodies[event.pk],
        )
        for event, each in wanted
    )


def send_test(endpoint: WebhookEndpoint) -> WebhookDelivery:
    """Queue a test event for this endpoint alone."""
    with transaction.atomic():
        event = outbox.emit(TEST, data={"webhook": endpoint.pk, "hello": endpoint.name})
        event.refresh_from_db()
        return WebhookDelivery.objects.create(
            endpoint=endpoint, event_id=event.event_id, type=TEST, body=catalog.text(event)
        )


def replay(deliveries: QuerySet[WebhookDelivery]) -> int:
    """Queue finished deliveries again, with the same ids and bodies; returns how many."""
    return deliveries.exclude(state=State.PENDING).update(
        state=State.PENDING, attempts=0, next_attempt_at=Now(), leased_until=None, error=""
    )


def failed_since(endpoint: WebhookEndpoint, since: datetime | None) -> QuerySet[WebhookDelivery]:
    failed = endpoint.deliveries.filter(state=State.FAILED)
    return failed.filter(created_at__gte=since) if since else failed


def _goes_to(event: MarketingEvent, endpoint: WebhookEndpoint) -> bool:
    return event.type != TEST and endpoint.wants(event.type)


def any_subscribes(types: Iterable[str]) -> bool:
    """Return whether an active endpoint subscribes to any of these types."""
    endpoints = list(WebhookEndpoint.objects.filter(is_active=True).only("types"))
    return any(each.wants(kind) for each in endpoints for kind in types)
