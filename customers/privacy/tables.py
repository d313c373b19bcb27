"""The personal data in the tables of customers and of the packages below."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import CharField, JSONField, Q, QuerySet, TextField
from django.db.models.functions import Lower

from crm.events.models import MarketingEvent
from customers.models import (
    AddressOptOut,
    BulkJob,
    Consent,
    Customer,
    CustomerInterest,
    CustomerProfile,
    Identity,
    ImportJob,
    Interaction,
    LikelyDuplicate,
    Merge,
    Order,
    OrderLine,
    Pause,
    PushSubscription,
    Segment,
    SegmentMembership,
    ServiceInteraction,
    Suppression,
    Visit,
    WaitingMessage,
)
from customers.models.interaction import COUNTED
from customers.privacy import data_subject
from customers.privacy.data_subject import DataSubject
from customers.privacy.personal_data_registry import (
    PersonalTable,
    masked,
    only,
    rows_mentioning,
    rows_of,
)
from customers.timeline import types

REFERRED = ("channel", "topic", "segment", "created", "updated", "order_ids", "campaign", "run")

OUR_TYPES = (
    *(types.ORDER_PLACED, types.PAGE_VIEWED, types.SERVICE_CONTACT, types.UNSUBSCRIBED),
    *(types.MESSAGE_SENT, types.MESSAGE_DELIVERED, types.MESSAGE_BOUNCED),
    *(types.MESSAGE_OPENED, types.MESSAGE_CLICKED, types.MESSAGE_CONVERTED),
    *(
        types.MESSAGE_COMPLAINED,
        types.MESSAGE_OPENED_BY_MACHINE,
        types.MESSAGE_CLICKED_BY_MACHINE,
    ),
)


def _our_interactions(subject: DataSubject) -> QuerySet[Any]:
    return Interaction.objects.filter(customer=subject.pk, type__in=OUR_TYPES)


def _other_interactions(subject: DataSubject) -> QuerySet[Any]:
    return Interaction.objects.filter(customer=subject.pk).exclude(type__in=OUR_TYPES)


def _suppressions(subject: DataSubject) -> QuerySet[Any]:
    addresses = [address.lower() for address in (*subject.emails, *subject.phones)]
    return Suppression.objects.alias(folded=Lower("address")).filter(folded__in=addresses)


def _address_opt_outs(subject: DataSubject) -> QuerySet[Any]:
    addresses = [address.lower() for address in (*subject.emails, *subject.phones)]
    return AddressOptOut.objects.filter(address__in=addresses)


def _waiting_messages(subject: DataSubject) -> QuerySet[Any]:
    mentioned = rows_mentioning(WaitingMessage, "message")(subject).values("pk")
    return WaitingMessage.objects.filter(
        Q(anonymous_id__in=subject.anonymous_ids) | Q(pk__in=mentioned)
    )


def _merges(subject: DataSubject) -> QuerySet[Any]:
    return Merge.objects.filter(Q(survivor=subject.pk) | Q(duplicate_id=subject.pk))


def _likely_duplicates(subject: DataSubject) -> QuerySet[Any]:
    return LikelyDuplicate.objects.filter(Q(customer=subject.pk) | Q(other=subject.pk))


def _log_of_their_record(subject: DataSubject) -> QuerySet[Any]:
    records = [str(pk) for pk in (subject.pk, *subject.former_pks)]
    model = ContentType.objects.get_for_model(Customer)
    entries = LogEntry.objects.filter(content_type=model, object_id__in=records)
    return entries.exclude(change_message__in=data_subject.NOTES)


TABLES = (
    PersonalTable("identities", rows_of(Identity)),
    PersonalTable("push subscriptions", rows_of(PushSubscription)),
    PersonalTable("consents", rows_of(Consent), replace={"evidence": ""}),
    PersonalTable("pauses", rows_of(Pause), replace={"evidence": ""}),
    PersonalTable(
        "interactions",
        _our_interactions,
        replace={"properties": only("properties", *COUNTED)},
    ),
    PersonalTable("other interactions", _other_interactions, replace={"properties": {}}),
    PersonalTable("orders", rows_of(Order), replace={"attributes": {}}),
    PersonalTable("order lines", rows_of(OrderLine, "order__customer"), replace={}),
    PersonalTable(
        "service tickets",
        rows_of(ServiceInteraction),
        replace={"subject": "", "message": "", "resolution": "", "attributes": {}},
    ),
    PersonalTable("visits", rows_of(Visit)),
    PersonalTable("interests", rows_of(CustomerInterest)),
    PersonalTable("profile", rows_of(CustomerProfile), replace={}),
    PersonalTable("segments", rows_of(SegmentMembership), replace={}),
    PersonalTable("likely duplicates", _likely_duplicates),
    PersonalTable("merged records", _merges),
    PersonalTable("suppression list", _suppressions),
    PersonalTable("opt-outs of addresses", _address_opt_outs),
    PersonalTable("messages that wait for a name", _waiting_messages),
    PersonalTable(
        "events",
        lambda subject: MarketingEvent.objects.filter(customer_id=subject.pk),
        replace={"data": only("data", *REFERRED)},
        internal=("transaction",),
    ),
    PersonalTable(
        "events that mention them",
        rows_mentioning(MarketingEvent, "data"),
        replace={"data": masked("data", JSONField())},
        exported=False,
    ),
    PersonalTable(
        "log of their record",
        _log_of_their_record,
        replace={"object_repr": "", "change_message": ""},
        exported=False,
    ),
    PersonalTable(
        "log entries that mention them",
        rows_mentioning(LogEntry, "object_repr", "change_message"),
        replace={
            "object_repr": masked("object_repr", CharField()),
            "change_message": masked("change_message", TextField()),
        },
        exported=False,
    ),
    PersonalTable(
        "imports that mention them",
        rows_mentioning(ImportJob, "name", "error"),
        replace={"name": masked("name", CharField()), "error": masked("error", TextField())},
        exported=False,
    ),
    PersonalTable(
        "bulk jobs that mention them",
        rows_mentioning(BulkJob, "options", "error"),
        replace={"options": masked("options", JSONField()), "error": masked("error", TextField())},
        exported=False,
    ),
    PersonalTable(
        "segments that mention them",
        rows_mentioning(Segment, "name", "description", "rules"),
        replace={
            "name": masked("name", CharField()),
            "description": masked("description", TextField()),
            "rules": masked("rules", JSONField()),
        },
        exported=False,
    ),
)
