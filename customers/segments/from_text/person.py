"""Meanings of what customers are: scores, birthdays, ages, registration, lists, attributes, places."""

from __future__ import annotations

import re
from datetime import date, timedelta
from functools import partial

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from customers.segments.from_text.amounts import Amount, amount
from customers.segments.from_text.conditions import (
    all_of,
    any_of,
    attribute,
    compared,
    in_period,
    not_,
    one_of,
)
from customers.segments.from_text.patterns import meaning
from customers.segments.from_text.periods import UNIT, Period, duration, lately, period
from customers.segments.from_text.phrase import Phrase, RuleJSON
from customers.segments.from_text.slots import (
    PLACES,
    compared_score,
    date_of,
    known,
    known_or_not,
    level_of,
    list_of,
    listed,
    places,
    remember,
    text_value,
)
from customers.segments.from_text.vocabulary import PEOPLE, TEXT_FIELDS
from customers.segments.language.fields import ATTRIBUTE

A_DAY = timedelta(days=1)


@meaning
def everyone(phrase: Phrase) -> RuleJSON:
    return {"operator": "AND", "conditions": []}


# Scores

meaning(level_of)
meaning(compared_score)

# Texts


@meaning
def called(phrase: Phrase, value: str) -> RuleJSON:
    return attribute("name" if " " in value else "first_name", "=", value)


@meaning
def presence(phrase: Phrase) -> RuleJSON | None:
    """Read "with a phone number", and "not with an e-mail address and a birthday"."""
    phrase.take("(?:gave|left|shared|provided)(?: us)?(?= (?:an?|their|the) )")
    if not phrase.before(
        "with|have|has|no|without|having|a|an|any|provided|gave|left|shared|not|given|us"
    ):
        return None
    phrase.take("both ")
    rule = _present(phrase)
    return remember(phrase, _present, rule) if rule else None


def _present(phrase: Phrase) -> RuleJSON | None:
    for field, noun in TEXT_FIELDS.items():
        if phrase.take(
            f"(?:(?:an?|any|their|the|us|valid|known) )*(?:{noun})(?: (?:on file|known|set|on record|given))?"
            "(?! (?:is|was|in|on|over|next|this|within|today|between|score|>|<))"
        ):
            return attribute(field, "is_set")
    return None


# Birthdays


@meaning
def birthday_soon(phrase: Phrase) -> RuleJSON:
    phrase.note(_("The birthday is looked for from today to 7 days from now."))
    return attribute("date_of_birth", "anniversary_in_days", 7)


@meaning
def birthday_on(phrase: Phrase, days: str) -> RuleJSON:
    """Return birthdays exactly that many days from now."""
    return (
        _anniversary(int(days), int(days))
        if int(days)
        else attribute("date_of_birth", "anniversary_in_days", 0)
    )


@meaning
def birthday_in(phrase: Phrase, period: Period) -> RuleJSON | None:
    if period.days is not None:
        return attribute("date_of_birth", "anniversary_in_days", period.days)
    return _birthday_between(phrase, period.first, period.last) if period.first else None


def _birthday_between(phrase: Phrase, first: date, last: date | None) -> RuleJSON | None:
    """Return the next such days: rules look for birthdays from today on, so days gone by are a year away."""
    last = last or (first.replace(day=1) + 31 * A_DAY).replace(day=1) - A_DAY
    if (last - first).days > 31:
        return None
    while last < phrase.today:
        first, last = _a_year_later(first), _a_year_later(last)
    dates = {"first": date_format(first), "last": date_format(last)}
    phrase.note(
        _("Birthdays from %(first)s to %(last)s are counted in days from today: ask again then.")
        % dates
    )
    from_now, until_now = (first - phrase.today).days, (last - phrase.today).days
    if from_now > 0:
        return _anniversary(from_now, until_now)
    coming = attribute("date_of_birth", "anniversary_in_days", until_now)
    if from_now == 0:
        return coming
    again = (_a_year_later(first) - phrase.today).days
    a_year = (_a_year_later(phrase.today) - phrase.today).days
    return any_of([coming, _anniversary(again, a_year - 1)])


