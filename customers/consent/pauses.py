"""Not now: a customer hears nothing from us until a time that they chose."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from customers.models import Customer, Pause


def pause(customer_id: int, until: datetime, evidence: str) -> None:
    """Send nothing to this customer, by any channel, before `until`."""
    _decide(customer_id, until, evidence)


def resume(customer_id: int, evidence: str) -> None:
    """End a pause before its time."""
    _decide(customer_id, None, evidence)


@transaction.atomic
def _decide(customer_id: int, until: datetime | None, evidence: str) -> None:
    Pause.objects.create(customer_id=customer_id, until=until, evidence=evidence)
    Customer.objects.filter(pk=customer_id).update(paused_until=until)
