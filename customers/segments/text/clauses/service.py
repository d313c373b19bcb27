"""Contacts with customer service."""

from __future__ import annotations

from customers.segments.text.amounts import amount, times
from customers.segments.text.clauses.reading import count_said, listed
from customers.segments.text.conditions import compared, happened, one_of
from customers.segments.text.periods import period
from customers.segments.text.phrase import Phrase, Rule

EVENT = "service_contact"
_KINDS = {
    "complaint": "complain(?:ed|s|ing)?|complaints?",
    "inquiry": "inquir(?:y|ies|ed)|enquir(?:y|ies|ed)|asked (?:us )?(?:a )?questions?|questions?",
    "feedback": "feedback|gave (?:us )?feedback|left feedback",
}
_ANY = (
    "(?:contacted|called|reached out to|wrote to|phoned|got in touch with|talked to"
    "|been in touch with|spoke(?:n)? (?:to|with))(?: (?:our|the|customer|us))* ?(?:service"
    "|support|care|help ?desk|team|us)*"
    "|(?:customer )?(?:service|support) (?:contacts?|tickets?|requests?|interactions?|calls?)|support tickets?|tickets?"
)


def contact(phrase: Phrase) -> Rule | None:
    """Complained in the last month; filed at least two complaints; contacted support more than twice."""

    def one(phrase: Phrase) -> str | None:
        return next((kind for kind, words in _KINDS.items() if phrase.take(words)), None)

    count = times(phrase)
    if count is None:
        with phrase.attempt() as attempt:
            count = amount(phrase)
            if count is not None and phrase.sees("|".join([*_KINDS.values(), _ANY])):
                attempt.keep()
            else:
                count = None
    phrase.take(
        "(?:(?:filed|made|sent|raised|submitted|left|gave|opened|lodged|have|has|an?|any|us"
        "|the) )+(?=complain|inquir|enquir|question|feedback|support|service|ticket)"
    )
    kinds = listed(phrase, one)
    if kinds is None and not phrase.take(_ANY):
        return None
    where = [one_of("type", kinds[0])] if kinds else []
    when = None
    for _turn in range(2):
        phrase.take("(?:to|with|about|at) (?:us|our service|support|our support|the service)")
        count = count or times(phrase) or count_said(phrase, "times")
        when = when or period(phrase)
    if phrase.take("(?:with|and)(?: an?)? (?:satisfaction|rating)(?: of)?"):
        rating = amount(phrase)
        if rating is not None:
            where.append(compared("satisfaction", rating))
    return happened(EVENT, count, when, where=where)


def resolved(phrase: Phrase) -> Rule | None:
    """Rated our service 4 or better."""
    if not phrase.take("rated (?:us|our (?:service|support))(?: with)?"):
        return None
    found = amount(phrase)
    return happened(EVENT, where=[compared("satisfaction", found)]) if found else None


CLAUSES = (contact, resolved)
