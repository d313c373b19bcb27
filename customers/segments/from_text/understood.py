"""What came of reading a description."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from django.utils.translation import gettext as _

from customers.segments.language.describe import describe

NO_ONE: dict[str, Any] = {"operator": "OR", "conditions": []}

Source = Literal["grammar", "model"]


@dataclass(frozen=True, slots=True)
class Understood:
    """`rules` in canonical form, in words what they say, which words they leave out, and which of the two read them."""

    rules: dict[str, Any]
    explanation: str
    unparsed: list[str] = field(default_factory=list)
    source: Source = "grammar"


def explained(rules: dict[str, Any], notes: Sequence[str], unparsed: Sequence[str]) -> str:
    """What the rules say, how it was come by, and what they leave out."""
    told = [f"{describe(rules)}.", *notes]
    if unparsed:
        told.append(_("Not understood: %s.") % ", ".join(f"“{word}”" for word in unparsed))
    return " ".join(told)
