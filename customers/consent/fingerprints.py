"""Keyed hashes of the ids of erased people, which are neither imported nor written to again.

The key is derived from SECRET_KEY; with another key, erased addresses are forgotten.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from functools import lru_cache

from django.conf import settings
from django.utils.crypto import salted_hmac

from customers.models import ErasedAddress


def remember_erased(values: Iterable[str]) -> None:
    """Refuse these external ids, e-mails and phones from now on."""
    ErasedAddress.objects.bulk_create(
        [ErasedAddress(digest=_digest(value)) for value in set(values)], ignore_conflicts=True
    )


def forget_erased(values: Iterable[str | None]) -> None:
    """Accept these ids again, because the person came back."""
    ErasedAddress.objects.filter(pk__in=[_digest(value) for value in values if value]).delete()


def erased_among(values: Iterable[str | None]) -> set[str]:
    """Return the values that belong to erased people. Causes one SQL query, or two where anybody was erased."""
    if not ErasedAddress.objects.exists():
        return set()
    by_digest = {_digest(value): value for value in values if value}
    found = ErasedAddress.objects.filter(pk__in=list(by_digest)).values_list("pk", flat=True)
    return {by_digest[bytes(digest)] for digest in found}


def _digest(value: str) -> bytes:
    return hmac.digest(_key(settings.SECRET_KEY), value.strip().casefold().encode(), "sha256")


@lru_cache
def _key(secret: str) -> bytes:
    return salted_hmac("kindling.erased", "", secret=secret, algorithm="sha256").digest()
