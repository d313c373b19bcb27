"""A message in the hands of a worker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(slots=True)
class Held:
    """What sending looks at of a message and its person: rows of the models take five times as long to read.

    `person` has what marketing.content.context reads of a customer, and the time zone.
    """

    pk: int
    customer_id: int
    address: str
    variant: str
    attempts: int
    person: Mapping[str, Any]
