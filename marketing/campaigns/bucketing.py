"""Chance that is always the same for one person and purpose: who is held out, who is in the test, and with which variant.

A lot is the first 32 bits of MD5 of a salt and the customer's id, as a fraction: even, the same on every machine and version, and
independent between salts. Nobody has to remember it.
"""

from __future__ import annotations

import hashlib

_RANGE = 2**32


def salt(purpose: str, campaign_id: int) -> str:
    """What makes the lots of one purpose in one campaign independent of all others."""
    return f"{purpose}:{campaign_id}:"


def sql(customer_id: str) -> str:
    """The lot of the customer whose id this SQL says, from 0 up to 1, as SQL with the salt as its one parameter."""
    return f"(('x' || substr(md5(%s || {customer_id}), 1, 8))::bit(32)::bigint / {_RANGE}.0)"


def lot(salt: str, customer_id: int) -> float:
    """What sql() answers for the customer."""
    digest = hashlib.md5(f"{salt}{customer_id}".encode(), usedforsecurity=False)
    return int(digest.hexdigest()[:8], 16) / _RANGE
