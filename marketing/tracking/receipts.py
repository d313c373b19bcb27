"""Receipts of providers about messages: each counts once, however often and however early it comes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext

from crm.api import ids
from customers import consent
from customers.ingest import clean_service, record_service
from customers.models import Customer, ServiceInteraction
from customers.models.consent import ADDRESS_FIELDS, Channel
from customers.timeline import types
from marketing.channels import ReceiptEvent, ReceiptKind
from marketing.messages import transitions
from marketing.models import CampaignExecution, ProviderEvent, Sender
from marketing.tracking.bots import why_bot
from marketing.tracking.engagement import MessageEvent, record

ErrorKind = CampaignExecution.ErrorKind

LATE = timedelta(hours=1)
"""How long a receipt waits for a message whose provider id is not recorded yet."""
LONGEST_ID = 200
LONGEST_PROVIDER_ID = 255
LONGEST_DETAIL = 500

TYPES = {
    ReceiptKind.DELIVERED: types.MESSAGE_DELIVERED,
    ReceiptKind.BOUNCED_HARD: types.MESSAGE_BOUNCED,
    ReceiptKind.BOUNCED_SOFT: types.MESSAGE_BOUNCED,
    ReceiptKind.BLOCKED: types.MESSAGE_BOUNCED,
    ReceiptKind.COMPLAINED: types.MESSAGE_COMPLAINED,
    ReceiptKind.OPENED: types.MESSAGE_OPENED,
    ReceiptKind.CLICKED: types.MESSAGE_CLICKED,
    ReceiptKind.UNSUBSCRIBED: types.UNSUBSCRIBED,
}
BY_MACHINE = {
    ReceiptKind.OPENED: types.MESSAGE_OPENED_BY_MACHINE,
    ReceiptKind.CLICKED: types.MESSAGE_CLICKED_BY_MACHINE,
}
BOUNCES = {
    ReceiptKind.BOUNCED_HARD: ErrorKind.HARD_BOUNCE,
    ReceiptKind.BOUNCED_SOFT: ErrorKind.SOFT_BOUNCE,
    ReceiptKind.BLOCKED: ErrorKind.BLOCKED,
}
FAILURES = {ReceiptKind.FAILED: ErrorKind.REFUSED, ReceiptKind.ACCOUNT: ErrorKind.ACCOUNT}


@transaction.atomic
def record_receipts(sender: Sender, receipts: Iterable[ReceiptEvent]) -> int:
    """Record receipts of a sender's provider; returns how many are new. A repeated one changes nothing."""
    fresh = _store(sender, list(receipts))
    _apply(sender, fresh)
    return len(fresh)


@transaction.atomic
def record_shared_receipts(receipts: Sequence[tuple[Sender, Sequence[ReceiptEvent]]]) -> None:
    """Record receipts that several senders could read, as they share a secret: the SMS and the WhatsApp of one account.

    Each belongs to the sender of its message, and to the first sender where the message is unknown.
    """
    home: dict[str, Sender] = {}
    for sender, theirs in receipts:
        known = _messages(sender, theirs)
        for each in theirs:
            if each.key in known or each.provider_id in known:
                home[each.event_id] = sender
            home.setdefault(each.event_id, sender)
    for sender, theirs in receipts:
        record_receipts(sender, [each for each in theirs if home[each.event_id] == sender])


@transaction.atomic
def match_late(now: datetime | None = None) -> int:
    """Apply receipts that came before the provider id of their message was recorded; returns how many found it."""
    waiting = (
        ProviderEvent.objects.select_for_update(skip_locked=True, of=("self",))
        .filter(execution=None, received_at__gte=(now or timezone.now()) - LATE)
        .exclude(provider_id="")
        .select_related("sender")
    )
    by_sender: dict[Sender, list[ProviderEvent]] = {}
    for each in waiting:
        by_sender.setdefault(each.sender, []).append(each)
    return sum(_apply(sender, theirs) for sender, theirs in by_sender.items())


def _store(sender: Sender, receipts: Sequence[ReceiptEvent]) -> list[ProviderEvent]:
    """Store new receipts, and apply at once those about an address and no message."""
    rows = {
        each.event_id[:LONGEST_ID]: ProviderEvent(
            sender=sender,
            event_id=each.event_id[:LONGEST_ID],
            kind=each.kind,
            key=_clean(each.key, 100),
            provider_id=_clean(each.provider_id, LONGEST_PROVIDER_ID),
            at=min(each.at or timezone.now(), timezone.now()),
            detail=_clean(each.detail, LONGEST_DETAIL),
            link=_clean(each.link, 2000),
            machine=each.machine or bool(each.user_agent and why_bot(each.user_agent)),
        )
        for each in receipts
    }
    fresh = _insert(list(rows.values()))
    for each in receipts:
        if each.event_id[:LONGEST_ID] in fresh and not each.key and not each.provider_id:
            _update_consent(sender, each)
    return [row for event_id, row in rows.items() if event_id in fresh]


