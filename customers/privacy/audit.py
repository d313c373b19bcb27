"""Log exports and erasures in the admin's log, by number, so that the log identifies nobody."""

from __future__ import annotations

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.utils.translation import gettext_noop

from crm.accounts.models import User
from customers.models import Customer

EXPORTED = gettext_noop("All personal data was exported.")
ERASED = gettext_noop("The person was erased.")
NOTES = (EXPORTED, ERASED)


def note(customer_id: int, what: str, *, by: User | None) -> None:
    """Add an entry to the log of a customer, unless no user is responsible."""
    if by is None:
        return
    LogEntry.objects.create(
        user=by,
        content_type=ContentType.objects.get_for_model(Customer),
        object_id=str(customer_id),
        object_repr=f"#{customer_id}",
        action_flag=CHANGE,
        change_message=what,
    )
