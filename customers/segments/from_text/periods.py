"""Read periods: in the last two weeks, since March 2025, for 90 days, last month, between May and July, 6 months ago."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from customers.segments.from_text.amounts import number
from customers.segments.from_text.dates import Days, days
from customers.segments.from_text.phrase import Phrase

A_DAY = timedelta(days=1)
RECENT_DAYS = 30
_UNITS = {
    "hours?|hrs?|h": Decimal(1) / 24,
    "days?|d": Decimal(1),
    "weeks?|wks?|w": Decimal(7),
    "fortnights?": Decimal(14),
    "months?|mos?|mths?": Decimal(30),
    "quarters?": Decimal(90),
    "years?|yrs?|y": Decimal(365),
}
UNIT = "|".join(_UNITS)
_COUNTED_IN_DAYS = "hours?|hrs?|h|days?|d|weeks?|wks?|w|fortnights?"
_LAST = "(?:the |our )?(?:last|past|previous|recent|trailing|preceding|most recent)"
_ONWARDS = "on|onwards?|on ?wards|and later|or later"
_MORE = "(?:over|more than|longer than|at least|upwards of|greater than|>)"
_LESS = "less than|under|fewer than|within|up to|no more than|not more than|at most|<"


@dataclass(frozen=True, slots=True)
class Period:
    """The last (`ahead`: the next) days, or with `older` all before them; or from a first to a last day, of which one may be open."""

    days: int | None = None
    first: date | None = None
    last: date | None = None
    older: bool = False
    ahead: bool = False

    @property
    def reaches_now(self) -> bool:
        """Return whether the date of the last event decides if there was one in the period."""
        return self.days is not None or self.last is None


def period(phrase: Phrase) -> Period | None:
    """Read a period."""
    for read in (_rolling, _ago, _calendar, _bare_duration, lately):
        with phrase.attempt() as attempt:
            found = read(phrase)
            if found is not None:
                attempt.keep()
                return found
    return None


def duration(phrase: Phrase) -> int | None:
    """Read a number of days: 90 days, two weeks, a year, half a year, a year and a half."""
    with phrase.attempt() as attempt:
        start = phrase.at
        if phrase.take(f"half(?: an?)?(?= (?:{UNIT})(?: |$))"):
            value: Decimal | None = Decimal("0.5")
        elif phrase.take(f"an?(?= (?:full |whole |half )?(?:{UNIT})(?: |$))"):
            value = Decimal(1)
        else:
            value = number(phrase)
        phrase.take("-|full|whole|calendar|consecutive")
        unit = phrase.take(UNIT)
        if value is None or not unit:
            return None
        if phrase.take("and a half"):
            value += Decimal("0.5")
        attempt.keep()
        return _in_days(phrase, start, value, unit[0])


def _rolling(phrase: Phrase) -> Period | None:
    """Read "in the last N days" or "in the next N days"."""
    is_rolling = "(?:(?:at any time |any ?time )?(?:in|within|over|during|for|throughout|of|from|inside|since) )?"
    if phrase.take(
        f"{is_rolling}(?:the (?:next|coming|upcoming|following)|(?:next|coming)(?= \\S+ (?:{UNIT})(?: |$)))(?= )"
    ):
        ahead = duration(phrase) or _one_unit(phrase)
        return None if ahead is None else Period(days=ahead, ahead=True)
    with phrase.attempt() as attempt:
        if phrase.take(f"{is_rolling}{_LAST}(?= )"):
            found = duration(phrase)
            if found is not None:
                attempt.keep()
                return Period(days=found)
    named = phrase.sees(f"{is_rolling}(?:(?P<the>the|our) )?(?P<turn>last|past) (?P<unit>{UNIT})")
    if named and (named["the"] or named["turn"] == "past"):
        phrase.take(f"{is_rolling}(?:the |our )?(?:last|past)")
        return Period(days=_one_unit(phrase))
    return None


def _one_unit(phrase: Phrase) -> int | None:
    start, unit = phrase.at, phrase.take(UNIT)
    return _in_days(phrase, start, Decimal(1), unit[0]) if unit else None


def _ago(phrase: Phrase) -> Period | None:
    phrase.take("(?:as |back )?(?:on|in)(?= )")
    if between := _between_ago(phrase):
        return between
    is_more = bool(phrase.take(_MORE))
    is_less = not is_more and bool(phrase.take(_LESS))
    is_since = not (is_more or is_less) and bool(phrase.take("since"))
    is_before = not (is_more or is_less or is_since) and bool(phrase.take("before|earlier than"))
    found = duration(phrase)
    if found is None or not phrase.take("ago|back|old|in the past|previously"):
        return None
    if is_more or is_before or phrase.take("or (?:more|longer|earlier)"):
        return Period(days=found, older=True)
    if is_less or is_since or phrase.take("or (?:less|later|sooner)"):
        return Period(days=found)
    day = phrase.today - found * A_DAY
    return Period(first=day, last=day)


def _between_ago(phrase: Phrase) -> Period | None:
    """Read "between 30 and 90 days ago" as calendar days."""
    with phrase.attempt() as attempt:
        phrase.take("between|from")
        nearest = number(phrase)
        unit = phrase.take(UNIT)
        joined = phrase.take("and|to|-") if nearest is not None else None
        farthest = duration(phrase) if joined else None
        if nearest is None or farthest is None or not phrase.take("ago|back"):
            return None
        last_unit = unit[0] if unit else phrase.tokens[phrase.at - 2].word
        days_back = _in_days(phrase, phrase.at, nearest, last_unit)
        attempt.keep()
        return Period(first=phrase.today - farthest * A_DAY, last=phrase.today - days_back * A_DAY)


def _calendar(phrase: Phrase) -> Period | None:
    if phrase.take("year to date|ytd|so far this year|this year so far"):
        return Period(first=phrase.today.replace(month=1, day=1))
    if phrase.take("between|from(?= .+ (?:to|until|till|through|-) )"):
        if within := _within_a_month(phrase):
            return within
        first = days(phrase)
        last = days(phrase) if first and phrase.take("and|to|until|till|through|-") else None
        if first and last and first.first > last.last:  # between January and March 2025
            first = Days(first.first.replace(day=1, year=last.first.year), first.last)
        if first and last and first.first <= last.last:
            return Period(first=first.first, last=last.last)
        return None
    word = phrase.take(
        "(?:ever )?since|starting(?: from| in| on)?|from|after|later than|before|prior to|earlier than|until|till|by|up to"
        "|on or after|on or before|through|(?:any ?time )?(?:in|during|on|throughout|within|for|over|of)"
    )
    found = days(phrase)
    if found is None:
        return None
    match word[0].removeprefix("ever ") if word else "in":
        case "after" | "later than":
            return Period(first=found.last + A_DAY)
        case "since" | "on or after" | "starting" | "starting from" | "starting in" | "starting on":
            phrase.take(_ONWARDS)
            return Period(first=found.first)
        case "from" if phrase.take(_ONWARDS) or found.first == found.last:
            return Period(first=found.first)
        case "before" | "prior to" | "earlier than":
            return Period(last=found.first - A_DAY)
        case "until" | "till" | "by" | "up to" | "through" | "on or before":
            return Period(last=found.last)
    if phrase.take("or (?:later|after|since)"):
        return Period(first=found.first)
    if phrase.take("or (?:earlier|before)"):
        return Period(last=found.last)
    is_running = found.first <= phrase.today <= found.last
    return Period(
        first=found.first, last=None if is_running and found.first < found.last else found.last
    )


def _within_a_month(phrase: Phrase) -> Period | None:
    """Read "between 1 and 15 October"."""
    with phrase.attempt() as attempt:
        opened = phrase.take(
            r"(?:the )?(?P<day>\d{1,2})(?:st|nd|rd|th)? (?:and|to|until|till|through|-)"
        )
        last = days(phrase) if opened else None
        if opened is None or last is None or last.first != last.last:
            return None
        day = int(opened["day"])
        if not 1 <= day <= last.last.day:
            return None
        attempt.keep()
        return Period(first=last.last.replace(day=day), last=last.last)


def _bare_duration(phrase: Phrase) -> Period | None:
    """Read "for 90 days", "in over a year", "within two weeks": from then to now."""
    if not phrase.take(
        f"(?:in|within|for|over|inside|since|during)(?: the space of| a period of| about)?(?: {_MORE})?(?= )"
    ):
        return None
    found = duration(phrase)
    if found is None:
        return None
    phrase.take("or (?:more|longer)|now|straight|in a row")
    return Period(days=found)


def lately(phrase: Phrase) -> Period | None:
    """Read "recently" or "lately" as RECENT_DAYS, and note it."""
    if not phrase.take("recently|lately|these days|of late"):
        return None
    phrase.note(_("“Recently” is read as in the last %s days.") % RECENT_DAYS)
    return Period(days=RECENT_DAYS)


def _in_days(phrase: Phrase, start: int, value: Decimal, unit: str) -> int:
    length = next(length for names, length in _UNITS.items() if unit in _spelled(names))
    found = math.ceil(value * length)
    if length == 30:
        found += 5 * int(value // 12)  # twelve months are a year
    if unit not in _spelled(_COUNTED_IN_DAYS):
        written = " ".join(token.text for token in phrase.tokens[start : phrase.at])
        counted = ngettext("%s day", "%s days", found) % found
        phrase.note(
            _("“%(written)s” is counted as %(days)s.") % {"written": written, "days": counted}
        )
    return found


def _spelled(names: str) -> set[str]:
    return {
        form
        for name in names.split("|")
        for form in (name.replace("s?", ""), name.replace("?", ""))
    }
