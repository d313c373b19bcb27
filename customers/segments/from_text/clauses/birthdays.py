"""Birthdays to come, and when people were born."""

from __future__ import annotations

from datetime import date, timedelta

from django.utils.translation import gettext as _

from customers.segments.from_text.clauses.reading import date_of
from customers.segments.from_text.conditions import all_of, any_of, attribute
from customers.segments.from_text.periods import period
from customers.segments.from_text.phrase import Phrase, Rule

A_DAY = timedelta(days=1)
_BIRTHDAY = (
    "(?:(?:whose|with|have|having|has|celebrat(?:e|ing|es)|their|an?|upcoming|is|are) )*"
    "(?:birth ?days?|anniversary of (?:their )?birth)"
    "|(?:are )?turning(?: a year older)?(?= (?:today|this|next|in))"
)


def birthday(phrase: Phrase) -> Rule | None:
    """Birthday next week, this month, in March, in the next 10 days, today."""
    if not phrase.take(_BIRTHDAY):
        return None
    phrase.take("(?:is|are|falls?|coming up|come up|on|happening|that is)")
    with phrase.attempt() as attempt:
        if phrase.take(
            "(?:(?:in|within|during) )?(?:the )?(?:next|coming|upcoming|following) (?:week|7 days"
            "|seven days)|(?:in |within )?this (?:coming )?week|soon|(?:within|in) (?:a|one|1) week"
        ):
            phrase.note(_("The birthday is looked for from today to 7 days from now."))
            attempt.keep()
            return attribute("date_of_birth", "anniversary_in_days", 7)
    if phrase.take("today"):
        return attribute("date_of_birth", "anniversary_in_days", 0)
    if phrase.take("tomorrow"):
        return _anniversary(1, 1)
    ahead = period(phrase)
    if ahead is None:
        return None
    if ahead.days is not None:
        return attribute("date_of_birth", "anniversary_in_days", ahead.days)
    if ahead.first is None:
        return None
    return _birthday_between(phrase, ahead.first, ahead.last)


def _birthday_between(phrase: Phrase, first: date, last: date | None) -> Rule | None:
    """The days of that month as they come next: rules look for birthdays from today on, so those that were this month are a year away."""
    last = last or _end_of_month(first)
    if (last - first).days > 31:
        return None
    phrase.note(_("Birthdays are counted from today: ask again next month."))
    while last < phrase.today:
        first, last = _a_year_later(first), _a_year_later(last)
    from_now = (first - phrase.today).days
    until_now = (last - phrase.today).days
    if from_now > 0:
        return _anniversary(from_now, until_now)
    if from_now == 0:
        return attribute("date_of_birth", "anniversary_in_days", until_now)
    coming = attribute("date_of_birth", "anniversary_in_days", until_now)
    again = (_a_year_later(first) - phrase.today).days
    a_year = (_a_year_later(phrase.today) - phrase.today).days
    return any_of([coming, _anniversary(again, a_year - 1)])


def _anniversary(first: int, last: int) -> Rule:
    """So many days from now, both included."""
    until = attribute("date_of_birth", "anniversary_in_days", last)
    before = attribute("date_of_birth", "anniversary_in_days", first - 1)
    return all_of([until, {"operator": "AND", "conditions": [before], "negate": True}])


def _a_year_later(day: date) -> date:
    return day.replace(year=day.year + 1, day=28 if (day.month, day.day) == (2, 29) else day.day)


def _end_of_month(day: date) -> date:
    return (day.replace(day=1) + 31 * A_DAY).replace(day=1) - A_DAY


def born(phrase: Phrase) -> Rule | None:
    """Born in 1990, before 1980, in the 80s, between 1980 and 1989."""
    if not phrase.take(
        "(?:born|date of birth|birth ?date|dob|birth year|year of birth)(?: is| was)?"
    ):
        return None
    if decade := phrase.take(r"(?:in )?(?:the )?(?P<decade>(?:19)?[3-9]0s|(?:20)[01]0s)"):
        digits = decade["decade"].removesuffix("s")
        first = int(digits) if len(digits) == 4 else 1900 + int(digits)
        return attribute("date_of_birth", "between", [f"{first}-01-01", f"{first + 9}-12-31"])
    with phrase.attempt() as attempt:
        when = period(phrase)
        if (
            when
            and when.first
            and when.first.year >= phrase.today.year - 1
            and not phrase.before(r"\d{4}")
        ):
            attempt.keep()
            return _birthday_between(phrase, when.first, when.last)
    return date_of("date_of_birth")(phrase)


def turning(phrase: Phrase) -> Rule | None:
    """Turning 40 this year."""
    found = phrase.take(
        r"(?:turn|turns|turning|turned|will be|reach|reaching) (?P<age>\d{1,3})(?: years old)? (?:this year|in (?P<year>\d{4}))"
    )
    if found is None:
        return None
    year = int(found["year"] or phrase.today.year) - int(found["age"])
    return attribute("date_of_birth", "between", [f"{year}-01-01", f"{year}-12-31"])


CLAUSES = (birthday, born, turning)
