"""The result of reading a description."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from django.utils.translation import gettext as _

from customers.segments.language.describe import describe

NO_ONE: dict[str, Any] = {"operator": "OR", "conditions": []}

ReadBy = Literal["grammar", "model"]


@dataclass(frozen=True, slots=True)
class Understood:
    """Canonical rules, their explanation, the words they leave out, and the reader: grammar or model."""

    rules: dict[str, Any]
    explanation: str
    unparsed: list[str] = field(default_factory=list)
    source: ReadBy = "grammar"


def explained(rules: dict[str, Any], notes: Sequence[str], unparsed: Sequence[str]) -> str:
    """Return the explanation: the rules in words, the notes, and the words left out."""
    sentences = [f"{describe(rules)}.", *notes]
    if unparsed:
        sentences.append(_("Not understood: %s.") % ", ".join(f"“{word}”" for word in unparsed))
    return " ".join(sentences)
