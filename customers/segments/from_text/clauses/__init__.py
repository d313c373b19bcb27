"""What can be said about a customer, a module a subject. A clause reads one condition, or leaves the phrase as it was."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain

from customers.segments.from_text.clauses import (
    belonging,
    birthdays,
    custom_events,
    free_attributes,
    messages,
    names,
    person,
    places,
    purchases,
    scores,
    service,
    vague,
    visits,
)
from customers.segments.from_text.phrase import Phrase, Rule

Clause = Callable[[Phrase], Rule | None]

CLAUSES: tuple[Clause, ...] = tuple(
    chain(
        vague.FIRST,
        person.FIRST,
        names.CLAUSES,
        scores.CLAUSES,
        birthdays.CLAUSES,
        person.CLAUSES,
        messages.CLAUSES,
        service.CLAUSES,
        visits.FIRST,
        purchases.CLAUSES,
        visits.CLAUSES,
        belonging.CLAUSES,
        free_attributes.CLAUSES,
        vague.CLAUSES,
        places.CLAUSES,
        belonging.BARE,
        free_attributes.BARE,
        custom_events.CLAUSES,
    )
)


def clause(phrase: Phrase) -> Rule | None:
    """The condition at the cursor."""
    return _first(CLAUSES, phrase)


def last_resort(phrase: Phrase) -> Rule | None:
    """The condition at the cursor, where nothing before it leads to one: the age of "French customers over 40"."""
    return _first(person.BARE, phrase)


def _first(clauses: tuple[Clause, ...], phrase: Phrase) -> Rule | None:
    for read in clauses:
        with phrase.attempt() as attempt:
            found = read(phrase)
            if found is not None:
                attempt.keep()
                return found
    return None
