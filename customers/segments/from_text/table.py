"""The table of patterns: what can be said about a customer, row by row."""

from __future__ import annotations

import re
from datetime import date, timedelta
from functools import partial

from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.segments.from_text import events, purchases
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
from customers.segments.from_text.patterns import after, row
from customers.segments.from_text.periods import UNIT, Period, lately, period
from customers.segments.from_text.phrase import Phrase, RuleJSON
from customers.segments.from_text.slots import (
    IS,
    Clause,
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
from customers.segments.from_text.vocabulary import PEOPLE
from customers.segments.language.fields import ATTRIBUTE

A_DAY = timedelta(days=1)
_NEXT = "and|or|but|who|that|,|from|in|except|with|have|\\)"
_HERE = f"(?= (?:{_NEXT})(?: |$)|$)"
"""Before a connective, or at the end."""

# Languages

LANGUAGE = (
    row(
        "(?:speak|speaks|speaking|language|languages|whose language|preferred language|prefer)(?: (?:is|=|:|are|of))?(?= )"
        "<choice:language>"
    ),
    row("<choice:language>(?:- )?(?:speaking|speakers?|language|speak)"),
)

# Texts

_FIELDS = {
    "email": "email(?:s)?(?: addresse?s?| domains?)?",
    "first_name": "(?:first|given) names?",
    "last_name": "(?:last|family) names?|surnames?",
    "name": "(?:full )?names?",
    "phone": "(?:phone|mobile|telephone|cell)(?: ?numbers?| phones?)?",
    "city": "city|cities|town",
    "region": "region|state|province|county",
    "country": "country|countries",
    "language": "language|preferred language",
    "timezone": "time ?zone",
    "external_id": "external id|customer id|customer number",
    "source": "source|acquisition source|acquisition channel|signup source",
    "date_of_birth": "birth ?days?|date of birth|birth ?date|dob",
    "registered_at": "registration date|sign ?up date",
}
_DOMAIN = r"[\w-]+(?:\.[\w-]+)+"
_MAIL_HOSTS = ("gmail", "hotmail", "outlook", "yahoo", "icloud", "aol")
_MISSING = "(?:who are |are |is |with |whose |have |has |an? )*(?:missing|lacking|lack|lacks|unknown|no known)"


def _at_domain(phrase: Phrase, **domains: str | None) -> RuleJSON:
    return attribute("email", "ends_with", f"@{next(filter(None, domains.values()))}")


def _called(phrase: Phrase, value: str) -> RuleJSON:
    return attribute("name" if " " in value else "first_name", "=", value)


TEXTS = (
    *(
        row(
            f"(?:with |using |use |have |has )*(?:an? )?{host}(?: (?:address(?:es)?|accounts?|users?|emails?(?: addresse?s?)?))+",
            attribute("email", "ends_with", f"@{host}.com"),
        )
        for host in _MAIL_HOSTS
    ),
    row(
        rf"(?:(?:with|using|use|have|has|an?|whose|their) )*(?:{_FIELDS['email']}) (?:(?:is|are) )?(?:at|from|on|@) @?(?P<at>{_DOMAIN})"
        rf"|(?:(?:with|using|use|have|has|an?) )*@?(?P<before>{_DOMAIN}) (?:addresse?s?|accounts?|emails?)(?: addresse?s?)?"
        rf"|@(?P<alone>{_DOMAIN})",
        _at_domain,
    ),
    *(
        row(f"(?:(?:whose|with|having|their|the|an?|have|has) )*(?:{noun})<text:{field}>")
        for field, noun in _FIELDS.items()
    ),
    row("(?:called|named)<value>", _called),
    *(
        row(
            f"{_MISSING}(?: both)?(?: (?:an?|any|their|the))* (?:{noun})",
            attribute(field, "is_not_set"),
        )
        for field, noun in _FIELDS.items()
    ),
)

_HAVING = "with|have|has|no|without|having|a|an|any|provided|gave|not|given|us"
_PRESENT = [
    row(
        f"(?:(?:an?|any|their|the|us|valid|known) )*(?:{noun})(?: (?:on file|known|set|on record|given))?"
        "(?! (?:is|was|in|on|over|next|this|within|today|between|score|>|<))",
        attribute(field, "is_set"),
    )
    for field, noun in _FIELDS.items()
]


def _presence(phrase: Phrase) -> RuleJSON | None:
    """With a phone number; not with an e-mail address and a birthday."""
    if not phrase.before(_HAVING):
        return None
    phrase.take("both ")
    rule = _present(phrase)
    return remember(phrase, _present, rule) if rule else None


def _present(phrase: Phrase) -> RuleJSON | None:
    return next((rule for read in _PRESENT if (rule := read(phrase))), None)


# Scores

_SCORES = {
    "engagement_score": "(?:(?:score|level) of )?engagement(?: scores?| levels?)?",
    "churn_risk": "(?:churn(?: risks?| probability| scores?| likelihood)|(?:risk|chance|likelihood|probability) of churn(?:ing)?"
    "|likelihood to churn|risk to churn)(?: scores?)?",
    "satisfaction": "(?:customer )?satisfaction(?: scores?| ratings?)?|csat",
    "recency_score": "recency(?: scores?)?|r score",
    "frequency_score": "frequency(?: scores?)?|f score",
    "monetary_score": "monetary(?: value)?(?: scores?)?|m score",
}
_LEVEL = "(?:(?:with|an?|whose|having|at|of|very) )*(?P<level>high|higher|low|lower|medium|moderate|good|great|bad|poor)(?= )"
_ITS = "(?:(?:whose|with|their|an?|the) )?(?:(?:average|avg|mean|overall) )?(?:(?:whose|with|their|an?|the|having) )*"


def _level(field: str, phrase: Phrase, level: str) -> RuleJSON:
    return level_of(phrase, field, level)


def _score(field: str, phrase: Phrase, amount: Amount) -> RuleJSON:
    return compared_score(field, amount)


SCORES = (
    *(row(f"{_LEVEL} {_ITS}(?:{noun})", partial(_level, field)) for field, noun in _SCORES.items()),
    *(row(f"{_ITS}(?:{noun})<score:{field}>") for field, noun in _SCORES.items()),
    *(
        row(rf"<amount>(?:points? )?(?:of |in |out of \d+ )?(?:{noun})", partial(_score, field))
        for field, noun in _SCORES.items()
    ),
)

# Birthdays

_BIRTHDAY = (
    "(?:(?:whose|with|have|having|has|celebrat(?:e|ing|es)|their|an?|upcoming|is|are) )*"
    "(?:birth ?days?|anniversary of (?:their )?birth)|(?:are )?turning(?: a year older)?(?= (?:today|this|next|in))"
)
_FALLS = "(?: (?:is|are|falls?|coming up|come up|on|happening|that is))?"
_THIS_WEEK = (
    "(?:(?:in|within|during) )?(?:the )?(?:next|coming|upcoming|following) (?:week|7 days|seven days)"
    "|(?:in |within )?this (?:coming )?week|soon|(?:within|in) (?:a|one|1) week"
)


def _soon(phrase: Phrase) -> RuleJSON:
    phrase.note(_("The birthday is looked for from today to 7 days from now."))
    return attribute("date_of_birth", "anniversary_in_days", 7)


def _birthday_in(phrase: Phrase, period: Period) -> RuleJSON | None:
    if period.days is not None:
        return attribute("date_of_birth", "anniversary_in_days", period.days)
    return _birthday_between(phrase, period.first, period.last) if period.first else None


def _birthday_between(phrase: Phrase, first: date, last: date | None) -> RuleJSON | None:
    """Return the next such days: rules look for birthdays from today on, so days gone by are a year away."""
    last = last or (first.replace(day=1) + 31 * A_DAY).replace(day=1) - A_DAY
    if (last - first).days > 31:
        return None
    phrase.note(_("Birthdays are counted from today: ask again next month."))
    while last < phrase.today:
        first, last = _a_year_later(first), _a_year_later(last)
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


def _born_in_decade(phrase: Phrase, decade: str) -> RuleJSON:
    digits = decade.removesuffix("s")
    return _born(int(digits) if len(digits) == 4 else 1900 + int(digits), 10)


def _born(year: int, years: int = 1) -> RuleJSON:
    return attribute("date_of_birth", "between", [f"{year}-01-01", f"{year + years - 1}-12-31"])


def _born_when(phrase: Phrase) -> RuleJSON | None:
    """Born in May is a birthday; born in 1990 a year."""
    with phrase.attempt() as attempt:
        when = period(phrase)
        is_near = when and when.first and when.first.year >= phrase.today.year - 1
        if when and when.first and is_near and not phrase.before(r"\d{4}"):
            attempt.keep()
            return _birthday_between(phrase, when.first, when.last)
    return date_of("date_of_birth")(phrase)


def _turning(phrase: Phrase, age: str, year: str | None) -> RuleJSON:
    return _born(int(year or phrase.today.year) - int(age))


_BORN = "(?:born|date of birth|birth ?date|dob|birth year|year of birth)(?: is| was)?"
BIRTHDAYS = (
    row(f"(?:{_BIRTHDAY}){_FALLS} (?:{_THIS_WEEK})", _soon),
    row(f"(?:{_BIRTHDAY}){_FALLS} today", attribute("date_of_birth", "anniversary_in_days", 0)),
    row(f"(?:{_BIRTHDAY}){_FALLS} tomorrow", _anniversary(1, 1)),
    row(f"(?:{_BIRTHDAY}){_FALLS}<period>", _birthday_in),
    row(rf"{_BORN} (?:in )?(?:the )?(?P<decade>(?:19)?[3-9]0s|(?:20)[01]0s)", _born_in_decade),
    row(_BORN, _born_when),
    row(
        r"(?:turn|turns|turning|turned|will be|reach|reaching) (?P<age>\d{1,3})(?: years old)? (?:this year|in (?P<year>\d{4}))",
        _turning,
    ),
)

# Ages, registration, activity, lifecycle

_EVERYONE = (
    rf"\A(?:(?:show|me|give|list|find|target|all|our|my|the|of|every|entire|whole|full) )*(?:{PEOPLE}|customer base|database|list)"
    "(?: (?:we have|in the database|there are|there is|i have|please))?$"
)
_GENERATIONS = {
    "gen(?:eration)? ?z(?:ers?)?|zoomers?": (1997, 2012),
    "millennials?|gen(?:eration)? ?y": (1981, 1996),
    "gen(?:eration)? ?x(?:ers?)?": (1965, 1980),
    "(?:baby )?boomers?": (1946, 1964),
}
_REGISTERED = (
    "(?=(?P<long>(?:(?:have |has )?been|(?:customers?|members?|clients?) for)(?= |$))?)(?:(?:first|newly|recently) )?(?:have |has )?"
    "(?:registered|register|joined|join|signed up|sign up|enrolled|became (?:a )?(?:customers?|members?|leads?)"
    "|(?:were|was) (?:created|added|acquired)|created(?: an account)?|acquired|opened an account|added|came on board|onboarded"
    "|(?:customers?|members?)(?= since)|been (?:a )?(?:customers?|members?|with us)"
    "|(?:customers?|members?|clients?)(?= for (?:at least|over|more than|longer than)))"
)
_WITH_US = "(?:with us|to us|us|as (?:a )?(?:customers?|members?)|for an account|on the (?:site|website)|an account)?"
_SIGN_UPS = f"(?:{PEOPLE}|sign ?ups?|registrations?)"
_LATEST = "(?:whose |their |the |with )*(?:last|latest|most recent)"
_SILENCE = "inactive|dormant|silent|idle|quiet|asleep|lapsed"
_ACTIVITY = (
    f"(?:been |gone |went |became |become )?(?:(?P<silence>{_SILENCE})"
    "|active|activity|interacted(?: with us)?|engaged with us|interaction|seen|heard from)"
)
_AGED = "(?:whose |with |an? |their )*(?:aged?|ages)(?: group| range)?(?: (?:is|of|=|:|are|in))?(?: the)?"
_BOUNDED = f"(?:(?:{IS}|those) (?=over|under|between|older|younger|above|below|more|at|less|\\d))?"
_DECADES = "twenties|thirties|forties|fifties|sixties|seventies|eighties"


def _registered(phrase: Phrase, long: str | None, period: Period) -> RuleJSON:
    if long and period.days is not None:
        period = Period(days=period.days, older=True)
    return remember(phrase, date_of("registered_at"), in_period("registered_at", period))


def _new(phrase: Phrase) -> RuleJSON:
    when = period(phrase)
    if when is None:
        phrase.note(_("“New” is read as registered in the last 30 days."))
        when = Period(days=30)
    return in_period("registered_at", when)


def _activity(phrase: Phrase) -> RuleJSON | None:
    """Inactive for 3 months, active in the last week, no activity since May, dormant."""
    recent = lately(phrase)
    word = phrase.take(_ACTIVITY)
    if not word:
        return None
    phrase.take(f"(?:at all|again|us|with us|{PEOPLE})")
    when = period(phrase) or recent
    if when is None:
        return None
    field = "last_order_at" if word["silence"] == "lapsed" else "last_interaction_at"
    rule = in_period(field, when)
    return not_(rule) if word["silence"] and not when.older else rule


def _decade(phrase: Phrase, age: str, part: str | None = None) -> RuleJSON:
    names = _DECADES.split("|")
    first = (names.index(age) + 2) * 10 if age in names else int(age[:2])
    low, high = {"early": (0, 3), "mid": (4, 6), "late": (7, 9)}.get(part or "", (0, 9))
    return attribute("age", "between", [first + low, first + high])


def _side_of_age(phrase: Phrase, side: str, amount: Amount) -> RuleJSON:
    operator = ">" if side in {"older", "over", "above"} else "<"
    return attribute("age", operator, amount.json)


def _over_or_under(phrase: Phrase, side: str, age: str) -> RuleJSON:
    return attribute("age", ">" if side == "over" else "<", int(age))


def bare_age(phrase: Phrase) -> RuleJSON | None:
    """The 40 of "French customers over 40"."""
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
    if phrase.unread and phrase.unread[-1] in phrase.tokens[: phrase.at][-2:]:
        return None
    if not phrase.is_over and not phrase.sees(
        f"{_NEXT}|excluding|living|on|bought|subscribed|tagged|without"
    ):
        return None
    phrase.note(_("A number alone is read as age."))
    return compared("age", found)


PERSON: tuple[Clause, ...] = (
    row(_EVERYONE, {"operator": "AND", "conditions": []}),
    *(
        row(
            words,
            attribute("date_of_birth", "between", [f"{first}-01-01", f"{last}-12-31"]),
            read_as=format_lazy(
                gettext_lazy("born from {first} to {last}"), first=first, last=last
            ),
        )
        for words, (first, last) in _GENERATIONS.items()
    ),
    row("teenagers?|teens", attribute("age", "between", [13, 19])),
    row("adults?", attribute("age", ">=", 18)),
    row("minors?|under ?age", attribute("age", "<=", 17)),
    row("pensioners|seniors?(?: citizens?)?|retirees|elderly", attribute("age", ">=", 65)),
    row(
        "(?:whose |their |the |with )*(?:registration|sign ?up|registered at)(?: date)?<date:registered_at>"
    ),
    row(f"{_REGISTERED}(?: {_WITH_US})?<period>", _registered),
    row(
        f"(?:new|newest|newly (?:registered|acquired)|recent)(?= (?:{_SIGN_UPS}|subscribers?)(?: |$))(?: {_SIGN_UPS})?",
        _new,
    ),
    row(
        f"{_LATEST} (?:activity|interaction|interacted|active|contact|engagement|touch ?point|seen)(?: at)?<date:last_interaction_at>"
    ),
    _activity,
    row(f"{_AGED}<age:said>"),
    row(f"{_AGED}<number:age>"),
    row(
        rf"in (?:their|his|her) (?:(?P<part>early|mid|late) )?(?P<age>[2-9]0s|{_DECADES})", _decade
    ),
    row("(?P<age>[2-9]0) (?:- )?somethings?", _decade),
    row(r"(?P<side>over|under) (?:the age of |age )?(?P<age>\d{2})s", _over_or_under),
    row(
        f"{_BOUNDED}(?P<side>older|younger|over|under|above|below)(?: than)?(?: the)? age(?: of)?<amount>",
        _side_of_age,
    ),
    row(f"{_BOUNDED}(?=(?:no |not )?(?:older|younger)(?: |$))<age:said>"),
    row(f"{_BOUNDED}<age>"),
    row(
        "(?:(?:with|whose|have|has|in|an?|the|their|is) )*(?:lifecycle|life cycle)?(?: ?(?:status|stage|state))?"
        "(?: (?:is|of|=|:|equals))?(?: (?:set to|either))?<choice:lifecycle_status>"
    ),
)

# Lists

_SUBSCRIBED = (
    "(?:(?:are |is |been |have |has )*(?:subscribed|subscribe|subscribes|opted (?:- )?in|opt in|signed up|consented|agreed)"
    "(?: to| for| on| by| via)?(?: (?:receive|receiving|get|our|the|marketing|be reached))*"
    "|(?:can |could |may |who )*(?:be )?(?:reachable|reached|contacted|contactable|emailable|messaged|written to)"
    "(?: (?:by|on|via|through|with|over))?"
    "|(?:allow|allows|accept|accepts|permit|want|wants|get|gave consent (?:to|for)|(?:have |has |with )?(?:given )?"
    "(?:consent|permission|opt ins?)(?: (?:to|for|on))?)(?: (?:us|marketing|our|the))*)"
)
_OPTED_OUT = (
    "(?:have |has |are |is )*(?:unsubscribed from|opted (?:- )?out of|opted out from|not reachable (?:by|on)|unreachable (?:by|on))"
    "(?: (?:our|the|marketing|receiving))*"
)
_BY = "(?: (?:by|to|on|via|for|both|either)(?= ))?"
_MESSAGES = "(?:marketing|messages?|notifications?|communications?|newsletters?|campaigns?)?"
_WE_CAN = "(?:(?:that|who|whom) )?(?:we|you|i) (?:can|may|could|are allowed to)"
_TAGGED = "(?:(?:with|have|has|having|are|carrying|whose|an?|the|any of|all|both|either|one of) )*"
_LIKES = (
    "(?:(?:are|with|have|has|is|an?|whose|showed|shown|expressed|show) )*"
    "(?:interested|interests?|into|(?:fans?|lovers?)(?= of)|likes?|loves?|enjoys?|keen|fond)(?= )"
    "(?: (?:in|on|of|is|are|include|includes|contain|contains|=|:))*(?: (?:both|either))?(?: (?:in|the)(?= ))?"
)
_IN_SEGMENT = (
    f"(?:(?:(?:who|are|is|those|the|already|currently|being|both|either|part|belong|belongs|belonging|{PEOPLE}) )*"
    "(?:in|of|to|from|within|inside)(?: (?:the|our|my|both|either|any of))*(?: segments?)?(?: (?:called|named))?"
    "|(?:the )?segments?(?: (?:is|=|:|called|named))?|(?:the|our)(?= ))?"
)
_CAME_FROM = (
    "(?:(?:who|that|were|was|have|has) )*(?:came|come|coming|acquired|arrived|sourced|found us|signed up|joined|referred"
    "|registered)? ?(?:to us )?(?:from|via|through|by|over|on|thanks to)(?: (?:a|an|the|our))?"
)
_ANY_OF = {
    "tags": "tags?",
    "interests": "interests?",
    "segment": "segments?",
    "subscribed": "anything|any channel|channels?",
}
_FAVOURITE = "(?:whose |with |their |an? )*(?:favou?rite|preferred|top|main)"


def _opted_out(phrase: Phrase, choice: RuleJSON) -> RuleJSON:
    return not_(choice)


def _came_from(phrase: Phrase, lead: str, choice: RuleJSON) -> RuleJSON:
    is_dated = re.search("signed up|joined|registered|acquired", lead)
    when = period(phrase) if is_dated else None
    return all_of([choice, in_period("registered_at", when)]) if when else choice


LISTS: tuple[Clause, ...] = (
    *(
        row(
            "(?:(?:in|subscribed to|opted in to|reachable (?:on|by|via)) (?=any|a |segment))?"
            f"{after('with|without|no|have|has|having|not|in|to|on|by|via')}(?:(?:an?|any|some|at least one|the) )?"
            f"(?:{words})(?: at all| set)?(?= (?:and|or|but|who|that|,|from|except|\\)|with|have)(?: |$)|$)",
            attribute(field, "is_set"),
        )
        for field, words in _ANY_OF.items()
    ),
    row(f"{_OPTED_OUT}{_BY}<choice:subscribed>{_MESSAGES}", _opted_out),
    row(f"{_SUBSCRIBED}{_BY}<list:subscribed>{_MESSAGES}"),
    row(
        "(?:reachable|contactable) (?:at all|somehow|on any channel|by any channel)",
        attribute("subscribed", "is_set"),
    ),
    row(
        "<choice:subscribed>(?:- )?(?:subscribers?|opt (?:- )?ins?|opted in|consent|reachable|permission)",
    ),
    row(
        f"{_WE_CAN} (?:reach|contact|write to|message|talk to)(?: (?:by|on|via|through|over))(?: to)?(?= )<choice:subscribed>"
    ),
    row(f"{_WE_CAN}(?= )<verbs:subscribed>"),
    row(
        "(?:whose |with |their )*(?:prefer|prefers|preferred channel|preferring|favou?rite channel)"
        "(?: (?:is|of|=|:|to be (?:reached|contacted) (?:by|on|via)|being contacted (?:by|via)))?<choice:preferred_channel>"
    ),
    row(f"{_FAVOURITE} category(?: (?:is|of|=|:|are))?<choice:favourite_category>"),
    row(f"{_FAVOURITE} brand(?: (?:is|of|=|:|are))?<choice:favourite_brand>"),
    row(
        f"{_TAGGED}(?:tagged|labell?ed|marked|tags?)(?: (?:as|with|is|are|=|:|include|includes|contain|contains|of|either|both|any of))*"
        "(?: (?:as|with|is|the|either|both)(?= ))?<new:tags>(?:tags?)?",
    ),
    row(f"{_TAGGED}(?:tagged|labell?ed){_HERE}", attribute("tags", "is_set")),
    row(
        f"(?:(?:with|have|has|the|an?) )*<list:tags>(?:- )?(?:tags?|label|(?:- )?tagged(?= (?:{PEOPLE})(?: |$)|$))",
    ),
    row(f"{_LIKES}<new:interests>"),
    row(
        "<list:interests>(?:- )?(?:lovers?|fans?|enthusiasts?|interests?|addicts|aficionados)",
    ),
    row(f"{_IN_SEGMENT}<list:segment>"),
    row(f"(?P<lead>{_CAME_FROM})<choice:source>", _came_from),
    row(
        "(?:(?:whose|with|in|the|an?|their) )*rfm(?: (?:segments?|groups?|class))?(?: (?:is|of|=|:|equals))?<choice:rfm_segment>"
    ),
    row("<choice:rfm_segment>"),
    _presence,
)

_UNLIKELY = "new|active|customers?|people|email|sms|all|the|in|from|no|not|and|or|over|under"


def _bare(field: str, kind: str, phrase: Phrase) -> RuleJSON | None:
    """VIPs; High Value customers; newsletter subscribers: a name of the data alone."""
    if phrase.sees(_UNLIKELY) and not phrase.is_quoted and not phrase.token.text[:1].isupper():
        return None
    again = phrase.again
    found = list_of(phrase, field, known(kind))
    phrase.again = again
    if found is not None:
        phrase.take("segments?|tags?|subscribers?")
    return found


# Free attributes

_GENDERS = {
    "women|woman|females?|ladies": ("female", "f", "woman", "w"),
    "men|man|males?|gentlemen": ("male", "m", "man"),
}


def _gender(phrase: Phrase) -> RuleJSON | None:
    """Women: only if the data has an attribute for it."""
    for words, values in _GENDERS.items():
        if phrase.sees(words):
            key = phrase.name("gender")
            phrase.take(words)
            return one_of(ATTRIBUTE + key.value, values) if key else None
    return None


def _keyed(phrase: Phrase) -> RuleJSON | None:
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


def _counted_attribute(phrase: Phrase, amount: Amount) -> RuleJSON | None:
    key = phrase.take_name("key")
    return compared(ATTRIBUTE + key.value, amount) if key else None


def _valued(phrase: Phrase) -> RuleJSON | None:
    """Gold members, on the gold plan: a value of the data names its attribute."""
    phrase.take("(?:on|in|with) (?:(?:the|our|an?) )?(?=.)")
    name = phrase.take_name("value")
    if name is None:
        return None
    value, *keys = name.value.split("\n")
    if (said := phrase.name("key")) and said.value in keys:
        phrase.take_name("key")
        keys = [said.value]
    phrase.take("(?:members?|level|tier|status|customers?)(?= |$)")
    for key in keys:
        told = {"value": value, "key": key}
        phrase.note(_("“%(value)s” is read as the attribute %(key)s.") % told)
    return any_of([attribute(ATTRIBUTE + key, "=", value) for key in keys])


ATTRIBUTES: tuple[Clause, ...] = (
    _gender,
    _keyed,
    row(
        "(?:(?:with|having|have|has|got|own|owns|hold|holds|collected|earned) )*<amount>",
        _counted_attribute,
    ),
)

# Words without a measure of their own

_WHO = "(?: (?:customers?|buyers?|shoppers?|people|users?|clients?|members?|contacts?|ones))?"
_LEAVING = row(
    f"(?:in danger|at (?:high )?risk) of (?:churn|churning|leaving){_WHO}",
    attribute("churn_risk", ">=", 0.7),
    read_as=gettext_lazy("a churn risk of at least 0.7"),
)
DEFAULTS: tuple[Clause, ...] = (
    row(
        "(?:frequent|loyal|regular|heavy)(?: (?:buyers?|customers?|shoppers?|purchasers?|clients?))|regulars",
        attribute("order_count", ">=", 5),
        read_as=gettext_lazy("at least 5 orders"),
    ),
    row(
        "recent (?:buyers?|shoppers?|purchasers?|orders?)",
        attribute("last_order_at", "in_last_days", 30),
        read_as=gettext_lazy("an order in the last 30 days"),
    ),
    row(
        f"(?:lapsed|dormant|sleeping){_WHO}",
        all_of(
            [attribute("order_count", ">=", 1), attribute("last_order_at", "inactive_days", 180)]
        ),
        read_as=gettext_lazy("bought before, but not in the last 180 days"),
    ),
    row(
        "(?:(?:are |is |who are )?(?:most |very |highly )?(?:likely|going|about) to (?:churn|leave|cancel)"
        f"|high (?:- )?churn(?: risk)?){_WHO}",
        attribute("churn_risk", ">=", 0.7),
        read_as=gettext_lazy("a churn risk of at least 0.7"),
    ),
    _LEAVING,
    row(
        "(?:unlikely|not likely) to (?:churn|leave)",
        attribute("churn_risk", "<=", 0.3),
        read_as=gettext_lazy("a churn risk of at most 0.3"),
    ),
    row(
        f"(?:highly|very|most|super) (?:- )?engaged{_WHO}",
        attribute("engagement_score", ">=", 70),
        read_as=gettext_lazy("an engagement score of at least 70"),
    ),
    row(
        f"engaged{_WHO}",
        attribute("engagement_score", ">=", 50),
        read_as=gettext_lazy("an engagement score of at least 50"),
    ),
    row(
        f"(?:disengaged|unengaged|barely engaged){_WHO}",
        attribute("engagement_score", "<=", 20),
        read_as=gettext_lazy("an engagement score of at most 20"),
    ),
    row(
        f"(?:happy|satisfied){_WHO}",
        attribute("satisfaction", ">=", 4),
        read_as=gettext_lazy("a satisfaction of at least 4"),
    ),
    row(
        f"(?:unhappy|dissatisfied|unsatisfied|angry){_WHO}",
        attribute("satisfaction", "<=", 2),
        read_as=gettext_lazy("a satisfaction of at most 2"),
    ),
    row("(?:the |our )?(?:top|best)(?= )<amount>", purchases.top_spenders),
    row(
        "(?:the |our )?(?:(?:top|best)(?: (?:spenders?|customers?|buyers?|clients?)(?: by (?:spend|revenue|spending|value))?)"
        "|(?:(?:big|high|biggest|highest|heavy|largest) (?:- )?(?:spenders?|spending|value|rollers?)|whales|high value|most valuable)"
        "(?: (?:customers?|buyers?|clients?|people|ones))?|best$)",
        purchases.top_spenders,
    ),
)

# Places

_LIVES = (
    "(?:live|lives|living|lived|based|located|residing|reside|resides|situated|resident|residents"
    "|come|comes|coming|are|is|somewhere|anywhere|people)"
)
_NEW_PLACE = "(?:live|lives|living|based|located|residing|reside|resides) in(?: the city of)?|(?:in|from) the (?:city|town) of"


def _outside(phrase: Phrase, places: RuleJSON) -> RuleJSON:
    return not_(places)


def _new_place(phrase: Phrase) -> RuleJSON | None:
    """Living in a place of no customer: a city, if it is written as one."""
    city = text_value(phrase) if phrase.token.text[:1].isupper() else None
    if city is None:
        return None
    phrase.note(_("Nobody lives in “%s” yet.") % city)
    return attribute("city", "=", city)


def _from_place(phrase: Phrase) -> RuleJSON | None:
    """French customers; Germans; US-based; London shoppers."""
    named = phrase.name("demonym", "city", "region", "country", "countries")
    if named is None or (named.kind == "city" and not phrase.token.text[:1].isupper()):
        return None
    rule = places(phrase)
    phrase.take("(?:- )?(?:based|residents?|nationals?|citizens?)")
    return rule


PLACES: tuple[Clause, ...] = (
    row(f"(?:{_LIVES} )?(?:outside|not from|not in)(?: of)?(?: the)?<places>", _outside),
    row(
        f"(?:(?:who|that) )?(?:{_LIVES} )*(?:in|from|within|of|at|across|inside)(?: (?:the|either|both|any of))*"
        "(?: (?:city|cities|town|country|countries|state|region|area|regions) of)?<places>"
    ),
    row(_NEW_PLACE, _new_place),
    _from_place,
)

CLAUSES: tuple[Clause, ...] = (
    _LEAVING,
    *LANGUAGE,
    *TEXTS,
    *SCORES,
    *BIRTHDAYS,
    *PERSON,
    *events.MESSAGES,
    *events.SERVICE,
    *events.PURCHASES_OR_VISITS,
    *purchases.PURCHASES,
    *events.VISITS,
    *LISTS,
    *ATTRIBUTES,
    *DEFAULTS,
    *PLACES,
    partial(_bare, "segment", "segment"),
    partial(_bare, "tags", "tag"),
    _valued,
    *events.OWN,
)
"""In order of preference: the first that reads the phrase decides."""
