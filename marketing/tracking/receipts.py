"""What providers tell of messages: each thing once, of whichever message, as soon as it is known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from crm.api import ids
from customers import consent
from customers.models import Customer
from customers.models.consent import ADDRESS_FIELDS, Channel
from customers.timeline import types
from marketing.channels import ReceiptEvent, ReceiptKind
from marketing.messages import transitions
from marketing.models import CampaignExecution, ProviderEvent, Sender
from marketing.tracking.bots import why_machine
from marketing.tracking.engagement import Happening, record

ErrorKind = CampaignExecution.ErrorKind

LATE = timedelta(hours=1)
"""How long what was told before our own note of it waits for its message."""
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


@transaction.atomic
def take_in(sender: Sender, told: Iterable[ReceiptEvent]) -> int:
    """Note what the provider of a sender tells; returns how much of it is new. What was told before changes nothing."""
    fresh = _keep(sender, list(told))
    _apply(sender, fresh)
    return len(fresh)


@transaction.atomic
def take_in_all(told: Sequence[tuple[Sender, Sequence[ReceiptEvent]]]) -> None:
    """take_in() for senders who share a secret, such as the SMS and the WhatsApp of one account: each thing is for the one whose
    message it is about, and for the first where that is not known."""
    home: dict[str, Sender] = {}
    for sender, theirs in told:
        known = _messages(sender, theirs)
        for each in theirs:
            if each.key in known or each.provider_id in known:
                home[each.event_id] = sender
            home.setdefault(each.event_id, sender)
    for sender, theirs in told:
        take_in(sender, [each for each in theirs if home[each.event_id] == sender])


@transaction.atomic
def match_late(now: datetime | None = None) -> int:
    """Look again for the messages of what was told before we had noted the provider's name for them; returns how many were found."""
    waiting = (
        ProviderEvent.objects.select_for_update(skip_locked=True, of=("self",))
        .filter(execution=None, received_at__gte=(now or timezone.now()) - LATE)
        .exclude(provider_id="")
        .select_related("sender")
    )
    by_sender: dict[Sender, list[ProviderEvent]] = {}
    for each in waiting:
        by_sender.setdefault(each.sender, []).append(each)
    return sum(_apply(sender, told) for sender, told in by_sender.items())


def _keep(sender: Sender, told: Sequence[ReceiptEvent]) -> list[ProviderEvent]:
    """Write down what is new, and act at once on what is about an address and no message."""
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
            machine=each.machine or bool(each.user_agent and why_machine(each.user_agent)),
        )
        for each in told
    }
    fresh = _insert(list(rows.values()))
    for each in told:
        if each.event_id[:LONGEST_ID] in fresh and not each.key and not each.provider_id:
            _heed(sender, each)
    return [row for event_id, row in rows.items() if event_id in fresh]


def _insert(rows: Sequence[ProviderEvent]) -> set[str]:
    """The ids of those that were not there; the rows get their keys."""
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


def _apply(sender: Sender, told: Sequence[ProviderEvent]) -> int:
    """Let what was told take effect on the messages that are known by now; returns on how many things that was."""
    messages = _messages(sender, told)
    matched = []
    for each in told:
        if pk := messages.get(each.key) or messages.get(each.provider_id):
            each.execution_id = pk
            matched.append(each)
    ProviderEvent.objects.bulk_update(matched, ["execution"])
    record(
        _happening(each) for each in sorted(matched, key=lambda each: each.at) if each.kind in TYPES
    )
    for each in matched:
        if each.kind == ReceiptKind.FAILED and each.execution_id:
            transitions.record_failure(each.execution_id, each.detail)
    return len(matched)


def _messages(sender: Sender, told: Sequence[ProviderEvent | ReceiptEvent]) -> dict[str, int]:
    """The message by our name for it or the provider's, among those that this sender sent."""
    named = {
        pk: each.key
        for each in told
        if each.key and (pk := ids.decode("msg", each.key)) is not None
    }
    provider_ids = {each.provider_id for each in told if each.provider_id}
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


def _happening(told: ProviderEvent) -> Happening:
    kind = ReceiptKind(told.kind)
    assert told.execution_id
    return Happening(
        told.execution_id,
        BY_MACHINE[kind] if told.machine and kind in BY_MACHINE else TYPES[kind],
        told.at,
        link=told.link,
        bounce=BOUNCES.get(kind, ErrorKind.HARD_BOUNCE),
        said=told.detail,
    )


def _heed(sender: Sender, told: ReceiptEvent) -> None:
    """Somebody wrote that they want no more, or messages again: so it is for everybody with the address, on the sender's channel."""
    column = ADDRESS_FIELDS.get(Channel(sender.channel))
    if not told.address or not column:
        return
    people = Customer.objects.filter(**{column: told.address})
    evidence = f"{told.detail} to {sender.public_id}"
    if told.kind == ReceiptKind.UNSUBSCRIBED:
        consent.opt_out_many(list(people.values_list("pk", flat=True)), sender.channel, evidence)
    elif told.kind == ReceiptKind.SUBSCRIBED:
        out = people.filter(opted_out_channels__contains=[sender.channel])
        consent.opt_in_many(list(out.values_list("pk", flat=True)), sender.channel, evidence)


def _clean(text: str, longest: int) -> str:
    return text.replace("\x00", "").encode("utf-8", "replace").decode()[:longest]
