"""What analytics keeps of a person: engagement, churn risk, satisfaction, recency, frequency, monetary value."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from django.utils.translation import gettext as _

from customers.segments.from_text.amounts import Amount, amount
from customers.segments.from_text.clauses.reading import (
    IS,
    is_known,
    known_or_not,
    listed,
    remember,
)
from customers.segments.from_text.conditions import attribute, compared, one_of
from customers.segments.from_text.phrase import Phrase, Rule

_SCORES = {
    "engagement_score": "(?:(?:score|level) of )?engagement(?: scores?| levels?)?",
    "churn_risk": (
        "(?:churn(?: risks?| probability| scores?| likelihood)|(?:risk|chance|likelihood"
        "|probability) of churn(?:ing)?|likelihood to churn|risk to churn)(?: scores?)?"
    ),
    "satisfaction": "(?:customer )?satisfaction(?: scores?| ratings?)?|csat",
    "recency_score": "recency(?: scores?)?|r score",
    "frequency_score": "frequency(?: scores?)?|f score",
    "monetary_score": "monetary(?: value)?(?: scores?)?|m score",
}
HIGH = {
    "engagement_score": 70,
    "churn_risk": 0.7,
    "satisfaction": 4,
    "recency_score": 4,
    "frequency_score": 4,
    "monetary_score": 4,
}
LOW = {
    "engagement_score": 30,
    "churn_risk": 0.3,
    "satisfaction": 2,
    "recency_score": 2,
    "frequency_score": 2,
    "monetary_score": 2,
}
RFM_NAMES = {
    "champions?": "Champions",
    "potential loyalists?": "Potential loyalists",
    "need(?:s|ing)? attention": "Need attention",
    "about to sleep": "About to sleep",
    "at risk": "At risk",
    "can ?not lose them|cant lose them": "Can't lose them",
    "hibernating": "Hibernating",
}


def score(phrase: Phrase) -> Rule | None:
    """Engagement score over 70; churn risk above 70%; high churn risk; low satisfaction."""
    level = phrase.take(
        "(?:(?:with|an?|whose|having|at|of|very) )*(?P<level>high|higher|low|lower|medium|moderate|good|great|bad|poor)(?= )"
    )
    phrase.take("(?:whose|with|their|an?|the) (?=.)")
    phrase.take("(?:average|avg|mean|overall) (?=.)")
    field = next(
        (
            name
            for name, noun in _SCORES.items()
            if phrase.take(f"(?:(?:whose|with|their|an?|the|having) )*(?:{noun})")
        ),
        None,
    )
    if field is None or not is_known(field):
        return None
    if level:
        return _level(phrase, field, level["level"])
    phrase.take(IS)
    if presence := known_or_not(phrase, field):
        return presence
    said = phrase.take("(?:very )?(?P<level>high|low|medium|moderate|good|bad|poor|great)")
    if said:
        return _level(phrase, field, said["level"])
    return (
        remember(phrase, _amount_of(field), found) if (found := _amount_of(field)(phrase)) else None
    )


def score_behind(phrase: Phrase) -> Rule | None:
    """70% churn risk; over 80 engagement; 5 out of 5 satisfaction."""
    for field, noun in _SCORES.items():
        with phrase.attempt() as attempt:
            found = amount(phrase)
            if found is None:
                return None
            if is_known(field) and phrase.take(f"(?:points? )?(?:of |in |out of \\d+ )?(?:{noun})"):
                attempt.keep()
                return compared(field, _fitting(field, found))
    return None


def _amount_of(field: str) -> Callable[[Phrase], Rule | None]:
    def read(phrase: Phrase) -> Rule | None:
        phrase.take(IS)
        found = amount(phrase)
        if found is None:
            return None
        phrase.take("points?|stars?|out of (?:5|100|five|ten)|/5")
        return compared(field, _fitting(field, found))

    return read


def _fitting(field: str, found: Amount) -> Amount:
    """A risk of 70 % is 0.7."""
    if field == "churn_risk" and (found.is_percent or any(each > 1 for each in found.numbers)):
        found = found.scaled(Decimal("0.01"))
    return found


def _level(phrase: Phrase, field: str, level: str) -> Rule:
    high, low = HIGH[field], LOW[field]
    if level in {"high", "higher", "good", "great"}:
        rule = attribute(field, ">=", high)
        told = _("at least %s") % high
    elif level in {"low", "lower", "bad", "poor"}:
        rule = attribute(field, "<=", low)
        told = _("at most %s") % low
    else:
        rule = attribute(field, "between", [low, high])
        told = _("between %(low)s and %(high)s") % {"low": low, "high": high}
    phrase.note(_("“%(level)s” is read as %(told)s.") % {"level": level, "told": told})
    return rule


def rfm_segment(phrase: Phrase) -> Rule | None:
    """Champions; RFM segment is Loyal customers."""
    if not is_known("rfm_segment"):
        return None
    phrase.take(
        "(?:(?:whose|with|in|the|an?|their) )*rfm(?: (?:segments?|groups?|class))?(?: (?:is|of|=|:|equals))?"
    )

    def one(phrase: Phrase) -> str | None:
        phrase.take("(?:the|our)(?= )")
        if named := phrase.take_name("rfm"):
            return named.value
        return next((name for words, name in RFM_NAMES.items() if phrase.take(words)), None)

    found = listed(phrase, one)
    return one_of("rfm_segment", found[0]) if found else None


CLAUSES = (score, score_behind)
RFM = (rfm_segment,)
