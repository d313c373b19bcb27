"""The suppression list: addresses that get no messages, whichever customer has them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.db import connection
from django.db.models.functions import Lower

from customers import clean
from customers.consent.by_address import erased_among
from customers.models import Suppression
from customers.models.consent import ADDRESS_FIELDS, Channel

LONGEST_EVIDENCE = 500
BATCH = 10_000

_BETWEEN = re.compile(r"[\n\r,;\t]+")


@dataclass(slots=True)
class Suppressed:
    """The result of adding a list: new addresses, known ones, and invalid entries."""

    added: int = 0
    known: int = 0
    refused: list[str] = field(default_factory=list)


def suppress(channel: str, address: str, reason: str, evidence: str) -> None:
    """Never write to this address again; what is suppressed already stays as it is."""
    _insert(channel, [address], reason, evidence)


def suppress_many(
    channel: str, given: Iterable[str], *, reason: str = Suppression.Reason.MANUAL, evidence: str
) -> Suppressed:
    """Suppress a list of addresses, normalised and each once; invalid entries are returned as refused."""
    outcome = Suppressed()
    fresh: dict[str, None] = {}
    for text in given:
        try:
            fresh[normalised(channel, text)] = None
        except ValueError:
            outcome.refused.append(text)
    addresses = list(fresh)
    for start in range(0, len(addresses), BATCH):
        batch = addresses[start : start + BATCH]
        added = _insert(channel, batch, reason, evidence)
        outcome.added += added
        outcome.known += len(batch) - added
    return outcome


def blocks(channel: str, address: str) -> bool:
    """Return whether the address is suppressed or belongs to an erased person."""
    suppressed = Suppression.objects.alias(folded=Lower("address")).filter(
        channel=channel, folded=clean.comparable(address)
    )
    return suppressed.exists() or bool(erased_among([address]))


def normalised(channel: str, address: str) -> str:
    """Return the stored form of an address: e-mail in lower case, phone in E.164. Raises ValueError for an invalid one."""
    kept_in = ADDRESS_FIELDS.get(Channel(channel))
    if kept_in == "email":
        return clean.email(address)
    if kept_in == "phone":
        return clean.phone(address, "")
    if not (text := address.strip()):
        raise ValueError(address)
    return text[:320]


def addresses_in(text: str) -> list[str]:
    """Return the addresses of a text: one a line, or separated by commas, semicolons or tabs."""
    parts = (part.strip().strip("\"'<>").strip() for part in _BETWEEN.split(text))
    return [part for part in parts if part]


def _insert(channel: str, addresses: Sequence[str], reason: str, evidence: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO customers_suppression (channel, address, reason, evidence)
            SELECT %s, address, %s, %s FROM unnest(%s::varchar[]) AS given(address)
            ON CONFLICT DO NOTHING
            """,
            [channel, reason, evidence[:LONGEST_EVIDENCE], list(addresses)],
        )
        return cursor.rowcount
