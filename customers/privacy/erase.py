"""Erasing one person: rows in one transaction, then files and logs, with a receipt that tells of nobody (GDPR, article 17).

The record stays under its number, without a person: orders, counts and money stay what they were.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import partial

from django.db import OperationalError, transaction
from django.utils import timezone

from crm.accounts.models import User
from crm.api.idempotency import forget_answers
from crm.events import outbox
from crm.nudge import nudge
from customers import events
from customers.consent import fingerprints
from customers.models import Customer, ErasureReceipt
from customers.privacy import audit, files, personal_data_registry, sessions
from customers.privacy.data_subject import Person
from customers.privacy.personal_data_registry import Holding

logger = logging.getLogger(__name__)

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
    """Remove the person from files, sessions, logs and rows written meanwhile.

    The receipt finishes, and forgets what the person was found by, once every step succeeded. A step that fails stands in
    `failures`, the others run all the same; the sweep runs them all again, which is safe.
    """
    receipt = ErasureReceipt.objects.get(pk=receipt_id)
    if receipt.finished_at:
        return
    removed, failures = _run(receipt, _steps(Person(**receipt.wanted)))
    with transaction.atomic():
        receipt = ErasureReceipt.objects.select_for_update().get(pk=receipt_id)
        removed.update(receipt.removed)
        receipt.removed = {name: count for name, count in sorted(removed.items()) if count}
        receipt.failures = failures
        if not failures:
            receipt.wanted = {}
            receipt.finished_at = timezone.now()
        receipt.save(update_fields=["removed", "failures", "wanted", "finished_at"])


def _steps(person: Person) -> Iterator[files.Step]:
    yield from files.steps(person)
    yield "stored answers to requests", partial(forget_answers, person.are_mentioned_in)
    yield "sessions", partial(sessions.erase, person)
    for holding in personal_data_registry.known():
        yield holding.name, partial(_erase_again, holding, person)


def _run(
    receipt: ErasureReceipt, steps: Iterable[files.Step]
) -> tuple[Counter[str], dict[str, str]]:
    """Run every step; return what each removed, and the kind of error of each that failed."""
    removed: Counter[str] = Counter()
    failures: dict[str, str] = {}
    for name, step in steps:
        try:
            removed[name] += step()
        except OperationalError:
            raise
        except Exception as error:
            # Its message may name the person, so only the log has it, which is masked with the rest.
            logger.exception("Erasure %s: “%s” failed and is tried again.", receipt.pk, name)
            failures[name] = type(error).__name__
    return removed, failures


def unfinished() -> list[int]:
    """Return ids of receipts with steps to run."""
    return list(ErasureReceipt.objects.filter(finished_at=None).values_list("pk", flat=True))


def _erase_rows(person: Person) -> Counter[str]:
    """Return from how many rows of each holding the person was removed."""
    return Counter({each.name: each.erase(person) for each in personal_data_registry.known()})


def _erase_again(holding: Holding, person: Person) -> int:
    """Return how many rows were deleted; rows that are only changed are found, and counted, every time."""
    count = holding.erase(person)
    return count if holding.left is None else 0
