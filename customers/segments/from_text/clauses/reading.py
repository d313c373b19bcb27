"""Small readings that clauses share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from customers.segments.from_text.amounts import Amount, amount, with_afterthought
from customers.segments.from_text.conditions import (
    all_of,
    any_of,
    attribute,
    compared,
    in_period,
    not_,
)
from customers.segments.from_text.periods import Period, period
from customers.segments.from_text.phrase import Phrase, Rule
from customers.segments.language import fields

IS = "(?:which |that |who )?(?:is|are|was|were|of|at(?! (?:least|most|or|a |the ))|has been|=|:|equals|as)"
_KNOWN = (
    "(?:known|set|given|filled in|filled|available|present|on file|not empty|not missing|there)"
)
_UNKNOWN = (
    "(?:unknown|missing|empty|blank|not set|not known|not given|unset|not available|not on file)"
)


def is_known(field: str) -> bool:
    """Whether rules can ask about the field."""
    return fields.find(field) is not None


def remember(phrase: Phrase, read: Callable[[Phrase], Rule | None], rule: Rule) -> Rule:
    """`read` takes what follows without its verb: the hats of "bought shoes but not hats"."""
    phrase.again = read
    return rule


def listed(phrase: Phrase, one: Callable[[Phrase], str | None]) -> tuple[list[str], bool] | None:
    """A, B and C; and whether all are meant ("and") or any ("or")."""
    found: list[str] = []
    wants_all = False
    while True:
        with phrase.attempt() as attempt:
            joint = (
                phrase.take(
                    "(?:, )?(?:or|and|&|nor|as well as|and/or)(?: (?:in|from|by|also|the|either))?|,"
                )
                if found
                else None
            )
            if found and joint is None:
                break
            value = one(phrase)
            if value is not None:
                attempt.keep()
                found.append(value)
                wants_all = bool(
                    joint
                    and joint[0] != ","
                    and " or" not in f" {joint[0]}"
                    and "nor" not in joint[0]
                ) or (wants_all and joint is not None and joint[0] == ",")
        if value is None:
            break
    return (found, wants_all) if found else None


def number_of(field: str) -> Callable[[Phrase], Rule | None]:
    """Reads "is over 5", "5 or more", "is not known" of a number that a field holds."""

    def read(phrase: Phrase) -> Rule | None:
        phrase.take(IS)
        if presence := known_or_not(phrase, field):
            return presence
        is_not = not (found := amount(phrase)) and bool(phrase.take("not"))
        found = found or amount(phrase)
        if found is None:
            return None
        rule = compared(field, found)
        return remember(phrase, read, not_(rule) if is_not else rule)

    return read


def known_or_not(phrase: Phrase, field: str) -> Rule | None:
    """Is known, is missing."""
    if phrase.take(f"(?:(?:is|are) )?{_UNKNOWN}"):
        return attribute(field, "is_not_set")
    if phrase.take(f"(?:(?:is|are) )?{_KNOWN}"):
        return attribute(field, "is_set")
    return None


def date_of(field: str) -> Callable[[Phrase], Rule | None]:
    """Reads "was in March", "before 2025", "more than a year ago" of a date that a field holds."""

    def read(phrase: Phrase) -> Rule | None:
        phrase.take("(?:is|was|were|has been|date|=|:)(?: (?:date|at|made|on or))?")
        if presence := known_or_not(phrase, field):
            return presence
        is_not = bool(phrase.take("not"))
        found = period(phrase)
        if found is None:
            return None
        rule = in_period(field, found)
        return remember(phrase, read, not_(rule) if is_not else rule)

    return read


def each_of(rules: Iterable[Rule], *, wants_all: bool) -> Rule:
    gathered: Sequence[Rule] = list(rules)
    return all_of(gathered) if wants_all else any_of(gathered)


def count_said(phrase: Phrase, pattern: str) -> Amount | None:
    """An amount before a noun: the 3+ of "3+ orders"."""
    with phrase.attempt() as attempt:
        found = amount(phrase)
        phrase.take("of|separate|total|more")
        if found is not None and not found.is_percent and phrase.take(pattern):
            attempt.keep()
            return with_afterthought(phrase, found)
    return None


def period_alone(phrase: Phrase) -> Period | None:
    """A period after which something new begins: the second of "bought in 2024 but not in 2025"."""
    with phrase.attempt() as attempt:
        found = period(phrase)
        if found is not None and (phrase.is_over or phrase.sees("and|or|but|,|\\)|except")):
            attempt.keep()
            return found
    return None
