"""Delete old data, each kind after its own number of days (settings RETENTION_…_DAYS); 0 keeps it for good."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection
from django.db.models import Max
from django.utils import timezone

from crm.accounts import audit
from crm.chunked_delete import delete_in_chunks
from crm.events import feeds
from crm.events import retention as events
from crm.outbound import log as outgoing_calls
from customers import timeline
from customers.models import (
    BulkJob,
    ImportJob,
    Interaction,
    ReceivedMessage,
    WaitingMessage,
)
from customers.models.interaction import COUNTED

logger = logging.getLogger(__name__)

CHUNK = 20_000
"""So many interactions are stripped in one transaction."""

ENDED = (ImportJob.State.FINISHED, ImportJob.State.FAILED)


def apply(now: datetime | None = None) -> dict[str, int]:
    """Delete what is old enough; returns the number of rows or files by setting."""
    now = now or timezone.now()
    forgotten = {}
    for setting, forget_before in RULES.items():
        if days := getattr(settings, setting):
            forgotten[setting] = forget_before(now - timedelta(days=days))
    SessionStore.clear_expired()
    logger.info("forgotten: %s", forgotten)
    return forgotten


def register(setting: str, forget_before: Callable[[datetime], int]) -> None:
    """Delete data of a higher app too, after the number of days in the setting."""
    ours = RULES.get(setting)
    RULES[setting] = (lambda then: ours(then) + forget_before(then)) if ours else forget_before


def _interaction_properties(then: datetime) -> int:
    """Strip rows that every subscriber has read down to what is counted in them."""
    last = Interaction.objects.aggregate(last=Max("pk"))["last"] or 0
    read = feeds.read_by_all(timeline.SOURCE)
    waiting = {
        "read_transaction": str(read.transaction),
        "read_id": read.id,
        "put_aside": feeds.dead_letters(timeline.SOURCE),
    }
    return sum(_strip(start, then, waiting) for start in range(0, last + 1, CHUNK))


def _strip(start: int, then: datetime, waiting: dict[str, Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE customers_interaction SET properties = properties - (
                SELECT array_agg(name) FROM jsonb_object_keys(properties) AS name WHERE name <> ALL(%(counted)s)
            )
            WHERE id BETWEEN %(first)s AND %(last)s AND occurred_at < %(then)s
              AND (transaction, id) <= (%(read_transaction)s::text::xid8, %(read_id)s) AND id <> ALL(%(put_aside)s)
              AND jsonb_typeof(properties) = 'object' AND properties - %(counted)s::text[] <> '{}'
            """,
            {
                "counted": list(COUNTED),
                "first": start,
                "last": start + CHUNK - 1,
                "then": then,
                **waiting,
            },
        )
        return cursor.rowcount


def _import_files(then: datetime) -> int:
    old = ImportJob.objects.filter(created_at__lt=then, state__in=ENDED).exclude(file="")
    for job in old:
        job.file.delete(save=False)
    return old.update(file="")


def _exports(then: datetime) -> int:
    old = BulkJob.objects.filter(finished_at__lt=then).exclude(customer_ids=[])
    for job in old.exclude(file=None).defer("customer_ids"):
        job.file.delete(save=False)
    return old.update(file=None, customer_ids=[])


def _rejected_rows(then: datetime) -> int:
    old = ImportJob.objects.filter(created_at__lt=then, state__in=ENDED).exclude(rejected_file=None)
    for job in old:
        job.rejected_file.delete(save=False)
    return old.update(rejected_file=None)


def _message_ids(then: datetime) -> int:
    return delete_in_chunks(ReceivedMessage.objects.filter(received_at__lt=then))


def _waiting(then: datetime) -> int:
    return delete_in_chunks(WaitingMessage.objects.filter(received_at__lt=then))


RULES: dict[str, Callable[[datetime], int]] = {
    "RETENTION_INTERACTIONS_DAYS": _interaction_properties,
    "RETENTION_EVENTS_DAYS": events.forget_before,
    "RETENTION_IMPORT_FILES_DAYS": _import_files,
    "RETENTION_EXPORT_FILES_DAYS": _exports,
    "RETENTION_REJECTED_ROWS_DAYS": _rejected_rows,
    "RETENTION_MESSAGE_IDS_DAYS": _message_ids,
    "RETENTION_WAITING_DAYS": _waiting,
    "RETENTION_OUTGOING_CALLS_DAYS": outgoing_calls.forget_before,
    "RETENTION_AUDIT_DAYS": audit.forget_before,
    "RETENTION_WEBHOOK_DELIVERIES_DAYS": events.forget_deliveries_before,
}
