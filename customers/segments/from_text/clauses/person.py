"""Who people are: age, language, lifecycle, when they came and when they were last active."""

from __future__ import annotations

from datetime import timedelta

from django.utils.translation import gettext as _

from customers.models import Customer
from customers.segments.from_text.amounts import Amount, amount
from customers.segments.from_text.clauses.reading import IS, date_of, listed, number_of, remember
from customers.segments.from_text.conditions import attribute, compared, in_period, not_, one_of
from customers.segments.from_text.languages import LANGUAGES
from customers.segments.from_text.periods import UNIT, Period, lately, period
from customers.segments.from_text.phrase import Phrase, Rule
from customers.segments.from_text.vocabulary import PEOPLE

A_DAY = timedelta(days=1)
_YEARS = "(?:(?:- )?(?:years?|yrs?)(?: of age| (?:- )?olds?)?|yo|y o|y old|year olds?)"
_GENERATIONS = {
    "gen(?:eration)? ?z(?:ers?)?|zoomers?": (1997, 2012),
    "millennials?|gen(?:eration)? ?y": (1981, 1996),
    "gen(?:eration)? ?x(?:ers?)?": (1965, 1980),
    "(?:baby )?boomers?": (1946, 1964),
}
_AGES = {
    "teenagers?|teens": (13, 19),
    "adults?": (18, None),
    "minors?|under ?age": (None, 17),
    "pensioners|seniors?(?: citizens?)?|retirees|elderly": (65, None),
}
_REGISTERED = (
    "(?:registered|register|joined|join|signed up|sign up|enrolled|became (?:a )?(?:customers?"
    "|members?|leads?)|were (?:created|added|acquired)|was (?:created|added|acquired)"
    "|created(?: an account)?|acquired|opened an account|added|came on board|onboarded"
    "|customers?(?= since)|been (?:a )?(?:customers?|members?|with us)|members?(?= since)"
    "|(?:customers?|members?|clients?)(?= for (?:at least|over|more than|longer than)))"
)
_STATUS = {
    Customer.Lifecycle.LEAD: "leads?|prospects?",
    Customer.Lifecycle.ACTIVE: "active",
    Customer.Lifecycle.INACTIVE: "inactive",
    Customer.Lifecycle.CHURNED: "churned",
}
_LANGUAGE = "|".join(LANGUAGES)


def aged(phrase: Phrase) -> Rule | None:
    """Aged 25-34; older than 60; 30 years old; age over 40; in their 30s; under 25s."""
    if phrase.take(
        "(?:whose |with |an? |their )*(?:aged?|ages)(?: group| range)?(?: (?:is|of|=|:|are|in))?(?: the)?"
    ):
        return (
            remember(phrase, number_of("age"), rule)
            if (rule := _age(phrase))
            else number_of("age")(phrase)
        )
    if decade := phrase.take(
        r"(?:in (?:their|his|her) )(?:(?P<part>early|mid|late) )?(?P<age>[2-9]0s|twenties|thirties"
        r"|forties|fifties|sixties|seventies|eighties)"
    ):
        return _decade(decade["age"], decade["part"])
    if something := phrase.take(r"(?P<age>[2-9]0) (?:- )?somethings?"):
        return _decade(something["age"] + "s", None)
    if bound := phrase.take(r"(?P<side>over|under) (?:the age of |age )?(?P<age>\d{2})s"):
        operator = ">" if bound["side"] == "over" else "<"
        return attribute("age", operator, int(bound["age"][:2]))
    phrase.take(f"(?:{IS}|those) (?=over|under|between|older|younger|above|below|more|at|less|\\d)")
    if side := phrase.take(
        "(?P<side>older|younger|over|under|above|below)(?: than)?(?: the)? age(?: of)?"
    ):
        found = amount(phrase)
        return (
            attribute("age", ">" if side["side"] in {"older", "over", "above"} else "<", found.json)
            if found
            else None
        )
    is_age = bool(phrase.sees("(?:no |not )?(?:older|younger)"))
    return _age(phrase, is_said=is_age)


