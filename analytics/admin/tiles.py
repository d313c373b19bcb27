"""Headline figures as tiles: a number, what it was before, and its course."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from crm.adminkit import display

BEFORE = _("Against the time before")


@dataclass(frozen=True, slots=True)
class Change:
    """A rate against another time, as `against` says; rising is good for all that is shown."""

    rate: str
    rises: bool
    against: str | Promise


@dataclass(frozen=True, slots=True)
class Tile:
    name: str | Promise
    number: str
    note: str = ""
    change: Change | None = None
    label: SafeString | str = ""
    spark: str = ""


def change(
    now: Decimal | int | None,
    before: Decimal | int | None,
    against: str | Promise = BEFORE,
) -> Change | None:
    """None where there was nothing before to compare with."""
    if not before or before < 0 or now is None:
        return None
    return Change(display.rate(abs(Decimal(now) - before), before), now >= before, against)


def spark(values: Sequence[Decimal | int]) -> str:
    """The path of an area 100 wide and 30 high, highest value at the top; "" where all is nothing."""
    highest = max(values, default=0)
    if highest <= 0 or len(values) < 2:
        return ""
    step = 100 / (len(values) - 1)
    points = (
        f"{place * step:.1f},{30 - 28 * max(float(value), 0.0) / float(highest):.1f}"
        for place, value in enumerate(values)
    )
    return f"M0,30 L{' '.join(points)} L100,30 Z"
