"""Delete old log entries of outgoing calls."""

from __future__ import annotations

from datetime import datetime

from crm.chunked_delete import delete_in_chunks
from crm.outbound.models import ExternalServiceLog


def forget_before(then: datetime) -> int:
    """Delete log entries from before that time; return how many."""
    return delete_in_chunks(ExternalServiceLog.objects.filter(at__lt=then))
