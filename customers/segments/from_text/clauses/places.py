"""Where people live: cities and regions of the data, countries by name, code or adjective."""

from __future__ import annotations

from django.utils.translation import gettext as _

from customers.segments.from_text.clauses.names import text_value
from customers.segments.from_text.clauses.reading import remember
from customers.segments.from_text.conditions import any_of, attribute, not_, one_of
from customers.segments.from_text.phrase import Phrase, Rule

_LIVES = (
    "(?:live|lives|living|lived|based|located|residing|reside|resides|situated|resident|residents"
    "|come|comes|coming|are|is|somewhere|anywhere|people)"
)
_IN = "(?:in|from|within|of|at|across|inside)"
_KINDS = ("city", "region", "country", "countries")


def outside(phrase: Phrase) -> Rule | None:
    """Outside Germany; abroad is relative to nothing, so it is not understood."""
    if not phrase.take(f"(?:{_LIVES} )?(?:outside|not from|not in)(?: of)?(?: the)?"):
        return None
    rule = places(phrase)
    return not_(rule) if rule else None


def lives_in(phrase: Phrase) -> Rule | None:
    """In Paris or Lyon; from Germany; living in the UK."""
    if not phrase.take(
        f"(?:(?:who|that) )?(?:{_LIVES} )*{_IN}(?: (?:the|either|both|any of))*(?: (?:city|cities|town"
        "|country|countries|state|region|area|regions) of)?"
    ):
        return None
    rule = places(phrase)
    return remember(phrase, places_again, rule) if rule else None


def somewhere_new(phrase: Phrase) -> Rule | None:
    """Living in a place where nobody of the data lives: a city, if it is written as one."""
    if not phrase.take(
        "(?:live|lives|living|based|located|residing|reside|resides) in(?: the city of)?|(?:in|from) the (?:city|town) of"
    ):
        return None
    if phrase.is_over or not phrase.token.text[:1].isupper():
        return None
    city = text_value(phrase)
    if city is None:
        return None
    phrase.note(_("Nobody lives in “%s” yet.") % city)
    return attribute("city", "=", city)


def adjective(phrase: Phrase) -> Rule | None:
    """French customers; Germans; US-based; London shoppers."""
    if (named := phrase.name("demonym", *_KINDS)) is None:
        return None
    if named.kind == "city" and not phrase.token.text[:1].isupper():
        return None
    rule = places(phrase)
    if rule is None:
        return None
    phrase.take("(?:- )?(?:based|residents?|nationals?|citizens?)")
    return remember(phrase, places_again, rule)


def places(phrase: Phrase) -> Rule | None:
    """One place or several, of which any will do: nobody lives in two."""
    found: dict[str, list[str]] = {}
    while True:
        with phrase.attempt() as attempt:
            phrase.take("(?:, )?(?:and|or|&|nor)|,") if found else None
            phrase.take("(?:(?:in|from|the|either|city of|outside) )+(?=.)")
            name = phrase.take_name("demonym", *_KINDS)
            if name is not None:
                attempt.keep()
                phrase.take("residents?|area|region|city")
                field = name.kind if name.kind in {"city", "region"} else "country"
                found.setdefault(field, []).extend(
                    name.value.split()
                ) if field == "country" else found.setdefault(field, []).append(name.value)
        if name is None:
            break
    rules = [one_of(field, values) for field, values in found.items()]
    return any_of(rules) if rules else None


def places_again(phrase: Phrase) -> Rule | None:
    phrase.take("(?:in|from)(?= )")
    return places(phrase)


CLAUSES = (outside, lives_in, somewhere_new, adjective)