def _insert(rows: Sequence[ProviderEvent]) -> set[str]:
    """Return the event ids of new receipts, whose rows get their keys."""
    fresh = set()
    with connection.cursor() as cursor:
        for row in rows:
            cursor.execute(
                """
                INSERT INTO marketing_providerevent (sender_id, event_id, kind, key, provider_id, at, detail, link, machine)
                VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
                ON CONFLICT (sender_id, event_id) DO NOTHING RETURNING id
                """,
                [
                    *(row.sender_id, row.event_id, row.kind, row.key, row.provider_id),
                    *(row.at, row.detail, row.link, row.machine),
                ],
            )
            if inserted := cursor.fetchone():
                row.pk = inserted[0]
                fresh.add(row.event_id)
    return fresh


def _apply(sender: Sender, receipts: Sequence[ProviderEvent]) -> int:
    """Apply receipts to the messages that are known by now; returns how many."""
    messages = _messages(sender, receipts)
    matched = []
    for each in receipts:
        if pk := messages.get(each.key) or messages.get(each.provider_id):
            each.execution_id = pk
            matched.append(each)
    ProviderEvent.objects.bulk_update(matched, ["execution"])
    record(
        _message_event(each)
        for each in sorted(matched, key=lambda each: each.at)
        if each.kind in TYPES
    )
    for each in matched:
        if each.kind in FAILURES and each.execution_id:
            kind = FAILURES[ReceiptKind(each.kind)]
            transitions.record_failure(each.execution_id, each.detail, kind)
    return len(matched)


def _messages(sender: Sender, receipts: Sequence[ProviderEvent | ReceiptEvent]) -> dict[str, int]:
    """Return the sender's messages by their key or their provider id."""
    named = {
        pk: each.key
        for each in receipts
        if each.key and (pk := ids.decode("msg", each.key)) is not None
    }
    provider_ids = {each.provider_id for each in receipts if each.provider_id}
    rows = CampaignExecution.objects.filter(
        Q(pk__in=named) | Q(provider_id__in=provider_ids, provider_id__gt=""), run__sender=sender
    ).values_list("pk", "provider_id")
    found: dict[str, int] = {}
    for pk, provider_id in rows:
        found[provider_id] = pk
        if pk in named:
            found[named[pk]] = pk
    found.pop("", None)
    return found


def _message_event(receipt: ProviderEvent) -> MessageEvent:
    kind = ReceiptKind(receipt.kind)
    assert receipt.execution_id
    return MessageEvent(
        receipt.execution_id,
        BY_MACHINE[kind] if receipt.machine and kind in BY_MACHINE else TYPES[kind],
        receipt.at,
        link=receipt.link,
        bounce=BOUNCES.get(kind, ErrorKind.HARD_BOUNCE),
        detail=receipt.detail,
    )


def _update_consent(sender: Sender, receipt: ReceiptEvent) -> None:
    """Opt out, or in again, an address that wrote so to the sender, and all customers who have it."""
    if not receipt.address:
        return
    evidence = f"{receipt.detail} to {sender.public_id}"
    at = receipt.at and min(receipt.at, timezone.now())
    if receipt.kind == ReceiptKind.UNSUBSCRIBED:
        consent.opt_out_addresses(sender.channel, [receipt.address], evidence, at=at)
    elif receipt.kind == ReceiptKind.SUBSCRIBED:
        consent.opt_in_addresses(sender.channel, [receipt.address], evidence, at=at)
    elif receipt.kind == ReceiptKind.UNCLEAR_REPLY:
        _open_ticket(sender, receipt)


def _open_ticket(sender: Sender, receipt: ReceiptEvent) -> None:
    """Open a service ticket for a reply that may be an opt-out, for a user to judge; a reply from an unknown number opens none."""
    column = ADDRESS_FIELDS[Channel(sender.channel)]
    customer = Customer.objects.filter(**{column: receipt.address}).order_by("pk").first()
    if customer is None:
        return
    ticket = clean_service(
        {
            "external_id": f"reply-{receipt.event_id}"[:LONGEST_ID],
            "customer_id": ids.encode("cus", customer.pk),
            "type": ServiceInteraction.Type.INQUIRY,
            "occurred_at": receipt.at or timezone.now(),
            "channel": sender.channel,
            "subject": gettext("Reply to check: opt-out?"),
            "message": receipt.text,
        }
    )
    record_service([ticket])


def _clean(text: str, longest: int) -> str:
    return text.replace("\x00", "").encode("utf-8", "replace").decode()[:longest]
