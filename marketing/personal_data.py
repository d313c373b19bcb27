"""The personal data in the tables of marketing: what erasing leaves of it, and how records of messages merge."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Case, JSONField, Q, QuerySet, TextField, Value, When
from django.db.models.functions import Lower
from django.utils.translation import gettext as _

from crm.chunked_delete import delete_in_chunks
from customers.privacy import DataSubject, PersonalTable, masked, rows_mentioning, rows_of
from marketing.messages.transitions import CANCELLED
from marketing.models import (
    Campaign,
    CampaignExecution,
    CampaignRun,
    Enrollment,
    EnrollmentEvent,
    FormerMessage,
    LinkHit,
    PreflightFailure,
    ProviderEvent,
    SendOnce,
    WorkflowCall,
)

OURS = ("lease", "leased_until")

State = CampaignExecution.State

_NOTHING_WENT_OUT = (State.PENDING, State.RETRY, State.SKIPPED, State.FAILED)


def _not_sent_yet(subject: DataSubject) -> QuerySet[Any]:
    return CampaignExecution.objects.filter(customer=subject.pk).waiting()


def _passages_under_way(subject: DataSubject) -> QuerySet[Any]:
    return Enrollment.objects.filter(customer=subject.pk, state__in=Enrollment.UNDER_WAY)


def _calls_to_make(subject: DataSubject) -> QuerySet[Any]:
    return WorkflowCall.objects.filter(
        enrollment__customer=subject.pk, state=WorkflowCall.State.PENDING
    )


def _moves_of_passages(subject: DataSubject) -> QuerySet[Any]:
    return EnrollmentEvent.objects.filter(customer_id__in=(subject.pk, *subject.former_pks))


def _former_messages(subject: DataSubject) -> QuerySet[Any]:
    addresses = [address.lower() for address in (*subject.emails, *subject.phones)]
    return FormerMessage.objects.alias(folded=Lower("address")).filter(
        Q(customer_id__in=(subject.pk, *subject.former_pks)) | Q(folded__in=addresses)
    )


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
        "deleted messages", _former_messages, replace={"address": "", "links": None}, exported=False
    ),
    PersonalTable(
        "passages under way",
        _passages_under_way,
        replace={
            "state": Enrollment.State.EXITED,
            "exit_reason": Enrollment.ExitReason.ERASED,
            "due_at": None,
            "wake_at": None,
            "waiting_for": "",
        },
        exported=False,
    ),
    PersonalTable(
        "calls of workflows to make",
        _calls_to_make,
        replace={"state": WorkflowCall.State.FAILED},
        exported=False,
    ),
    PersonalTable(
        "calls of workflows",
        rows_of(WorkflowCall, "enrollment__customer"),
        replace={"body": {}, "answer": {}, "error": ""},
        internal=("picks", "leased_until"),
    ),
    PersonalTable(
        "passages through workflows",
        rows_of(Enrollment),
        replace={"context": {}, "answers": {}, "error": "", "entry_key": ""},
    ),
    PersonalTable("moves of passages", _moves_of_passages, replace={"detail": {}}),
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


def delete_former_messages(then: datetime) -> int:
    """Delete what is known of messages whose rows were deleted before then; returns the number of rows."""
    return delete_in_chunks(FormerMessage.objects.filter(deleted_at__lt=then))


def in_flight(survivor: int, duplicate: int) -> str:
    """Return why two customers cannot be merged while a worker sends to one of them: it would not find its row again."""
    held = CampaignExecution.objects.filter(customer__in=(survivor, duplicate), lease__isnull=False)
    if not held.exists():
        return ""
    return _("A message to one of them is being sent. Try again in a minute.")


SENT_FIRST = Case(When(state__in=_NOTHING_WENT_OUT, then=Value(0)), default=Value(1))
"""Of two messages in one batch a merge keeps the one that was sent."""
