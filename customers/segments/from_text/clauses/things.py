"""Categories, products and brands that the data has, as they are bought."""

from __future__ import annotations

from dataclasses import dataclass

from customers.segments.from_text.clauses.reading import each_of, listed
from customers.segments.from_text.conditions import attribute, happened, has_all, one_of
from customers.segments.from_text.phrase import Phrase, Rule

KINDS = ("category", "product", "brand")
_LISTS = {"category": "purchased_categories", "product": "purchased_products"}


@dataclass(frozen=True, slots=True)
class Things:
    """Their names by kind, and whether all of them are meant or any."""

    names: dict[str, list[str]]
    wants_all: bool = False

    def ever_bought(self) -> Rule:
        join = has_all if self.wants_all else one_of
        return each_of(
            (
                join(_LISTS[kind], names)
                if kind in _LISTS
                else happened("order_placed", where=[one_of(kind, names)])
                for kind, names in self.names.items()
            ),
            wants_all=self.wants_all,
        )

    def wheres(self) -> list[list[Rule]]:
        """What is asked of orders: a condition a kind, or for all of the things one each."""
        if self.wants_all:
            return [
                [attribute(kind, "=", name)] for kind, names in self.names.items() for name in names
            ]
        return [[one_of(kind, names)] for kind, names in self.names.items()]


NOTHING_NAMED = Things({})


def things(phrase: Phrase) -> Things | None:
    """Books, Coffee and hats."""
    names: dict[str, list[str]] = {}

    def one(phrase: Phrase) -> str | None:
        phrase.take("(?:the )?(?:category|product|brand) ")
        found = phrase.take_name(*KINDS)
        if found is None:
            return None
        names.setdefault(found.kind, []).append(found.value)
        return found.value

    found = listed(phrase, one)
    return Things(names, found[1]) if found else None
