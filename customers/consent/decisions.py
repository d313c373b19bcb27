"""Decisions of customers and staff about channels and topics: opt-outs, opt-ins, and requests to confirm."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from django.db import connection, transaction

from customers.consent import by_address
from customers.consent.reach import topic_key
from customers.consent.records import (
    LONGEST_EVIDENCE,
    OPTED_IN,
    OPTED_OUT,
    PENDING,
    append,
    emit,
    undecided,
    without_later_opt_in,
)
from customers.models import Consent, Customer
from customers.timeline import types


def opt_out(customer_id: int, channel: str, evidence: str, *, topic: str = "") -> None:
    """Opt a customer out of a topic, or without a topic out of the channel."""
    opt_out_many([customer_id], channel, evidence, topic=topic)


def opt_in(customer_id: int, channel: str, evidence: str, *, topic: str = "") -> None:
    """Opt a customer in to a topic, or without a topic in to the channel."""
    opt_in_many([customer_id], channel, evidence, topic=topic)


def opt_out_many(
    customer_ids: Sequence[int],
    channel: str,
    evidence: str,
    *,
    topic: str = "",
    at: datetime | None = None,
) -> None:
    """Opt many customers out, now or at a time in the past; emits CUSTOMER_UNSUBSCRIBED for each changed one.

    A customer who opted in after that time stays opted in.
    """
    with transaction.atomic():
        locked = without_later_opt_in(_lock(customer_ids), channel, topic, at)
        news = undecided(locked, channel, OPTED_OUT, topic=topic)
        append(locked, channel, OPTED_OUT, evidence, topic=topic, at=at)
        emit(types.CUSTOMER_UNSUBSCRIBED, news, channel, topic)


def opt_out_addresses(
    channel: str,
    addresses: Collection[str],
    evidence: str,
    *,
    topic: str = "",
    customer_ids: Sequence[int] = (),
    at: datetime | None = None,
) -> None:
    """Opt out these customers and every other customer who has one of the addresses, now or later.

    `at` is the time of the opt-out, if it is reported afterwards: one whose owner opted in since then counts for nothing.
    """
    with transaction.atomic():
        owners = {*customer_ids, *by_address.customers_with(channel, addresses)}
        leaving = without_later_opt_in(sorted(owners), channel, topic, at)
        if owners and not leaving:
            return
        by_address.remember_opt_out(channel, topic, addresses, evidence[:LONGEST_EVIDENCE], at=at)
        others = [pk for pk in leaving if pk not in customer_ids]
        others = undecided(others, channel, OPTED_OUT, topic=topic)
        opt_out_many([*customer_ids, *others], channel, evidence, topic=topic, at=at)


def opt_out_with_address(customer_id: int, channel: str, evidence: str, *, topic: str = "") -> None:
    """Opt out a customer and every other one who has the customer's address, now or later."""
    addresses = by_address.addresses_of(channel, [customer_id])
    opt_out_addresses(channel, addresses, evidence, topic=topic, customer_ids=[customer_id])


def opt_in_many(
    customer_ids: Sequence[int],
    channel: str,
    evidence: str,
    *,
    topic: str = "",
    at: datetime | None = None,
) -> None:
    """Opt many customers in, now or at a time in the past.

    Earlier opt-outs of the customers and of their addresses end.
    """
    with transaction.atomic():
        locked = _lock(customer_ids)
        append(locked, channel, OPTED_IN, evidence, topic=topic, at=at)
        addresses = by_address.addresses_of(channel, locked)
        by_address.forget_opt_out(channel, topic, addresses, at=at)


def opt_in_addresses(
    channel: str, addresses: Collection[str], evidence: str, *, at: datetime | None = None
) -> None:
    """Opt in the customers with these addresses who had opted out, and end the opt-outs of the addresses.

    `at` is the time of the opt-in, if it is reported afterwards: an opt-out since then stays.
    """
    with transaction.atomic():
        owners = Customer.objects.filter(
            pk__in=by_address.customers_with(channel, addresses),
            opted_out_channels__contains=[channel],
        )
        opt_in_many(list(owners.values_list("pk", flat=True)), channel, evidence, at=at)
        by_address.forget_opt_out(channel, "", addresses, at=at)


def ask_many(customer_ids: Sequence[int], channel: str, evidence: str) -> None:
    """Ask customers who have not opted in to confirm (CONSENT_REQUESTED); until then they are pending and get nothing."""
    with transaction.atomic():
        locked = _lock(customer_ids)
        asked = undecided(locked, channel, OPTED_IN)
        append(asked, channel, PENDING, evidence)
        emit(types.CONSENT_REQUESTED, asked, channel, "")


def opt_out_of(customer_id: int, channel: str, topic: str = "") -> Consent | None:
    """Return the newest opt-out of a customer from a channel or topic, None where it is not closed by one."""
    newest = Consent.objects.filter(customer=customer_id, channel=channel, topic=topic)
    closed = "opted_out_topics" if topic else "opted_out_channels"
    key = topic_key(channel, topic) if topic else channel
    return (
        newest.filter(decision=OPTED_OUT, **{f"customer__{closed}__contains": [key]})
        .order_by("-decided_at", "-pk")
        .first()
    )


def _lock(customer_ids: Sequence[int]) -> list[int]:
    """Return the existing customers, locked in the order of ids so that two batches never deadlock."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM customers_customer WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE",
            [list(customer_ids)],
        )
        return [row[0] for row in cursor.fetchall()]
