"""Correct misspelled words of a description to known words, and say so."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from django.utils.translation import gettext as _
from rapidfuzz import fuzz, process

from customers.segments.from_text import gazetteer
from customers.segments.from_text.phrase import Token

SIMILARITY = 84
"""Percent of the letters that must agree: "older" is not "order"."""
SHORTEST = 4
_WORDS = (
    "active after aged april august average before between birthday bought buyers champions churn churned clicked"
    " coffee contains countries country customers days december dollars email emails engaged engagement euros"
    " everyone except exactly excluding february field friday gmail haven inactive interested january july june"
    " language last leads least less lifetime likely living located loyal march members message messages monday"
    " month months more most never newsletter november october once opened order ordered orders people pounds"
    " product products purchase purchased purchases quarter received recent registered satisfaction saturday score"
    " segment september shopped signed since spend spending spent spenders sms source subscribed subscribers"
    " subscriber sunday tagged than thursday total tuesday twice under unsubscribed visited visits wednesday week"
    " weeks whatsapp where whose with within without year years yesterday"
)


class Corrected(NamedTuple):
    text: str
    notes: list[str]


def corrected(description: str, unread: Iterable[Token]) -> Corrected | None:
    """Replace unread words by similar known words; None if no word is similar."""
    candidates = [token for token in unread if len(token.word) >= SHORTEST and token.word.isalpha()]
    if not candidates:
        return None
    known = {
        word.casefold(): word
        for word in [
            *gazetteer.names_beginning_like(token.word for token in candidates),
            *_WORDS.split(),
        ]
    }
    text, notes = description, []
    for token in sorted(candidates, key=lambda token: -token.start):
        meant = None if token.word in known else _most_similar(token.word, known)
        if meant is not None:
            text = text[: token.start] + known[meant] + text[token.end :]
            notes.append(
                _("“%(written)s” is read as “%(meant)s”.")
                % {"written": token.text, "meant": known[meant]}
            )
    return Corrected(text, notes[::-1]) if notes else None


def _most_similar(written: str, known: Iterable[str]) -> str | None:
    """Return the most similar word, first of all one of the same letters: swapped letters are the commonest slip."""
    known = list(known)
    letters = sorted(written)
    for word in known:
        if word[:1] == written[:1] and sorted(word) == letters:
            return word
    found = process.extractOne(written, known, scorer=fuzz.ratio, score_cutoff=SIMILARITY)
    return found[0] if found else None
