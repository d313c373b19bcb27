"""Opaque public ids: a kind and a shuffled number, such as `cus_7Kd92LmQ`."""

from __future__ import annotations

from sqids import Sqids

IN_PATH = r"[^/\x00]+"
"""An object in a path: a public id, or an id of another system. PostgreSQL has no text with a NUL."""

ALPHABET = "bcdfghjkmnpqrstvwxzBCDFGHJKLMNPQRSTVWXZ23456789"
"""Without vowels no id is a word, and sqids needs no list of blocked words, which takes four fifths of its time."""
FIRST = 14_142_135_623
"""Added to a key, for ids of eight characters; padding shorter ones takes sqids most of its time."""
LARGEST = 2**63 - 1 - FIRST
"""The largest key with an id, almost the largest bigint."""

_sqids = Sqids(alphabet=ALPHABET, blocklist=[])


def encode(kind: str, pk: int) -> str:
    """Return the public id of a key, as `encode("cus", 42)`."""
    return f"{kind}_{_sqids.encode([FIRST + pk])}"


def decode(kind: str, text: str) -> int | None:
    """Return the key of a public id; None for another kind or an invalid id."""
    prefix, _, body = text.partition("_")
    numbers = _sqids.decode(body) if prefix == kind else []
    if (
        len(numbers) != 1
        or not 0 <= numbers[0] - FIRST <= LARGEST
        or _sqids.encode(numbers) != body
    ):
        return None
    return numbers[0] - FIRST
