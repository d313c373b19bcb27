"""Free attributes, by the keys and values that the data has: loyalty tier is gold, household over 2, gold members."""

from __future__ import annotations

from collections.abc import Callable

from django.utils.translation import gettext as _

from customers.segments.from_text.amounts import amount
from customers.segments.from_text.clauses.names import text_value
from customers.segments.from_text.clauses.reading import known_or_not, listed, remember
from customers.segments.from_text.conditions import any_of, attribute, compared, not_, one_of
from customers.segments.from_text.phrase import Phrase, Rule
from customers.segments.language.fields import ATTRIBUTE

_GENDERS = {
    "women|woman|females?|ladies": ("female", "f", "woman", "w"),
    "men|man|males?|gentlemen": ("male", "m", "man"),
}
_GENDER_KEYS = ("gender", "sex")


def keyed(phrase: Phrase) -> Rule | None:
    """Loyalty tier is gold; household over 2; attribute "income" is known."""
    phrase.take("(?:(?:whose|with|having|have|has|an?|the|their|attribute) )+(?=.)")
    key = phrase.take_name("key")
    if key is None:
        return None
    field = ATTRIBUTE + key.value
    if phrase.take("attributes?"):
        return attribute(field, "is_set")
    read = _comparison(field)
    rule = read(phrase)
    return remember(phrase, read, rule) if rule else None


def counted(phrase: Phrase) -> Rule | None:
    """More than 1,000 loyalty points: the number stands before its key."""
    phrase.take("(?:(?:with|having|have|has|got|own|owns|hold|holds|collected|earned) )+(?=.)")
    found = amount(phrase)
    key = phrase.take_name("key") if found else None
    return compared(ATTRIBUTE + key.value, found) if found and key else None


def valued(phrase: Phrase) -> Rule | None:
    """Gold members, on the gold plan: a value of the data names its attribute, if only one has it."""
    phrase.take("(?:on|in|with) (?:(?:the|our|an?) )?(?=.)")
    if phrase.name("value") is None:
        return None
    name = phrase.take_name("value")
    assert name is not None
    keys = name.value.split("\n")
    value = keys.pop(0)
    if (said := phrase.name("key")) and said.value in keys:
        phrase.take_name("key")
        keys = [said.value]
    phrase.take("(?:members?|level|tier|status|customers?)(?= |$)")
    for key in keys:
        phrase.note(
            _("“%(value)s” is read as the attribute %(key)s.") % {"value": value, "key": key}
        )
    return any_of([attribute(ATTRIBUTE + key, "=", value) for key in keys])


def gender(phrase: Phrase) -> Rule | None:
    """Women: only where the data has an attribute for it."""
    for words, values in _GENDERS.items():
        if phrase.sees(words):
            key = next(
                (name.value for name in phrase.names.get(phrase.at, ()) if name.kind == "gender"),
                None,
            )
            phrase.take(words)
            return one_of(ATTRIBUTE + key, values) if key else None
    return None


def _comparison(field: str) -> Callable[[Phrase], Rule | None]:
    def read(phrase: Phrase) -> Rule | None:
        is_not = bool(phrase.take("(?:is|are|was)? ?not|!="))
        if not is_not:
            phrase.take("(?:is|are|was|=|:|of|equals)(?= )")
        if presence := known_or_not(phrase, field):
            return presence
        if phrase.take("contains?|containing|includes?|including"):
            value = text_value(phrase)
            return attribute(field, "contains", value) if value else None
        found = amount(phrase)
        if found is not None:
            return compared(field, found)
        values = listed(phrase, text_value)
        if values is None:
            return None
        rule = one_of(field, values[0])
        return not_(rule) if is_not else rule

    return read


CLAUSES = (gender, keyed, counted)
BARE = (valued,)