def _anniversary(first: int, last: int) -> RuleJSON:
    """Return birthdays from `first` to `last` days from now."""
    until = attribute("date_of_birth", "anniversary_in_days", last)
    before = attribute("date_of_birth", "anniversary_in_days", first - 1)
    return all_of([until, {"operator": "AND", "conditions": [before], "negate": True}])


def _a_year_later(day: date) -> date:
    return day.replace(year=day.year + 1, day=28 if (day.month, day.day) == (2, 29) else day.day)


@meaning
def born_when(phrase: Phrase) -> RuleJSON | None:
    """Born in May is a birthday; born in 1990 a year."""
    with phrase.attempt() as attempt:
        when = period(phrase)
        is_near = when and when.first and when.first.year >= phrase.today.year - 1
        if when and when.first and is_near and not phrase.before(r"\d{4}"):
            attempt.keep()
            return _birthday_between(phrase, when.first, when.last)
    return date_of("date_of_birth")(phrase)


@meaning
def turning(phrase: Phrase, age: str, year: str | None) -> RuleJSON:
    return _born(int(year or phrase.today.year) - int(age))


def _born(year: int, years: int = 1) -> RuleJSON:
    return attribute("date_of_birth", "between", [f"{year}-01-01", f"{year + years - 1}-12-31"])


# Registration, activity and ages


@meaning
def registered(phrase: Phrase, long: str | None, period: Period) -> RuleJSON:
    if long and period.days is not None:
        period = Period(days=period.days, older=True)
    return remember(phrase, date_of("registered_at"), in_period("registered_at", period))


@meaning
def registered_than(phrase: Phrase) -> RuleJSON | None:
    """Leads older than 90 days; customers newer than two weeks. Older than 30 years is an age."""
    than = phrase.take(
        "(?:who are )?(?P<than>older|younger|newer) than(?= (?:\\S+ ){1,3}(?:days?|weeks?|months?)(?: |$))"
    )
    days = duration(phrase) if than else None
    if than is None or days is None:
        return None
    phrase.note(_("“%s than” is read as the time since the registration.") % than["than"].title())
    return in_period("registered_at", Period(days=days, older=than["than"] == "older"))


@meaning
def new(phrase: Phrase) -> RuleJSON:
    when = period(phrase)
    if when is None:
        phrase.note(_("“New” is read as registered in the last 30 days."))
        when = Period(days=30)
    return in_period("registered_at", when)


@meaning
def new_when(phrase: Phrase, period: Period) -> RuleJSON:
    return in_period("registered_at", period)


@meaning
def activity(phrase: Phrase) -> RuleJSON | None:
    """Inactive for 3 months, active in the last week, no activity since May, dormant."""
    recent = lately(phrase)
    word = phrase.take(
        "(?:been |gone |went |became |become )?(?:(?P<silence>inactive|dormant|silent|idle|quiet|asleep|lapsed)"
        "|active|activity|interacted(?: with us)?|engaged with us|interaction|seen|heard from)"
    )
    if not word:
        return None
    phrase.take(f"(?:at all|again|us|with us|{PEOPLE})")
    when = period(phrase) or recent
    if when is None:
        return None
    field = "last_order_at" if word["silence"] == "lapsed" else "last_interaction_at"
    rule = in_period(field, when)
    return not_(rule) if word["silence"] and not when.older else rule


def bare_age(phrase: Phrase) -> RuleJSON | None:
    """Read the 40 of "French customers over 40"."""
    if (
        phrase.at
        and phrase.tokens[phrase.at - 1] in phrase.unread
        and not phrase.before("or|and|but|,")
    ):
        return None
    if not phrase.sees(
        r"(?:aged )?(?:over|under|above|below|between|older|younger|at least)|\d\d \+|\d\d - \d\d"
    ):
        return None
    found = amount(phrase)
    if found is None or found.is_money or found.is_percent:
        return None
    if phrase.sees(f"{UNIT}|times?|euros|points"):
        return None
    if not all(10 <= each <= 120 for each in found.numbers):
        return None
    if not phrase.is_over and not phrase.sees(
        "who|that|with|in|from|and|or|but|,|except|excluding|living|\\)|on|bought|have|subscribed|tagged|without"
    ):
        return None
    phrase.note(_("A number alone is read as age."))
    return compared("age", found)


