"""The personal data in the tables of marketing."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import JSONField, QuerySet, TextField

from crm.chunked_delete import delete_in_chunks
from customers.privacy import DataSubject, PersonalTable, masked, rows_mentioning, rows_of
from marketing.messages.transitions import CANCELLED
from marketing.models import (
    Campaign,
    CampaignExecution,
    CampaignRun,
    LinkHit,
    PreflightFailure,
    ProviderEvent,
    SendOnce,
)

OURS = ("lease", "leased_until")


def _not_sent_yet(subject: DataSubject) -> QuerySet[Any]:
    return CampaignExecution.objects.filter(customer=subject.pk).waiting()


TABLES = (
    PersonalTable(
        "messages not sent yet",
        _not_sent_yet,
        replace=CANCELLED,
        internal=OURS,
        exported=False,
    ),
    PersonalTable("failures of preflights", rows_of(PreflightFailure)),
    PersonalTable("send-once claims", rows_of(SendOnce), replace={}),
    PersonalTable(
        "provider events",
        rows_of(ProviderEvent, "execution__customer"),
        replace={"detail": "", "link": ""},
    ),
    PersonalTable("links asked for", rows_of(LinkHit, "execution__customer")),
    PersonalTable(
        "messages",
        rows_of(CampaignExecution),
        replace={"address": "", "error": "", "context": {}, "links": None},
        internal=OURS,
    ),
    PersonalTable(
        "campaigns that mention the customer",
        rows_mentioning(Campaign, "description", "rules"),
        replace={
            "description": masked("description", TextField()),
            "rules": masked("rules", JSONField()),
        },
        exported=False,
    ),
    PersonalTable(
        "runs that mention the customer",
        rows_mentioning(CampaignRun, "error"),
        replace={"error": masked("error", TextField())},
        exported=False,
    ),
)


def delete_provider_events(then: datetime) -> int:
    """Delete what providers reported before then; returns the number of rows."""
    return delete_in_chunks(ProviderEvent.objects.filter(received_at__lt=then))
