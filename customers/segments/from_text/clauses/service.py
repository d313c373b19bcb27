"""Contacts with customer service."""

from __future__ import annotations

import re

from django.utils.translation import gettext as _

from customers.segments.from_text.amounts import amount, times, with_afterthought
from customers.segments.from_text.clauses.reading import count_said, listed
from customers.segments.from_text.conditions import attribute, compared, happened, one_of
from customers.segments.from_text.periods import period
from customers.segments.from_text.phrase import Phrase, Rule

EVENT = "service_contact"
_KINDS = {
    "complaint": "complain(?:ed|s|ing)?|complaints?",
    "inquiry": "inquir(?:y|ies|ed)|enquir(?:y|ies|ed)|asked (?:us )?(?:a )?questions?|questions?",
    "feedback": "feedback|gave (?:us )?feedback|left feedback",
}
_GOOD, _BAD = "positive|good|great", "negative|bad|poor|critical"
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
        "|the) )+(?=complain|inquir|enquir|question|feedback|support|service|ticket|negative|positive|bad|good)"
    )
    mood = phrase.take(f"(?P<mood>{_GOOD}|{_BAD})(?= feedback)")
    kinds = listed(phrase, one)
    if kinds is None and not phrase.take(_ANY):
        return None
    where = [one_of("type", kinds[0])] if kinds else []
    if mood:
        where.append(_of_mood(phrase, mood["mood"]))
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
    """Rated our service 4 or better; gave us 5 stars."""
    if not phrase.take(
        "rated (?:us|our (?:service|support))(?: with| as)?|(?:gave|left)(?: us)?(?: an?)?(?: rating| score)(?: of)?"
        "|(?:gave|left)(?: us)?(?= (?:\\S+ ){1,5}(?:stars?|out of))"
    ):
        return None
    found = amount(phrase)
    if found is None:
        return None
    phrase.take("stars?")
    phrase.take("out of (?:5|five)")
    found = with_afterthought(phrase, found)
    return happened(EVENT, where=[compared("satisfaction", found)])


def _of_mood(phrase: Phrase, mood: str) -> Rule:
    is_good = re.fullmatch(_GOOD, mood)
    operator, bound = (">=", 4) if is_good else ("<=", 2)
    told = _("at least %s") % bound if is_good else _("at most %s") % bound
    phrase.note(_("“%(level)s” is read as %(told)s.") % {"level": mood, "told": told})
    return attribute("satisfaction", operator, bound)


CLAUSES = (contact, resolved)
