"""A description in English → rules, what was understood in words, and the words that were not used."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from customers.segments import references
from customers.segments.rules import RuleError
from customers.segments.sentence import sentence
from customers.segments.spans import site_zone
from customers.segments.text import gazetteer
from customers.segments.text.grammar import description as read
from customers.segments.text.lexer import tokens
from customers.segments.text.phrase import Phrase, Rule

LONGEST = 2_000
NO_ONE: Rule = {"operator": "OR", "conditions": []}


class TooLong(ValueError):
    """More than anybody describes an audience with."""

    def __init__(self) -> None:
        super().__init__(_("The description is longer than %s characters.") % f"{LONGEST:,}")


@dataclass(frozen=True, slots=True)
class Understood:
    """`rules` in canonical form, in words what they say, which words they leave out, and which of the two read them."""

    rules: dict[str, Any]
    explanation: str
    unparsed: list[str] = field(default_factory=list)
    source: str = "grammar"


def understand(description: str, *, now: datetime | None = None) -> Understood:
    """Read a description with the grammar. Where nothing is understood the rules match no one. Raises TooLong."""
    if len(description) > LONGEST:
        raise TooLong
    phrase = _phrase(description, now or timezone.now())
    found = read(phrase)
    unparsed = list(dict.fromkeys(token.text for token in phrase.unread))
    if found is None:
        return Understood(
            NO_ONE, _("Nothing of this was understood, so it matches no one."), unparsed
        )
    try:
        rules = references.check(_as_group(found))
    except RuleError as refused:
        told = _("This was understood, but does not fit: %s") % refused
        return Understood(NO_ONE, told, [token.text for token in phrase.tokens])
    return Understood(rules, explained(rules, list(phrase.notes), unparsed), unparsed)


def explained(rules: dict[str, Any], notes: list[str], unparsed: list[str]) -> str:
    """What the rules say, how it was come by, and what they leave out."""
    told = [f"{sentence(rules)}.", *notes]
    if unparsed:
        told.append(_("Not understood: %s.") % ", ".join(f"“{word}”" for word in unparsed))
    return " ".join(told)


def _phrase(description: str, now: datetime) -> Phrase:
    found = tokens(description)
    names = gazetteer.names_in(found, description)
    return Phrase(found, names, timezone.localdate(now, site_zone()))


def _as_group(rule: Rule) -> Rule:
    return rule if "conditions" in rule else {"operator": "AND", "conditions": [rule]}
