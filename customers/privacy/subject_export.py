"""Export all personal data of a customer as one JSON document (GDPR, articles 15 and 20)."""

from __future__ import annotations

import json
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone

from crm.accounts.models import User
from crm.api import ids
from customers.models import Customer
from customers.privacy import audit
from customers.privacy.data_subject import DataSubject
from customers.privacy.personal_data_registry import personal_tables


def export(customer: Customer, *, by: User | None) -> dict[str, Any]:
    """`{"id", "exported_at", "customer": {…}, "held": {name: [rows]}}`, money as text and times in ISO 8601.

    The export is logged.
    """
    subject = DataSubject.of(customer)
    audit.note(customer.pk, audit.EXPORTED, by=by)
    held = {
        "id": ids.encode("cus", customer.pk),
        "exported_at": timezone.now(),
        "customer": {
            each.attname: getattr(customer, each.attname) for each in customer._meta.concrete_fields
        },
        "held": {
            each.name.replace(" ", "_"): each.export(subject)
            for each in personal_tables()
            if each.exported
        },
    }
    plain: dict[str, Any] = json.loads(json.dumps(held, cls=DjangoJSONEncoder))
    return plain
