"""Opt-outs and erasures by address: they hold for every customer who has it, now or later.

Opt-outs survive a merge, a deletion and an erasure. Erased ids are neither imported nor written to again; of them, keyed hashes are
stored. The key of the hashes is random and sealed (ErasureKey), so that it outlives every SECRET_KEY.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from django.db import connection, transaction
from django.utils.translation import gettext as _

from crm import credentials
from customers import clean
from customers.models import AddressOptOut, ErasedAddress, ErasureKey
from customers.models.consent import Channel

Entry = tuple[str, str, str]
"""Channel, topic, address."""

_ADDRESS = {
    Channel.EMAIL.value: "lower(customer.email)",
    Channel.SMS.value: "nullif(customer.phone, '')",
    Channel.WHATSAPP.value: "nullif(customer.phone, '')",
}
"""The address of a customer in SQL, by channel. Push has none: its addresses belong to browsers."""


def remember_opt_out(
    channel: str,
    topic: str,
    addresses: Collection[str],
    evidence: str,
    *,
    at: datetime | None = None,
) -> None:
    """Remember that the owner of these addresses opted out, now or at a time in the past."""
    rows = [(channel, topic, address) for address in sorted(_folded(addresses))]
    with connection.cursor() as cursor:
        cursor.executemany(
            """
            INSERT INTO customers_addressoptout AS known (channel, topic, address, evidence, decided_at)
            VALUES (%s, %s, %s, %s, coalesce(%s::timestamptz, statement_timestamp()))
            ON CONFLICT (address, channel, topic) DO UPDATE SET evidence = excluded.evidence, decided_at = excluded.decided_at
            WHERE known.decided_at <= excluded.decided_at
            """,
            [(*row, evidence, at) for row in rows],
        )


def forget_opt_out(
    channel: str, topic: str, addresses: Collection[str], *, at: datetime | None = None
) -> None:
    """Forget the opt-outs of addresses, because their owners opted in again, now or at a time in the past: later opt-outs stay."""
    found = AddressOptOut.objects.filter(
        channel=channel, topic=topic, address__in=_folded(addresses)
    )
    (found.filter(decided_at__lte=at) if at else found).delete()


def opt_outs_of(addresses: Collection[str]) -> list[Entry]:
    """Return the opt-outs of these addresses."""
    found = AddressOptOut.objects.filter(address__in=_folded(addresses))
    return list(found.values_list("channel", "topic", "address"))


def customers_with(channel: str, addresses: Collection[str]) -> list[int]:
    """Return ids of customers who have one of the addresses now."""
    if channel not in _ADDRESS:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id FROM customers_customer customer WHERE {_ADDRESS[channel]} = ANY(%s)",
            [list(_folded(addresses))],
        )
        return [row[0] for row in cursor.fetchall()]


def addresses_of(channel: str, customer_ids: Sequence[int]) -> list[str]:
    """Return the addresses of customers on a channel."""
    if channel not in _ADDRESS:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {_ADDRESS[channel]} FROM customers_customer customer WHERE id = ANY(%s)",
            [list(customer_ids)],
        )
        return [row[0] for row in cursor.fetchall() if row[0]]


def append_opt_outs(customer_ids: Sequence[int]) -> list[int]:
    """Append the opt-outs of their addresses to customers who have none of their own; returns ids of such customers.

    For a customer who opted in with another address, the opt-out counts from now on.
    """
    if not AddressOptOut.objects.exists():
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO customers_consent (customer_id, channel, topic, decision, evidence, decided_at)
            SELECT customer_id, channel, topic, 'opted_out', evidence,
                   CASE WHEN newest.decision IS NULL THEN found.decided_at ELSE statement_timestamp() END
            FROM (
                SELECT customer.id AS customer_id, o.* FROM customers_customer customer
                JOIN customers_addressoptout o ON o.address = lower(customer.email) AND o.channel = 'email'
                WHERE customer.id = ANY(%(ids)s)
                UNION ALL
                SELECT customer.id, o.* FROM customers_customer customer
                JOIN customers_addressoptout o ON o.address = customer.phone AND o.channel IN ('sms', 'whatsapp')
                WHERE customer.id = ANY(%(ids)s)
            ) found
            LEFT JOIN LATERAL (
                SELECT decision FROM customers_consent
                WHERE customer_id = found.customer_id AND channel = found.channel AND topic = found.topic AND NOT restated
                ORDER BY decided_at DESC, id DESC LIMIT 1
            ) newest ON true
            WHERE newest.decision IS NULL OR newest.decision = 'opted_in'
            RETURNING customer_id
            """,
            {"ids": list(customer_ids)},
        )
        return [row[0] for row in cursor.fetchall()]


def remember_erased(values: Iterable[str]) -> None:
    """Refuse these external ids, e-mails and phones from now on, and remember the opt-outs of the addresses among them."""
    given = set(values)
    opt_outs: dict[str, list[list[str]]] = {}
    for channel, topic, address in opt_outs_of(given):
        opt_outs.setdefault(address, []).append([channel, topic])
    new_key = credentials.seal(secrets.token_hex(32))
    ErasureKey.objects.get_or_create(defaults={"sealed": new_key})
    ErasedAddress.objects.bulk_create(
        [
            ErasedAddress(digest=digest, opt_outs=opt_outs.get(clean.comparable(value), []))
            for digest, value in _by_digest(given).items()
        ],
        ignore_conflicts=True,
    )


def forget_erased(values: Iterable[str | None]) -> None:
    """Accept these ids again, because the person came back; opt-outs from before hold again (hold_opt_outs)."""
    by_digest = _by_digest(values)
    erased = ErasedAddress.objects.filter(pk__in=list(by_digest))
    for digest, opt_outs in erased.exclude(opt_outs=[]).values_list("pk", "opt_outs"):
        address = by_digest[bytes(digest)]
        for channel, topic in opt_outs:
            remember_opt_out(channel, topic, [address], _("before the erasure"))
    erased.delete()


@transaction.atomic
def forget_all_erased() -> None:
    """Forget all erased ids and their key, because the key cannot be read any more."""
    ErasedAddress.objects.all().delete()
    ErasureKey.objects.all().delete()


def erased_among(values: Iterable[str | None]) -> set[str]:
    """Return the values that belong to erased people. Causes one SQL query, or two after an erasure.

    Raises credentials.Unreadable where the key of the hashes is gone.
    """
    if not (by_digest := _by_digest(values)):
        return set()
    found = ErasedAddress.objects.filter(pk__in=list(by_digest)).values_list("pk", flat=True)
    return {by_digest[bytes(digest)] for digest in found}


def _folded(addresses: Collection[str]) -> set[str]:
    return {clean.comparable(each) for each in addresses} - {""}


def _by_digest(values: Iterable[str | None]) -> dict[bytes, str]:
    """Return the values by their keyed hash; none before the first erasure."""
    sealed = ErasureKey.objects.values_list("sealed", flat=True).first()
    if sealed is None:
        return {}
    key = bytes.fromhex(credentials.read(sealed))
    return {
        hmac.digest(key, clean.comparable(value).encode(), "sha256"): value
        for value in values
        if value
    }
