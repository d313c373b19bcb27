"""Opaque public ids: a kind and a shuffled number, such as `cus_7Kd92LmQ`."""

from __future__ import annotations

from sqids import Sqids

IN_PATH = r"[^/\x00]+"
"""What may stand for a thing in a path: an id of ours or of another system. PostgreSQL has no text with a NUL."""

FIRST = 1_732_050_807_568
"""What is added to a key, for ids of eight characters that look alike: the library takes most of its time to fill up shorter ones."""
LARGEST = 2**63 - 1 - FIRST
"""Of the keys that have an id: nearly all that the database has."""

_sqids = Sqids()


def encode(kind: str, pk: int) -> str:
    """`encode("cus", 42)` is what the outside sees of customer 42."""
    return f"{kind}_{_sqids.encode([FIRST + pk])}"


def decode(kind: str, text: str) -> int | None:
    """The key behind a public id, or None for another kind or anything that `encode` never gives."""
    prefix, _, body = text.partition("_")
    numbers = _sqids.decode(body) if prefix == kind else []
    if (
        len(numbers) != 1
        or not 0 <= numbers[0] - FIRST <= LARGEST
        or _sqids.encode(numbers) != body
    ):
        return None
    return numbers[0] - FIRST
