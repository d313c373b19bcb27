"""Slips of the pen: a word that means nothing is taken for a known one that is nearly the same, and the reader is told."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import NamedTuple

from django.utils.translation import gettext as _

from customers.segments.from_text import gazetteer
from customers.segments.from_text.lexer import Token

LIKENESS = 0.8
CERTAIN_LIKENESS = 0.84
SHORTEST = 4
_KNOWN = [
    "active",
    "after",
    "aged",
    "april",
    "august",
    "average",
    "before",
    "between",
    "birthday",
    "bought",
    "buyers",
    "champions",
    "churn",
    "churned",
    "clicked",
    "coffee",
    "contains",
    "countries",
    "country",
    "customers",
    "days",
    "december",
    "dollars",
    "email",
    "emails",
    "engaged",
    "engagement",
    "euros",
    "everyone",
    "except",
    "exactly",
    "excluding",
    "february",
    "field",
    "friday",
    "gmail",
    "haven",
    "inactive",
    "interested",
    "january",
    "july",
    "june",
    "language",
    "last",
    "leads",
    "least",
    "less",
    "lifetime",
    "likely",
    "living",
    "located",
    "loyal",
    "march",
    "members",
    "message",
    "messages",
    "monday",
    "month",
    "months",
    "more",
    "most",
    "never",
    "newsletter",
    "november",
    "october",
    "once",
    "opened",
    "order",
    "ordered",
    "orders",
    "people",
    "pounds",
    "product",
    "products",
    "purchase",
    "purchased",
    "purchases",
    "quarter",
    "received",
    "recent",
    "registered",
    "satisfaction",
    "saturday",
    "score",
    "segment",
    "september",
    "shopped",
    "signed",
    "since",
    "spend",
    "spending",
    "spent",
    "spenders",
    "sms",
    "source",
    "subscribed",
    "subscribers",
    "subscriber",
    "sunday",
    "tagged",
    "than",
    "thursday",
    "total",
    "tuesday",
    "twice",
    "under",
    "unsubscribed",
    "visited",
    "visits",
    "wednesday",
    "week",
    "weeks",
    "whatsapp",
    "where",
    "whose",
    "with",
    "within",
    "without",
    "year",
    "years",
    "yesterday",
]


class Corrected(NamedTuple):
    text: str
    notes: list[str]


def corrected(description: str, unread: Iterable[Token]) -> Corrected | None:
    """The description with known words in the place of those that were not understood; None where no word is near."""
    text, notes = description, []
    candidates = [token for token in unread if len(token.word) >= SHORTEST and token.word.isalpha()]
    if not candidates:
        return None
    known = {
        word.casefold(): word
        for word in [*gazetteer.names_beginning_like(token.word for token in candidates), *_KNOWN]
    }
    slips = [token for token in candidates if token.word not in known]
    for token in sorted(slips, key=lambda token: -token.start):
        near = [word for word in _alike(token.word, known) if _is_slip(token.word, word)]
        if near:
            text = text[: token.start] + known[near[0]] + text[token.end :]
            notes.append(
                _("“%(written)s” is read as “%(meant)s”.")
                % {"written": token.text, "meant": known[near[0]]}
            )
    return Corrected(text, notes[::-1]) if notes else None


def _alike(written: str, known: Iterable[str]) -> list[str]:
    """The most alike words; first those of the same letters, since two that changed places are the commonest slip."""
    known = list(known)
    letters = sorted(written)
    shuffled = [word for word in known if word[:1] == written[:1] and sorted(word) == letters]
    return [*shuffled, *difflib.get_close_matches(written, known, n=3, cutoff=LIKENESS)]


def _is_slip(written: str, word: str) -> bool:
    """Letters changed places, or nearly all of them are there: "older" is not "order"."""
    if sorted(written) == sorted(word):
        return written != word
    return difflib.SequenceMatcher(None, written, word).ratio() >= CERTAIN_LIKENESS
