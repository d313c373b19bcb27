"""Forgetting outgoing calls that are old."""

from __future__ import annotations

from datetime import datetime

from crm.outbound.models import ExternalServiceLog


def forget_before(then: datetime) -> int:
    """Delete the notes on calls from before that time; returns how many."""
    return ExternalServiceLog.objects.filter(at__lt=then).delete()[0]
