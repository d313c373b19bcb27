"""What customers' own tables, and those below, hold on a person."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import CharField, JSONField, Q, QuerySet, TextField
from django.db.models.functions import Lower

from crm.events.models import MarketingEvent
from customers import events
from customers.models import (
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
from customers.privacy import audit
from customers.privacy.data_subject import Person
from customers.privacy.personal_data_registry import Holding, kept, masked, mentioning, of, register

REFERRED = ("channel", "topic", "segment", "created", "updated", "order_ids", "campaign", "run")

OUR_TYPES = (
    *(events.ORDER_PLACED, events.PAGE_VIEWED, events.SERVICE_CONTACT, events.UNSUBSCRIBED),
    *(events.MESSAGE_SENT, events.MESSAGE_DELIVERED, events.MESSAGE_BOUNCED),
    *(events.MESSAGE_OPENED, events.MESSAGE_CLICKED, events.MESSAGE_CONVERTED),
    *(
        events.MESSAGE_COMPLAINED,
        events.MESSAGE_OPENED_BY_MACHINE,
        events.MESSAGE_CLICKED_BY_MACHINE,
    ),
)


def _our_interactions(person: Person) -> QuerySet[Any]:
    return Interaction.objects.filter(customer=person.pk, type__in=OUR_TYPES)


def _other_interactions(person: Person) -> QuerySet[Any]:
    return Interaction.objects.filter(customer=person.pk).exclude(type__in=OUR_TYPES)


def _suppressions(person: Person) -> QuerySet[Any]:
    addresses = [address.lower() for address in (*person.emails, *person.phones)]
    return Suppression.objects.alias(folded=Lower("address")).filter(folded__in=addresses)


def _waiting_messages(person: Person) -> QuerySet[Any]:
    mentioned = mentioning(WaitingMessage, "message")(person).values("pk")
    return WaitingMessage.objects.filter(
        Q(anonymous_id__in=person.anonymous_ids) | Q(pk__in=mentioned)
    )


def _merges(person: Person) -> QuerySet[Any]:
    return Merge.objects.filter(Q(survivor=person.pk) | Q(duplicate_id=person.pk))


def _likely_duplicates(person: Person) -> QuerySet[Any]:
    return LikelyDuplicate.objects.filter(Q(customer=person.pk) | Q(other=person.pk))


def _log_of_their_record(person: Person) -> QuerySet[Any]:
    records = [str(pk) for pk in (person.pk, *person.former_pks)]
    model = ContentType.objects.get_for_model(Customer)
    entries = LogEntry.objects.filter(content_type=model, object_id__in=records)
    return entries.exclude(change_message__in=audit.NOTES)


register(
    Holding("identities", of(Identity)),
    Holding("push subscriptions", of(PushSubscription)),
    Holding("consents", of(Consent), left={"evidence": ""}),
    Holding("pauses", of(Pause), left={"evidence": ""}),
    Holding(
        "interactions", _our_interactions, left={"properties": kept("properties", *events.COUNTED)}
    ),
    Holding("other interactions", _other_interactions, left={"properties": {}}),
    Holding("orders", of(Order), left={"attributes": {}}),
    Holding("order lines", of(OrderLine, "order__customer"), left={}),
    Holding(
        "service interactions",
        of(ServiceInteraction),
        left={"subject": "", "message": "", "resolution": "", "attributes": {}},
    ),
    Holding("visits", of(Visit)),
    Holding("interests", of(CustomerInterest)),
    Holding("profile", of(CustomerProfile), left={}),
    Holding("segments", of(SegmentMembership), left={}),
    Holding("likely duplicates", _likely_duplicates),
    Holding("merged records", _merges),
    Holding("suppressed addresses", _suppressions),
    Holding("messages that wait for a name", _waiting_messages),
    Holding(
        "events",
        lambda person: MarketingEvent.objects.filter(customer_id=person.pk),
        left={"data": kept("data", *REFERRED)},
        hidden=("transaction",),
    ),
    Holding(
        "events that mention them",
        mentioning(MarketingEvent, "data"),
        left={"data": masked("data", JSONField())},
        exported=False,
    ),
    Holding(
        "log of their record",
        _log_of_their_record,
        left={"object_repr": "", "change_message": ""},
        exported=False,
    ),
    Holding(
        "log entries that mention them",
        mentioning(LogEntry, "object_repr", "change_message"),
        left={
            "object_repr": masked("object_repr", CharField()),
            "change_message": masked("change_message", TextField()),
        },
        exported=False,
    ),
    Holding(
        "imports that mention them",
        mentioning(ImportJob, "name", "error"),
        left={"name": masked("name", CharField()), "error": masked("error", TextField())},
        exported=False,
    ),
    Holding(
        "bulk jobs that mention them",
        mentioning(BulkJob, "options", "error"),
        left={"options": masked("options", JSONField()), "error": masked("error", TextField())},
        exported=False,
    ),
    Holding(
        "segments that mention them",
        mentioning(Segment, "name", "description", "rules"),
        left={
            "name": masked("name", CharField()),
            "description": masked("description", TextField()),
            "rules": masked("rules", JSONField()),
        },
        exported=False,
    ),
)
