"""What marketing holds on a person."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import JSONField, QuerySet, TextField

from customers.privacy import retention
from customers.privacy.data_subject import Person
from customers.privacy.personal_data_registry import Holding, masked, mentioning, of, register
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


def _not_sent_yet(person: Person) -> QuerySet[Any]:
    return CampaignExecution.objects.filter(customer=person.pk).waiting()


register(
    Holding(
        "messages not sent yet",
        _not_sent_yet,
        left=CANCELLED,
        hidden=OURS,
        exported=False,
    ),
    Holding("failures of preflights", of(PreflightFailure)),
    Holding("send-once claims", of(SendOnce), left={}),
    Holding(
        "what providers told",
        of(ProviderEvent, "execution__customer"),
        left={"detail": "", "link": ""},
    ),
    Holding("links asked for", of(LinkHit, "execution__customer")),
    Holding(
        "messages",
        of(CampaignExecution),
        left={"address": "", "error": "", "context": {}, "links": None},
        hidden=OURS,
    ),
    Holding(
        "campaigns that mention them",
        mentioning(Campaign, "description", "rules"),
        left={
            "description": masked("description", TextField()),
            "rules": masked("rules", JSONField()),
        },
        exported=False,
    ),
    Holding(
        "runs that mention them",
        mentioning(CampaignRun, "error"),
        left={"error": masked("error", TextField())},
        exported=False,
    ),
)


def _provider_events(then: datetime) -> int:
    return ProviderEvent.objects.filter(received_at__lt=then).delete()[0]


retention.register("RETENTION_RECEIPTS_DAYS", _provider_events)