def _age(phrase: Phrase, *, is_said: bool = True) -> Rule | None:
    found = amount(phrase)
    if found is None or found.is_money or found.is_percent:
        return None
    has_years = phrase.take(_YEARS)
    if has_years and phrase.sees("ago"):
        return None
    if found.is_plain and (
        after := phrase.take(
            "(?:or|and) (?:older|over|above|up)|plus|(?:or|and) (?:younger|under|below)"
        )
    ):
        found = Amount(
            ">=" if not after[0].endswith(("younger", "under", "below")) else "<=", found.numbers
        )
    is_age = has_years and (
        "old" in has_years[0] or "age" in has_years[0] or has_years[0].startswith("y")
    )
    if (
        is_age
        and has_years
        and not ("old" in has_years[0] or "age" in has_years[0] or "o" in has_years[0].split())
        and phrase.before(UNIT)
        and not is_said
    ):
        return None
    if not (is_said or is_age):
        return None
    return remember(phrase, number_of("age"), compared("age", found))


def _decade(word: str, part: str | None) -> Rule:
    names = ("twenties", "thirties", "forties", "fifties", "sixties", "seventies", "eighties")
    first = (names.index(word) + 2) * 10 if word in names else int(word[:2])
    low, high = {"early": (0, 3), "mid": (4, 6), "late": (7, 9)}.get(part or "", (0, 9))
    return attribute("age", "between", [first + low, first + high])


def generation(phrase: Phrase) -> Rule | None:
    """Millennials, teenagers, adults: by the usual years, which are said."""
    for words, (first, last) in _GENERATIONS.items():
        if found := phrase.take(words):
            phrase.note(
                _("“%(word)s” is read as born from %(first)s to %(last)s.")
                % {"word": found[0], "first": first, "last": last}
            )
            return attribute("date_of_birth", "between", [f"{first}-01-01", f"{last}-12-31"])
    for words, (least, most) in _AGES.items():
        if phrase.take(words):
            if least is not None and most is not None:
                return attribute("age", "between", [least, most])
            return (
                attribute("age", ">=", least) if least is not None else attribute("age", "<=", most)
            )
    return None


def registered(phrase: Phrase) -> Rule | None:
    """Signed up this month, joined before 2024, customers since March, been with us for over a year."""
    if phrase.take(
        "(?:whose |their |the |with )*(?:registration|sign ?up|registered at)(?: date)?"
    ):
        return date_of("registered_at")(phrase)
    is_long = bool(phrase.sees("(?:have |has )?been|(?:customers?|members?|clients?) for"))
    if not phrase.take(f"(?:(?:first|newly|recently) )?(?:have |has )?{_REGISTERED}"):
        return None
    phrase.take(
        "(?:with us|to us|us|as (?:a )?(?:customers?|members?)|for an account|on the (?:site|website)|an account)"
    )
    when = period(phrase)
    if when is None:
        return None
    if is_long and when.days is not None:
        when = Period(days=when.days, older=True)
    return remember(phrase, date_of("registered_at"), in_period("registered_at", when))


def new(phrase: Phrase) -> Rule | None:
    """New customers this month."""
    if not phrase.take(
        f"(?:new|newest|newly (?:registered|acquired)|recent)(?= (?:{PEOPLE}|sign ?ups?|registrations?|subscribers?)(?: |$))"
    ):
        return None
    phrase.take(f"(?:{PEOPLE}|sign ?ups?|registrations?)")
    when = period(phrase)
    if when is None:
        phrase.note(_("“New” is read as registered in the last 30 days."))
        when = Period(days=30)
    return in_period("registered_at", when)


