"""Deliver webhooks: claim deliveries in small batches, sign and post them, and retry over a day.

An endpoint gets the events of one customer one after the other: a later one waits until the earlier is delivered or has failed for
good. A worker that dies loses its lease and its deliveries are posted again: receivers know a repetition by its `webhook-id`.
"""

from __future__ import annotations

import random
import time
from datetime import datetime, timedelta
from http import HTTPStatus

import requests
from django.conf import settings
from django.db import connection
from django.utils import timezone

from crm import credentials
from crm.events.models import WebhookDelivery, WebhookEndpoint
from crm.events.webhooks import endpoints
from crm.outbound.session import Session, retry_after

State = WebhookDelivery.State

BATCH = 50
PAUSES = (5, 60, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 8 * 3600, 8 * 3600)
"""Seconds after each failed attempt: nine attempts over 24 hours."""
JITTER = 0.2
LONGEST_ERROR = 1000

CLAIM_SQL = """
    UPDATE events_webhookdelivery SET leased_until = %(lease)s
    WHERE id IN (
        SELECT id FROM events_webhookdelivery due
        WHERE endpoint_id = %(endpoint)s AND state = 'pending' AND next_attempt_at <= %(now)s
          AND (leased_until IS NULL OR leased_until < %(now)s)
          AND NOT EXISTS (
            SELECT FROM events_webhookdelivery earlier
            WHERE earlier.endpoint_id = due.endpoint_id AND earlier.customer_id = due.customer_id
              AND earlier.state = 'pending' AND earlier.id < due.id
          )
        ORDER BY id LIMIT %(limit)s
        FOR UPDATE SKIP LOCKED
    )
    RETURNING id
"""


def due() -> list[int]:
    """Return ids of endpoints with due deliveries."""
    now = timezone.now()
    ready = WebhookEndpoint.objects.filter(
        is_active=True, deliveries__state=State.PENDING, deliveries__next_attempt_at__lte=now
    ).exclude(held_until__gt=now)
    return list(ready.values_list("pk", flat=True).distinct())


def deliver(endpoint_id: int, *, seconds: float = 30) -> int:
    """Post an endpoint's due deliveries for some seconds, or until it is paused; returns how many were delivered."""
    until, arrived = time.monotonic() + seconds, 0
    with Session(
        "webhook", account=str(endpoint_id), seconds=settings.WEBHOOK_TIMEOUT_SECONDS
    ) as session:
        while time.monotonic() < until:
            endpoint = WebhookEndpoint.objects.filter(pk=endpoint_id, is_active=True).first()
            if endpoint is None or _is_held(endpoint) or not (batch := claim(endpoint)):
                break
            arrived += _post_all(session, endpoint, batch, until)
    return arrived


def claim(endpoint: WebhookEndpoint, limit: int = BATCH) -> list[WebhookDelivery]:
    """Claim the next deliveries of an endpoint, at most one for each customer, for the time of a lease."""
    now = timezone.now()
    lease = now + timedelta(seconds=limit * settings.WEBHOOK_TIMEOUT_SECONDS)
    with connection.cursor() as cursor:
        cursor.execute(
            CLAIM_SQL, {"endpoint": endpoint.pk, "now": now, "lease": lease, "limit": limit}
        )
        claimed = [row[0] for row in cursor.fetchall()]
    return list(WebhookDelivery.objects.filter(pk__in=claimed).order_by("pk"))


def _post_all(
    session: Session, endpoint: WebhookEndpoint, batch: list[WebhookDelivery], until: float
) -> int:
    arrived = 0
    for place, delivery in enumerate(batch):
        if time.monotonic() > until or _is_held(endpoint):
            left = [each.pk for each in batch[place:]]
            WebhookDelivery.objects.filter(pk__in=left).update(leased_until=None)
            break
        arrived += _post(session, endpoint, delivery)
    return arrived


def _post(session: Session, endpoint: WebhookEndpoint, delivery: WebhookDelivery) -> bool:
    started, now = time.monotonic(), timezone.now()
    delivery.attempts += 1
    delivery.response_code, delivery.error, wait = None, "", 0.0
    try:
        signed = endpoints.signed(endpoint, str(delivery.event_id), delivery.body, now)
        response = session.post(
            endpoint.url,
            data=delivery.body.encode(),
            headers={"Content-Type": "application/cloudevents+json", **signed},
        )
        delivery.response_code = response.status_code
        wait = retry_after(response)
        if not response.ok or response.is_redirect:
            delivery.error = response.text[:LONGEST_ERROR].replace("\x00", "") or response.reason
    except (requests.RequestException, credentials.Unreadable) as error:
        delivery.error = str(error)[:LONGEST_ERROR]
    delivery.ms = round((time.monotonic() - started) * 1000)
    code = delivery.response_code or 0
    if HTTPStatus.OK <= code < HTTPStatus.MULTIPLE_CHOICES:
        _arrived(endpoint, delivery)
        return True
    _failed(endpoint, delivery, wait)
    return False


def _arrived(endpoint: WebhookEndpoint, delivery: WebhookDelivery) -> None:
    delivery.state, delivery.delivered_at, delivery.next_attempt_at = (
        State.DELIVERED,
        timezone.now(),
        None,
    )
    _save(delivery)
    if endpoint.failures:
        endpoints.note_success(endpoint)
        endpoint.failures = 0


def _failed(endpoint: WebhookEndpoint, delivery: WebhookDelivery, wait: float) -> None:
    delivery.next_attempt_at = _next_attempt(delivery.attempts, wait)
    if delivery.next_attempt_at is None:
        delivery.state = State.FAILED
    _save(delivery)
    endpoints.note_failure(endpoint, gone=delivery.response_code == HTTPStatus.GONE)
    endpoint.refresh_from_db(fields=["held_until", "is_active"])


def _next_attempt(attempts: int, wait: float) -> datetime | None:
    """Return the time of the next attempt, or None after the last. `wait` is the Retry-After of the receiver in seconds."""
    if attempts > len(PAUSES):
        return None
    pause = PAUSES[attempts - 1] * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311
    return timezone.now() + timedelta(seconds=max(pause, wait))


def _save(delivery: WebhookDelivery) -> None:
    delivery.leased_until = None
    delivery.save(
        update_fields=[
            "state", "attempts", "next_attempt_at", "leased_until", "response_code", "ms", "error", "delivered_at",
        ]
    )  # fmt: skip


def _is_held(endpoint: WebhookEndpoint) -> bool:
    held = endpoint.held_until
    return not endpoint.is_active or (held is not None and held > timezone.now())
