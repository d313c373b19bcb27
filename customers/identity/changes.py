"""The common part of every write to customers: a lock, the ids that find a customer, an event."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from django.db import connection, transaction
from django.db.models import Q

from crm.events import outbox
from customers import consent
from customers.models import Customer, Identity
from customers.timeline import types

LOCK_BATCHES = "SELECT pg_advisory_xact_lock(hashtext('customers.identity'))"
"""Batches that create or merge customers wait for each other: two at once would create one person twice."""
EVENT_SIZE = 1_000


def emit_changed(created: Sequence[int], updated: Sequence[int]) -> None:
    """Emit CUSTOMERS_CHANGED for written customers, at most 1,000 ids an event."""
    for name, ids in (("created", created), ("updated", updated)):
        for start in range(0, len(ids), EVENT_SIZE):
            data = {"created": [], "updated": [], name: list(ids[start : start + EVENT_SIZE])}
            outbox.emit(types.CUSTOMERS_CHANGED, data=data)


def save_identities(customer_ids: Sequence[int]) -> None:
    """Let external ids, e-mails and phones of these customers find them. An id that finds another customer stays so."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO customers_identity (customer_id, kind, value)
            SELECT customer.id, identity.kind, identity.value
            FROM customers_customer customer CROSS JOIN LATERAL (
                VALUES ('external_id', external_id), ('email', lower(email)), ('phone', nullif(phone, ''))
            ) AS identity(kind, value)
            WHERE customer.id = ANY(%s) AND identity.value IS NOT NULL
            ORDER BY kind, value
            ON CONFLICT DO NOTHING
            """,
            [list(customer_ids)],
        )


def add_external_ids(ids: Iterable[tuple[int, Iterable[str]]]) -> None:
    """Let more external ids find these customers. An id that finds another customer stays so."""
    rows = [
        Identity(customer_id=pk, kind=Identity.Kind.EXTERNAL_ID, value=value)
        for pk, values in ids
        for value in values
    ]
    Identity.objects.bulk_create(rows, ignore_conflicts=True)


def release_emails(emails: Mapping[int, str]) -> None:
    """Take from these customers the e-mail that only browsers stated, because a server states it of another customer."""
    Customer.objects.filter(pk__in=emails).update(email=None)
    given = Q()
    for customer_id, email in emails.items():
        given |= Q(customer_id=customer_id, value=email)
    Identity.objects.filter(given, kind=Identity.Kind.EMAIL).delete()
    emit_changed([], sorted(emails))


_MARK_KNOWN = """
    WITH held AS (
        SELECT id FROM customers_customer WHERE from_browser AND id = ANY(%s) ORDER BY id FOR NO KEY UPDATE
    )
    UPDATE customers_customer AS customer SET from_browser = false FROM held WHERE customer.id = held.id
"""
"""Locked in the order of ids, so that two batches never wait for each other."""


def mark_known(customer_ids: Sequence[int]) -> None:
    """Mark customers as sent by a server, a file or a user: an unsigned browser changes them no more."""
    with connection.cursor() as cursor:
        cursor.execute(_MARK_KNOWN, [list(customer_ids)])


@transaction.atomic
def note_saved(customer: Customer, *, is_new: bool) -> None:
    """Save the identities of a customer that a form saved, and emit the change."""
    save_identities([customer.pk])
    mark_known([customer.pk])
    consent.hold_opt_outs([customer.pk])
    emit_changed(*(([customer.pk], []) if is_new else ([], [customer.pk])))