def activity(phrase: Phrase) -> Rule | None:
    """Inactive for 3 months, active in the last week, no activity since May, last seen in March, dormant."""
    if phrase.take(
        "(?:whose |their |the |with )*(?:last|latest|most recent) (?:activity|interaction|interacted"
        "|active|contact|engagement|touch ?point|seen)(?: at)?"
    ):
        return date_of("last_interaction_at")(phrase)
    recent = lately(phrase)
    word = phrase.take(
        "(?:been |gone |went |became |become )?(?P<word>inactive|dormant|silent|idle|quiet|asleep|lapsed"
        "|active|activity|interacted(?: with us)?|engaged with us|interaction|seen|heard from)"
    )
    if not word:
        return None
    phrase.take(f"(?:at all|again|us|with us|{PEOPLE})")
    when = period(phrase) or recent
    if when is None:
        return None
    is_silence = word["word"] in {
        "inactive",
        "dormant",
        "silent",
        "idle",
        "quiet",
        "asleep",
        "lapsed",
    }
    field = "last_order_at" if word["word"] == "lapsed" else "last_interaction_at"
    if when.older:
        return in_period(field, when)
    return not_(in_period(field, when)) if is_silence else in_period(field, when)


def lifecycle(phrase: Phrase) -> Rule | None:
    """Active, inactive, churned, leads; lifecycle status is lead."""
    phrase.take(
        "(?:(?:with|whose|have|has|in|an?|the|their|is) )*(?:lifecycle|life cycle)?(?: ?(?:status"
        "|stage|state))?(?: (?:is|of|=|:|equals))?(?: (?:set to|either))?"
    )

    def one(phrase: Phrase) -> str | None:
        if phrase.sees(
            "active (?:in|since|within|over|during|on|at|this|last|today)|churned (?:in|since)"
        ):
            return None
        return next((status.value for status, word in _STATUS.items() if phrase.take(word)), None)

    found = listed(phrase, one)
    return one_of("lifecycle_status", found[0]) if found else None


def language(phrase: Phrase) -> Rule | None:
    """French speakers, who speak German, Spanish-speaking, language is English."""

    def one(phrase: Phrase) -> str | None:
        found = phrase.take(_LANGUAGE)
        return LANGUAGES[found[0]] if found else None

    if phrase.take(
        "(?:speak|speaks|speaking|language|languages|whose language|preferred language|prefer)(?: (?:is|=|:|are|of))?(?= )"
    ):
        found = listed(phrase, one)
        return one_of("language", found[0]) if found else None
    found = listed(phrase, one)
    if found and phrase.take("(?:- )?(?:speaking|speakers?|language|speak)"):
        return one_of("language", found[0])
    return None


def bare_age(phrase: Phrase) -> Rule | None:
    """The 40 of "French customers over 40"."""
    if not phrase.sees(
        "(?:aged )?(?:over|under|above|below|between|older|younger|at least)"
    ) and not phrase.sees(r"\d\d \+|\d\d - \d\d"):
        return None
    found = amount(phrase)
    if (
        found is None
        or found.is_money
        or found.is_percent
        or not all(10 <= each <= 120 for each in found.numbers)
    ):
        return None
    if phrase.sees(f"{UNIT}|times?|euros|points"):
        return None
    if phrase.unread and phrase.unread[-1] in phrase.tokens[: phrase.at][-2:]:
        return None
    if not (
        phrase.is_over
        or phrase.sees(
            "who|that|with|in|from|and|or|but|,|except|excluding|living|\\)|on|bought|have|subscribed|tagged|without"
        )
    ):
        return None
    phrase.note(_("A number alone is read as age."))
    return compared("age", found)


def everyone(phrase: Phrase) -> Rule | None:
    """All customers."""
    if (
        phrase.at == 0
        and phrase.take(
            f"(?:(?:show|me|give|list|find|target|all|our|my|the|of|every|entire|whole|full) )*(?:{PEOPLE}"
            "|customer base|database|list)(?: (?:we have|in the database|there are|there is|i have"
            "|please))?"
        )
        and phrase.is_over
    ):
        return {"operator": "AND", "conditions": []}
    return None


FIRST = (language,)
CLAUSES = (everyone, generation, registered, new, activity, aged, lifecycle)
BARE = (bare_age,)