# Lists


@meaning
def came_from(phrase: Phrase, lead: str, choice: RuleJSON) -> RuleJSON:
    is_dated = re.search("signed up|joined|registered|acquired", lead)
    when = period(phrase) if is_dated else None
    return all_of([choice, in_period("registered_at", when)]) if when else choice


def _alone(field: str, kind: str, phrase: Phrase) -> RuleJSON | None:
    """VIPs; High Value customers; newsletter subscribers: a name of the data alone."""
    if (
        phrase.sees(
            "new|active|customers?|people|email|sms|all|the|in|from|no|not|and|or|over|under"
        )
        and not phrase.is_quoted
        and not phrase.token.text[:1].isupper()
    ):
        return None
    again = phrase.again
    found = list_of(phrase, field, known(kind))
    phrase.again = again
    if found is not None:
        phrase.take("segments?|tags?|subscribers?")
    return found


@meaning
def segment_alone(phrase: Phrase) -> RuleJSON | None:
    return _alone("segment", "segment", phrase)


@meaning
def tag_alone(phrase: Phrase) -> RuleJSON | None:
    return _alone("tags", "tag", phrase)


_GENDERS = {
    "women|woman|females?|ladies": ("female", "f", "woman", "w"),
    "men|man|males?|gentlemen": ("male", "m", "man"),
}


@meaning
def gender(phrase: Phrase) -> RuleJSON | None:
    """Women: only if the data has an attribute for it."""
    for words, values in _GENDERS.items():
        if phrase.sees(words):
            key = phrase.name("gender")
            phrase.take(words)
            return one_of(ATTRIBUTE + key.value, values) if key else None
    return None


@meaning
def attribute_with_key(phrase: Phrase) -> RuleJSON | None:
    """Loyalty tier is gold; household over 2; attribute "income" is known."""
    phrase.take("(?:(?:whose|with|having|have|has|an?|the|their|attribute) )+(?=.)")
    key = phrase.take_name("key")
    if key is None:
        return None
    field = ATTRIBUTE + key.value
    if phrase.take("attributes?"):
        return attribute(field, "is_set")
    read = partial(_compared_attribute, field)
    rule = read(phrase)
    return remember(phrase, read, rule) if rule else None


def _compared_attribute(field: str, phrase: Phrase) -> RuleJSON | None:
    phrase.take("(?:size|level|number|value|status)(?= )")
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


@meaning
def counted_attribute(phrase: Phrase, amount: Amount) -> RuleJSON | None:
    key = phrase.take_name("key")
    return compared(ATTRIBUTE + key.value, amount) if key else None


@meaning
def attribute_value(phrase: Phrase) -> RuleJSON | None:
    """Gold members, on the gold plan: a value of the data names its attribute."""
    phrase.take("(?:on|in|with) (?:(?:the|our|an?) )?(?=.)")
    name = phrase.take_name("value")
    if name is None:
        return None
    value, *keys = name.value.split("\n")
    if (named := phrase.name("key")) and named.value in keys:
        phrase.take_name("key")
        keys = [named.value]
    phrase.take("(?:members?|level|tier|status|customers?)(?= |$)")
    for key in keys:
        names = {"value": value, "key": key}
        phrase.note(_("“%(value)s” is read as the attribute %(key)s.") % names)
    return any_of([attribute(ATTRIBUTE + key, "=", value) for key in keys])


# Places


@meaning
def from_place(phrase: Phrase) -> RuleJSON | None:
    """French customers; Germans; US-based; London shoppers."""
    named = phrase.name(*PLACES)
    if named is None or (
        named.kind in {"city", "new city", "new region"} and not phrase.token.text[:1].isupper()
    ):
        return None
    rule = places(phrase, "new")
    phrase.take("(?:- )?(?:based|residents?|nationals?|citizens?)")
    return rule
