"""Slots of the table: what stands at the variable places of a pattern."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any

from django.utils.translation import gettext as _

from customers.models import Customer
from customers.models.consent import ADDRESS_FIELDS, Channel
from customers.segments.from_text.amounts import Amount, amount, times, with_afterthought
from customers.segments.from_text.conditions import (
    all_of,
    any_of,
    attribute,
    compared,
    has_all,
    in_period,
    not_,
    one_of,
)
from customers.segments.from_text.geography import LANGUAGES, is_well_known_city
from customers.segments.from_text.periods import Period, lately, period
from customers.segments.from_text.phrase import LeftOut, Phrase, RuleJSON, Token
from customers.segments.from_text.vocabulary import IS, PEOPLE

Clause = Callable[[Phrase], RuleJSON | None]
Reader = Callable[[Phrase], str | None]

_KNOWN = (
    "(?:known|set|given|filled in|filled|available|present|on file|not empty|not missing|there)"
)
_UNKNOWN = (
    "(?:unknown|missing|empty|blank|not set|not known|not given|unset|not available|not on file)"
)


def remember(phrase: Phrase, read: Clause, rule: RuleJSON) -> RuleJSON:
    """Let `read` read a part without its verb that follows: the hats of "bought shoes but not hats"."""
    phrase.again = read
    return rule


def first_of(clauses: Iterable[Clause], phrase: Phrase) -> RuleJSON | None:
    """Return the rule of the first clause that reads the phrase."""
    for read in clauses:
        with phrase.attempt() as attempt:
            found = read(phrase)
            if found is not None:
                attempt.keep()
                return found
    return None


def each_of(rules: Iterable[RuleJSON], *, wants_all: bool) -> RuleJSON:
    return all_of(list(rules)) if wants_all else any_of(list(rules))


# Numbers and dates of a field


def known_or_not(phrase: Phrase, field: str) -> RuleJSON | None:
    """Read "is known", "is missing"."""
    if phrase.take(f"(?:(?:is|are) )?{_UNKNOWN}"):
        return attribute(field, "is_not_set")
    if phrase.take(f"(?:(?:is|are) )?{_KNOWN}"):
        return attribute(field, "is_set")
    return None


def number_of(field: str) -> Clause:
    """Return a clause that reads "is over 5", "5 or more", "is not known"."""

    def read(phrase: Phrase) -> RuleJSON | None:
        phrase.take(IS)
        if presence := known_or_not(phrase, field):
            return presence
        is_not = not (found := amount(phrase)) and bool(phrase.take("not"))
        found = found or amount(phrase)
        if found is None:
            return None
        if found.is_percent:
            raise LeftOut
        rule = compared(field, found)
        return remember(phrase, read, not_(rule) if is_not else rule)

    return read


def date_of(field: str) -> Clause:
    """Return a clause that reads "was in March", "before 2025", "more than a year ago"."""

    def read(phrase: Phrase) -> RuleJSON | None:
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


def count_before(phrase: Phrase, noun: str) -> Amount | None:
    """Read an amount before a noun: the 3+ of "3+ orders"."""
    with phrase.attempt() as attempt:
        found = amount(phrase)
        phrase.take("of|separate|total|more")
        if found is not None and not found.is_percent and phrase.take(noun):
            attempt.keep()
            return with_afterthought(phrase, found)
    return None


def period_alone(phrase: Phrase) -> Period | None:
    """Read a period before something new: the second of "bought in 2024 but not in 2025"."""
    with phrase.attempt() as attempt:
        found = period(phrase)
        if found is not None and (phrase.is_over or phrase.sees("and|or|but|,|\\)|except")):
            attempt.keep()
            return found
    return None


# Scores

_HIGH = {"engagement_score": 70, "churn_risk": 0.7}
_LOW = {"engagement_score": 30, "churn_risk": 0.3}


def score_of(field: str) -> Clause:
    """Return a clause that reads "is over 70", "above 70%", "is high"."""

    def read(phrase: Phrase) -> RuleJSON | None:
        phrase.take(IS)
        if presence := known_or_not(phrase, field):
            return presence
        level = phrase.take("(?:very )?(?P<level>high|low|medium|moderate|good|bad|poor|great)")
        if level:
            return level_of(phrase, field, level["level"])
        rule = read_amount(phrase)
        return remember(phrase, read_amount, rule) if rule else None

    def read_amount(phrase: Phrase) -> RuleJSON | None:
        phrase.take(IS)
        found = amount(phrase)
        if found is None:
            return None
        phrase.take("points?|stars?|out of (?:5|100|five|ten)|/5")
        return compared_score(phrase, field, found)

    return read


def compared_score(_phrase: Phrase, field: str, amount: Amount) -> RuleJSON:
    """Return the comparison of a score; a risk of 70 % is 0.7."""
    found = amount
    if field == "churn_risk" and (found.is_percent or any(each > 1 for each in found.numbers)):
        found = found.scaled(Decimal("0.01"))
    return compared(field, found)


def level_of(phrase: Phrase, field: str, level: str) -> RuleJSON:
    """Return the default range of a high, medium or low score, and note it."""
    high, low = _HIGH.get(field, 4), _LOW.get(field, 2)
    if level in {"high", "higher", "good", "great"}:
        rule, default = attribute(field, ">=", high), _("at least %s") % high
    elif level in {"low", "lower", "bad", "poor"}:
        rule, default = attribute(field, "<=", low), _("at most %s") % low
    else:
        rule = attribute(field, "between", [low, high])
        default = _("between %(low)s and %(high)s") % {"low": low, "high": high}
    phrase.note(_("“%(level)s” is read as %(default)s.") % {"level": level, "default": default})
    return rule


# Ages

_YEARS = "(?:(?:- )?(?:years?|yrs?)(?: of age| (?:- )?olds?)?|yo|y o|y old|year olds?)"


def age(phrase: Phrase, kind: str) -> RuleJSON | None:
    """Read "over 60", "25-34", "30 years old"; of the kind "named" also without years, because the word age came before."""
    found = amount(phrase)
    if found is None or found.is_money or found.is_percent:
        return None
    years = phrase.take(_YEARS)
    if years and phrase.sees("ago"):
        return None
    if found.is_plain and (
        after := phrase.take(
            "(?:or|and) (?:older|over|above|up)|plus|(?:or|and) (?P<less>younger|under|below)"
        )
    ):
        found = Amount("<=" if after["less"] else ">=", found.numbers)
    is_age = years is not None and any(part in years[0] for part in ("old", "age", "yo", "y o"))
    if kind != "named" and not is_age:
        return None
    return remember(phrase, number_of("age"), compared("age", found))


# Texts

_STARTS = "(?:that |which )?(?:starts?|begins?|starting|beginning) with"
_ENDS = "(?:that |which )?(?:ends?|ending) (?:with|in|on)"
_CONTAINS = "(?:that |which )?(?:contains?|containing|includes?|including|has|have)"
_TEXT_IS = "(?:is|are|=|:|equals?|of|in|on|called|named)(?: (?:one of|either|set to|equal to))?"
_TEXT_IS_NOT = "(?:is|are|does|do) not (?:one of|either|equal(?: to)?)?|!="
_TEXT_ENDS = (
    r"and|or|but|nor|who|that|whose|which|with|,|in|from|except|have|has|are|is|\)|=|!=|>|<|>=|<=|spent|bought|ordered|visited"
    "|opened|clicked|living|lives?|based|aged|over|under|born|registered|joined|interested|tagged|subscribed|not|no"
)
_COMPARISON = r"\S+(?: \S+)? (?:=|!=|>|<|>=|<=|is|are|contains|starts|ends|begins)"


def text_value(phrase: Phrase) -> str | None:
    """Read a value as written: quoted, or the words before one that leads on."""
    if phrase.is_over:
        return None
    if phrase.token.quoted:
        phrase.at += 1
        return phrase.tokens[phrase.at - 1].text
    if phrase.token.word.isdecimal() or phrase.sees(_COMPARISON):
        return None
    first = phrase.at
    while not phrase.is_over and not phrase.sees(_TEXT_ENDS) and phrase.at - first < 4:
        if phrase.at > first and not _continues(phrase):
            break
        phrase.at += 1
    return _written(phrase.tokens[first : phrase.at]) or None


def _written(parts: Sequence[Token]) -> str:
    text = parts[0].text if parts else ""
    for before, part in pairwise(parts):
        text += ("" if before.end == part.start else " ") + part.text
    return text


def _continues(phrase: Phrase) -> bool:
    before, here = phrase.tokens[phrase.at - 1], phrase.token
    return before.end == here.start or (before.text[:1].isupper() and here.text[:1].isupper())


def text_of(field: str) -> Clause:
    """Return a clause that reads "is Anna", "ends with example.com", "starts with S"."""

    def read(phrase: Phrase) -> RuleJSON | None:
        if presence := known_or_not(phrase, field):
            return presence
        if field in {"date_of_birth", "registered_at"}:
            return None
        patterns = ((_STARTS, "starts_with"), (_ENDS, "ends_with"), (_CONTAINS, "contains"))
        for pattern, operator in patterns:
            is_not = bool(phrase.take(f"(?:does|do|is|are) not(?= {pattern})"))
            if phrase.take(pattern):
                value = text_value(phrase)
                rule = attribute(field, operator, value) if value is not None else None
                return not_(rule) if rule and is_not else rule
        is_not = bool(phrase.take(_TEXT_IS_NOT))
        if not is_not and not phrase.take(_TEXT_IS) and not follows_plainly(phrase):
            return None
        rule = values(phrase)
        if rule is None:
            return None
        return not_(rule) if is_not else remember(phrase, values, rule)

    def follows_plainly(phrase: Phrase) -> bool:
        """Return whether the value follows without a verb: surname Smith."""
        if phrase.is_quoted or phrase.name(field):
            return True
        return field in {"first_name", "last_name"} and phrase.token.text[:1].isupper()

    def value(phrase: Phrase) -> str | None:
        if field == "language" and (spoken := spoken_language(phrase)):
            return spoken
        named = phrase.take_name(field)
        return named.value if named else text_value(phrase)

    def values(phrase: Phrase) -> RuleJSON | None:
        phrase.take("(?:is|=|:)")
        found = listed(phrase, value)
        return one_of(field, "\n".join(found[0]).split("\n")) if found else None

    return read


# Lists of values

_JOINT = "(?:, )?(?:or|and|&|/|nor|as well as)(?: (?:in|from|by|also|the|either))?|,"


def listed(phrase: Phrase, value: Reader) -> tuple[list[str], bool] | None:
    """Read "A, B and C"; return the values and whether all are meant ("and") or any ("or")."""
    found: list[str] = []
    wants_all = False
    while True:
        with phrase.attempt() as attempt:
            joint = phrase.take(_JOINT) if found else None
            another = value(phrase) if joint or not found else None
            if another is not None:
                attempt.keep()
                found.append(another)
                if joint and joint[0] != ",":
                    wants_all = not re.search(r"\b(?:or|nor)\b|/", joint[0])
        if another is None:
            return (found, wants_all) if found else None


def known(*kinds: str) -> Reader:
    """Return a reader of names that the data has."""
    return lambda phrase: name.value if (name := phrase.take_name(*kinds)) else None


def known_or_new(*kinds: str) -> Reader:
    """Return a reader of names that the data has, or that are plain enough to be new, which is noted."""

    def read(phrase: Phrase) -> str | None:
        phrase.take("(?:the|a|an|either|both)(?= )")
        if found := phrase.take_name(*kinds):
            return found.value
        if kinds[0] == "tag" and phrase.before("from|in"):
            return None
        if (
            phrase.sees(
                f"tags?|interests?|{PEOPLE}|us|our|me|my|it|as|who|that|and|or|but|not|no|in|is|,|by|at least|over|more"
            )
            or phrase.is_over
            or (phrase.name("segment", "tag", "city", "region", "country") and not phrase.is_quoted)
        ):
            return None
        value = text_value(phrase)
        if value is not None:
            phrase.note(_("No customer has “%s” yet.") % value)
        return value

    return read


def one_word(meanings: dict[str, str], before: str = "") -> Reader:
    """Return a reader of words with a fixed meaning, perhaps after words without one."""

    def read(phrase: Phrase) -> str | None:
        if before:
            phrase.take(before)
        return next((value for word, value in meanings.items() if phrase.take(word)), None)

    return read


_CHANNELS = {
    "emails?|mails?|(?:our )?emails?(?: newsletters?)?|email marketing|by email": Channel.EMAIL.value,
    "sms|smses|texts?|text messages?|sms messages?": Channel.SMS.value,
    "whatsapp(?: messages?)?": Channel.WHATSAPP.value,
    "push(?: notifications?)?": Channel.PUSH.value,
}
_VERBS_OF_CHANNELS = {
    "(?:e (?:- )?)?mail(?:ed)?|email(?:ed)?": Channel.EMAIL.value,
    "text(?:ed)?|sms(?:ed)?": Channel.SMS.value,
    "whatsapp(?:ed)?": Channel.WHATSAPP.value,
}
_STATUSES = {
    "leads?|prospects?": Customer.Lifecycle.LEAD.value,
    "active": Customer.Lifecycle.ACTIVE.value,
    "inactive": Customer.Lifecycle.INACTIVE.value,
    "churned": Customer.Lifecycle.CHURNED.value,
}
_RFM_SEGMENTS = {
    "champions?": "Champions",
    "potential loyalists?": "Potential loyalists",
    "need(?:s|ing)? attention": "Need attention",
    "about to sleep": "About to sleep",
    "at risk": "At risk",
    "can ?not lose them|cant lose them": "Can't lose them",
    "hibernating": "Hibernating",
}
_ACTIVE_SINCE = "active (?:in|since|within|over|during|on|at|this|last|today)|churned (?:in|since)"

_channel = one_word(_CHANNELS, "(?:by|to|on|via|through|receive|get|our|the)(?= )")


def spoken_language(phrase: Phrase) -> str | None:
    found = phrase.take("|".join(LANGUAGES))
    return LANGUAGES[found[0]] if found else None


def _reachable_channel(phrase: Phrase) -> str | None:
    found = _channel(phrase)
    return found if found in ADDRESS_FIELDS else None


def _status(phrase: Phrase) -> str | None:
    return None if phrase.sees(_ACTIVE_SINCE) else one_word(_STATUSES)(phrase)


def _rfm_segment(phrase: Phrase) -> str | None:
    phrase.take("(?:the|our)(?= )")
    return known("rfm")(phrase) or one_word(_RFM_SEGMENTS)(phrase)


def _segment(phrase: Phrase) -> str | None:
    phrase.take("(?:in|the|segments?|both|either)(?= )")
    found = phrase.take_name("segment")
    if found is not None:
        phrase.take("segments?|list|audience|group")
    return found.value if found else None


_NEW: dict[str, Reader] = {
    "tags": known_or_new("tag"),
    "interests": known_or_new("interest", "category"),
    "favourite_category": known_or_new("category"),
    "favourite_brand": known_or_new("brand"),
}
_VALUES: dict[str, Reader] = {
    "tags": known("tag"),
    "interests": known("interest", "category"),
    "segment": _segment,
    "subscribed": _reachable_channel,
    "verbs": one_word(_VERBS_OF_CHANNELS),
    "preferred_channel": _reachable_channel,
    "source": known("source"),
    "rfm_segment": _rfm_segment,
    "lifecycle_status": _status,
    "language": spoken_language,
}
_AGAIN = {
    "tags": "",
    "interests": "in ",
    "segment": "",
    "subscribed": "(?:to|by)(?= )",
}
"""List fields that a part without a verb can continue, and what may stand before its values."""


def list_of(phrase: Phrase, field: str, value: Reader | None = None) -> RuleJSON | None:
    """Read values of a list field: all of them after "and", any after "or"."""
    found = listed(phrase, value or _VALUES[field])
    if found is None:
        return None
    if field == "segment":
        phrase.take("segments?|lists?|audiences?|groups?|subscribers?")
    rule = (has_all if found[1] else one_of)(field, found[0])

    def again(phrase: Phrase) -> RuleJSON | None:
        if before := _AGAIN[field]:
            phrase.take(before)
        return any_of_list(phrase, field) if field == "subscribed" else list_of(phrase, field)

    return remember(phrase, again, rule) if field in _AGAIN else rule


def any_of_list(phrase: Phrase, field: str) -> RuleJSON | None:
    """Read values of a field, of which any will do."""
    found = listed(phrase, _NEW.get(field) or _VALUES[field])
    return one_of(field, found[0]) if found else None


# Places


_LINKS = "upon|on|am|an|der|sur|sous|de|del|della|di|da|do|la|le|les|of|the|-"
_NO_CITIES = (
    "facebook|google|instagram|tiktok|twitter|linkedin|youtube|pinterest|reddit|bing|amazon|ebay|etsy|shopify|whatsapp"
    "|january|february|march|april|may|june|july|august|september|october|november|december|monday|tuesday|wednesday|thursday"
    "|friday|saturday|sunday|spring|summer|autumn|fall|winter|christmas|easter|black friday|cyber monday|q[1-4]|h[12]|i"
)
_AFTER_OTHER_NAMES = "campaigns?|emails?|mailings?|segments?|lists?|tags?|categor(?:y|ies)|brands?|products?|groups?|tier|plan|newsletter"
_OTHER_NAMES = (
    "segment", "tag", "campaign", "category", "product", "brand", "source", "event", "rfm", "interest", "key", "value",
)  # fmt: skip
_LIVING_IN = "(?:live|lives|living|lived|reside|resides|residing|based|located|situated) in"
_UNKNOWN_AMONG_PLACES = r"[^\W\d]+(?= (?:, )?(?:or|and|,) [^\W\d])"


_FIELDS_OF_PLACES = {"city": "city", "new city": "city", "region": "region", "new region": "region"}
PLACES = (*_FIELDS_OF_PLACES, "demonym", "country", "countries")


def places(phrase: Phrase, kind: str = "") -> RuleJSON | None:
    """Read one place or several, of which any will do. The kind "new" also reads cities of no customer."""
    found: dict[str, list[str]] = {}
    while True:
        with phrase.attempt() as attempt:
            if found:
                phrase.take("(?:, )?(?:and|or|&|/|nor)|,")
            phrase.take("(?:(?:in|from|the|either|city of|outside) )+(?=.)")
            name = phrase.take_name(*PLACES)
            if name is not None:
                attempt.keep()
                phrase.take("residents?|area|region|city")
                if name.kind in {"new city", "new region"}:
                    _noted_city(phrase, name.value)
                field = _FIELDS_OF_PLACES.get(name.kind, "country")
                found.setdefault(field, []).extend(name.value.split("\n"))
            elif kind == "new" and (city := new_city(phrase)):
                attempt.keep()
                found.setdefault("city", []).append(city)
            elif found and phrase.sees(_UNKNOWN_AMONG_PLACES) and _leads_to_place(phrase):
                attempt.keep()
                phrase.at += 1
                phrase.leave_out(phrase.at - 1)
        if not attempt.kept:
            break
    rules = [one_of(field, values) for field, values in found.items()]

    def again(phrase: Phrase) -> RuleJSON | None:
        phrase.take("(?:in|from)(?= )")
        return places(phrase, kind)

    return remember(phrase, again, any_of(rules)) if rules else None


def _leads_to_place(phrase: Phrase) -> bool:
    """Return whether an unknown word in a list of places has another place after it."""
    with phrase.attempt():
        phrase.at += 1
        phrase.take("(?:, )?(?:and|or)|,")
        return phrase.name(*PLACES) is not None


def new_city(phrase: Phrase) -> str | None:
    """Read a city that the data does not have, and note it: Munich, munich, Newcastle upon Tyne, "lives in grand rapids"."""
    if phrase.is_over or phrase.sees(_NO_CITIES) or phrase.before("at"):
        return None
    if not _is_capitalised(phrase):
        return _new_city_in_lower_case(phrase)
    first = phrase.at - (phrase.at > 0 and phrase.tokens[phrase.at - 1].text == "The")
    if phrase.name(*_OTHER_NAMES):
        return None
    while _is_capitalised(phrase) and not phrase.sees(_TEXT_ENDS):
        phrase.at += 1
        with phrase.attempt() as attempt:
            is_short = phrase.before("st|ste|sta|mt|ft") and phrase.token.text == "."
            if phrase.take("," if is_short else f"(?:(?:{_LINKS}) ){{1,3}}") and _is_capitalised(
                phrase
            ):
                attempt.keep()
    parts = phrase.tokens[first : phrase.at]
    if not parts or phrase.sees(_AFTER_OTHER_NAMES):
        phrase.at = first
        return None
    phrase.doubtful += parts
    return _noted_city(phrase, _written(parts))


def _new_city_in_lower_case(phrase: Phrase) -> str | None:
    """Read a well-known city, or any words after "lives in"."""
    longest = phrase.tokens[phrase.at : phrase.at + 4]
    for length in range(len(longest), 0, -1):
        name = " ".join(token.word for token in longest[:length])
        if is_well_known_city(name) and not phrase.name(*_OTHER_NAMES):
            phrase.at += length
            return _noted_city(phrase, name.title())
    first = phrase.at
    if not re.fullmatch(_LIVING_IN, " ".join(token.word for token in phrase.tokens[:first][-2:])):
        return None
    while not phrase.is_over and phrase.token.word.isalpha() and not phrase.sees(_TEXT_ENDS):
        phrase.at += 1
    parts = phrase.tokens[first : phrase.at]
    if not 0 < len(parts) <= 4 or parts[0].word in {"a", "an", "the", "our", "my", "your"}:
        phrase.at = first
        return None
    phrase.doubtful += parts
    return _noted_city(phrase, _written(parts))


def _noted_city(phrase: Phrase, city: str) -> str:
    phrase.note(_("No customer lives in “%s” yet.") % city)
    return city


def _is_capitalised(phrase: Phrase) -> bool:
    """Return whether the word is a name: Munich, McAllen or MUNICH, but not VIPs, CEO or B2B."""
    text = phrase.token.text
    if text.isupper():
        return len(text) > 4 and text.isalpha()
    return text[:1].isupper() and not text[1:2].isupper() and not phrase.is_quoted


SLOTS: dict[str, Callable[[Phrase, str], Any]] = {
    "age": age,
    "amount": lambda phrase, _of: amount(phrase),
    "choice": any_of_list,
    "date": lambda phrase, field: date_of(field)(phrase),
    "lately": lambda phrase, _of: lately(phrase),
    "list": list_of,
    "new": lambda phrase, field: list_of(phrase, field, _NEW[field]),
    "number": lambda phrase, field: number_of(field)(phrase),
    "period": lambda phrase, _of: period(phrase),
    "places": places,
    "score": lambda phrase, field: score_of(field)(phrase),
    "text": lambda phrase, field: text_of(field)(phrase),
    "times": lambda phrase, _of: times(phrase),
    "verbs": lambda phrase, field: list_of(phrase, field, _VALUES["verbs"]),
    "value": lambda phrase, _of: text_value(phrase),
}
"""Readers by the name of their slot; the part of a slot after a colon is the second argument."""
