"""What follows when a person's ids are changed outside of the set-based path."""

from __future__ import annotations

from django.db import transaction

from customers.ingest.upsert import emit_changed, know_identities
from customers.models import Customer


def changed_by_hand(customer: Customer, *, is_new: bool) -> None:
    """Let the ids of a customer who was saved in a form lead to them, and tell of the change."""
    with transaction.atomic():
        know_identities([customer.pk])
        emit_changed(*(([customer.pk], []) if is_new else ([], [customer.pk])))
