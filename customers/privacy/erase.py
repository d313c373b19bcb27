"""Erasing one person: rows in one transaction, then files and logs, with a receipt that tells of nobody (GDPR, article 17).

The record stays under its number, without a person: orders, counts and money stay what they were.
"""

from __future__ import annotations

from collections import Counter

from django.db import transaction
from django.utils import timezone

from crm.accounts.models import User
from crm.api.idempotency import forget_answers
from crm.events import outbox
from crm.nudge import nudge
from customers import events
from customers.models import Customer, ErasureReceipt
from customers.privacy import audit, files, fingerprints, personal_data_registry, sessions
from customers.privacy.data_subject import Person

EMPTY: dict[str, object] = {
    **dict.fromkeys(("external_id", "email", "date_of_birth", "paused_until"), None),
    **dict.fromkeys(
        (
            "phone",
            "push_address",
            "first_name",
            "last_name",
            "city",
            "region",
            "language",
            "timezone",
            "source",
        ),
        "",
    ),
    "tags": [],
    "attributes": {},
}
"""What is left in the columns of an erased customer. The country, the dates and the sums stay."""


def erase(customer: Customer, *, by: User | None) -> ErasureReceipt:
    """Remove everything personal about a customer; for one who is erased already, the receipt of then.

    The rows are done when this returns; files and logs follow in a task, and the receipt says when they are done.
    """
    with transaction.atomic():
        locked = Customer.objects.select_for_update().get(pk=customer.pk)
        if done := ErasureReceipt.objects.filter(customer_id=locked.pk).first():
            return done
        person = Person.of(locked)
        fingerprints.remember([*person.external_ids, *person.emails, *person.phones])
        removed = _erase_rows(person)
        removed["customer"] = Customer.objects.filter(pk=locked.pk).update(
            **EMPTY, erased_at=timezone.now()
        )
        receipt = ErasureReceipt.objects.create(
            customer_id=locked.pk, removed=removed, wanted=person.as_json(), erased_by=by
        )
        audit.note(locked.pk, audit.ERASED, by=by)
        outbox.emit(events.CUSTOMER_ERASED, customer_id=locked.pk)
        nudge("customers.tasks.finish_erasure", receipt.pk)
    return receipt


def finish(receipt_id: int) -> None:
    """Remove the person from files, sessions and logs, and from rows that were written meanwhile; then forget by what they were found.

    Safe to repeat: what a worker that died left undone is done the next time.
    """
    receipt = ErasureReceipt.objects.get(pk=receipt_id)
    if receipt.finished_at:
        return
    person = Person(**receipt.wanted)
    removed = Counter(files.erase(person))
    removed["answers kept for repeated requests"] += forget_answers(person.are_mentioned_in)
    removed["sessions"] += sessions.erase(person)
    with transaction.atomic():
        receipt = ErasureReceipt.objects.select_for_update().get(pk=receipt_id)
        removed.update(receipt.removed)
        removed.update(_erase_rows(person, again=True))
        receipt.removed = {name: count for name, count in sorted(removed.items()) if count}
        receipt.wanted = {}
        receipt.finished_at = timezone.now()
        receipt.save(update_fields=["removed", "wanted", "finished_at"])


def unfinished() -> list[int]:
    """Receipts whose files nobody did yet."""
    return list(ErasureReceipt.objects.filter(finished_at=None).values_list("pk", flat=True))


def _erase_rows(person: Person, *, again: bool = False) -> Counter[str]:
    """How many rows of each holding. The second time only what is deleted counts, since the others are found again."""
    removed: Counter[str] = Counter()
    for holding in personal_data_registry.known():
        count = holding.erase(person)
        if not again or holding.left is None:
            removed[holding.name] = count
    return removed
