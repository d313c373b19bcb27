"""Erase one person (GDPR, article 17): rows in one transaction, then files and logs as a job.

The record stays under its number, without a person: orders, counts and money do not change.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from functools import partial

from django.db import OperationalError, transaction
from django.utils import timezone

from crm import jobs
from crm.accounts.models import User
from crm.events import outbox
from customers import consent
from customers.models import Customer, ErasureReceipt
from customers.privacy import data_subject, traces
from customers.privacy.data_subject import DataSubject
from customers.privacy.personal_data_registry import PersonalTable, personal_tables
from customers.timeline import types

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
"""The columns of an erased customer. The country, the dates and the sums stay."""


class StepsFailed(Exception):
    """Some steps of an erasure failed and run again."""


def erase(customer: Customer, *, by: User | None) -> ErasureReceipt:
    """Erase the rows of a customer and queue the erasure of files and logs.

    Returns the receipt, or the existing one of a customer who is erased already.
    """
    with transaction.atomic():
        locked = Customer.objects.select_for_update().get(pk=customer.pk)
        if receipt := ErasureReceipt.objects.filter(customer_id=locked.pk).first():
            return receipt
        subject = DataSubject.of(locked)
        consent.remember_erased([*subject.external_ids, *subject.emails, *subject.phones])
        removed = {each.name: each.erase(subject) for each in personal_tables()}
        removed["customer"] = Customer.objects.filter(pk=locked.pk).update(
            **EMPTY, erased_at=timezone.now()
        )
        receipt = ErasureReceipt.objects.create(
            customer_id=locked.pk, removed=removed, wanted=subject.as_json(), created_by=by
        )
        data_subject.note(locked.pk, data_subject.ERASED, by=by)
        outbox.emit(types.CUSTOMER_ERASED, customer_id=locked.pk)
        jobs.start(receipt)
    return receipt


def finish(receipt: ErasureReceipt, turn: jobs.Turn) -> bool:
    """Erase the person from files, sessions, logs and rows written meanwhile.

    A step that fails is noted in `failures` and the others still run. Raises StepsFailed, after which all run again, which is safe.
    """
    steps = list(_steps(DataSubject(**receipt.wanted)))
    removed: Counter[str] = Counter(receipt.removed)
    failures: dict[str, str] = {}
    turn.save(done=0, total=len(steps))
    for number, (name, step) in enumerate(steps, 1):
        try:
            removed[name] += step()
        except OperationalError:
            raise
        except Exception as error:
            # Its message may name the person, so only the log has it, which is masked with the rest.
            logger.exception("Erasure %s: “%s” failed and is tried again.", receipt.pk, name)
            failures[name] = type(error).__name__
        turn.show(done=number)
    counts = {name: count for name, count in sorted(removed.items()) if count}
    turn.save(removed=counts, failures=failures)
    if failures:
        raise StepsFailed(", ".join(failures))
    turn.save(wanted={})
    return False


def _steps(subject: DataSubject) -> Iterator[traces.Step]:
    yield from traces.steps(subject)
    for table in personal_tables():
        yield table.name, partial(_erase_again, table, subject)


def _erase_again(table: PersonalTable, subject: DataSubject) -> int:
    """Return how many rows were deleted. Rows that are only changed are found every time, so they do not count."""
    count = table.erase(subject)
    return count if table.replace is None else 0
