"""Visits to the site and the pages viewed."""

from __future__ import annotations

from customers import events
from customers.segments.from_text.amounts import ZERO, Amount, times
from customers.segments.from_text.clauses.purchases import VERB, did_not_buy
from customers.segments.from_text.clauses.reading import (
    count_said,
    date_of,
    number_of,
    period_alone,
    remember,
)
from customers.segments.from_text.conditions import (
    all_of,
    any_of,
    attribute,
    compared,
    happened,
    in_period,
    not_,
)
from customers.segments.from_text.periods import Period, lately, period
from customers.segments.from_text.phrase import Phrase, Rule

_VERB = (
    "(?:visit|visited|visits|visiting|browse|browsed|browsing|came to|come to|came back to|c[ao]me by"
    "|dropp?(?:ed)? (?:by|in)|been on|been to|stopped by)"
)
_SITE = "(?:(?:on|to|of|at|in) )?(?:(?:the|our|my|any) )?(?:web ?sites?|sites?|stores?|shops?|pages?|online (?:store|shop)|us)"


def last_visit(phrase: Phrase) -> Rule | None:
    if phrase.take(
        "(?:whose |their |the |with |date of )*(?:last|latest|most recent) (?:visit(?:ed)?|seen"
        "|browsed)(?: date| at)?(?: (?:the|our) (?:web ?site|site|store|shop))?"
    ):
        return date_of("last_visit_at")(phrase)
    return None


def visit_count(phrase: Phrase) -> Rule | None:
    """More than 10 visits, visit count of 5."""
    if phrase.take("(?:number of visits|visit count|visits count)"):
        return number_of("visit_count")(phrase)
    count = count_said(phrase, "(?:(?:web ?site|site|store|shop|total) )?visits?(?: to)?")
    if count is None:
        if not phrase.take(
            "(?:an? |any )?visits?(?= (?:in|since|over|>|=|<|within|before|after|is|are|between|at least|this|last)(?: |$)|$)"
        ):
            return None
        if found := number_of("visit_count")(phrase):
            return found
    return remember(phrase, number_of("visit_count"), _tail(phrase, count)[0])


def bought_or_visited(phrase: Phrase) -> Rule | None:
    """Ordered or visited in the last week: two verbs, and what follows is said of both."""
    if rule := _but_not(phrase):
        return rule
    found = phrase.take(
        f"(?:{_VERB} (?P<a>or|and|nor) {VERB}|{VERB} (?P<b>or|and|nor) {_VERB})(?: anything| something)?"
    )
    if not found:
        return None
    phrase.take(_SITE)
    when = period(phrase)
    if when is None:
        return None
    join = all_of if (found["a"] or found["b"]) == "and" else any_of
    return join([in_period("last_order_at", when), in_period("last_visit_at", when)])


def _but_not(phrase: Phrase) -> Rule | None:
    """Visited but did not buy in the last week: both are about that week."""
    with phrase.attempt() as attempt:
        if not phrase.take(
            f"{_VERB}(?: {_SITE})? (?:but|and|yet)(?: (?:did|have|has|who))* not {VERB}(?: anything)?"
        ):
            return None
        when = period(phrase)
        if when is None:
            return None
        attempt.keep()
        return all_of([in_period("last_visit_at", when), not_(in_period("last_order_at", when))])
    return None


def visited(phrase: Phrase) -> Rule | None:
    """Visited more than 3 times last month, visited the site this week."""
    recent = lately(phrase)
    count = times(phrase)
    if not phrase.take(_VERB):
        return None
    rule, when = _tail(phrase, count, recent)
    if missed := did_not_buy(phrase, when):
        return all_of([rule, missed[0]])
    return remember(phrase, _visited_again, rule)


def _visited_again(phrase: Phrase) -> Rule | None:
    """But not in the last week."""
    when = period_alone(phrase)
    return in_period("last_visit_at", when) if when else None


def page_views(phrase: Phrase) -> Rule | None:
    """More than 20 page views this month; viewed 3 pages; viewed the page /sale."""
    count = count_said(phrase, "(?:page ?views?|page views|pages viewed|pages)")
    if count is None and not phrase.take(
        "(?:viewed|looked at|saw|seen|read)(?= (?:.* )?pages?)|page ?views?|viewed(?= at)"
    ):
        return None
    phrase.take("viewed")
    count = count or count_said(phrase, "pages?")
    phrase.take("(?:(?:on|the|a|any|our) )*pages?")
    count = count or times(phrase)
    return happened(events.PAGE_VIEWED, count, period(phrase))


def _tail(
    phrase: Phrase, count: Amount | None, when: Period | None = None
) -> tuple[Rule, Period | None]:
    """The rule, and the period that it speaks of."""
    for _turn in range(3):
        phrase.take(_SITE)
        if phrase.take("nothing"):
            count = ZERO
        count = count or times(phrase)
        when = when or period(phrase)
    if when is None:
        always = compared("visit_count", count) if count else attribute("visit_count", ">=", 1)
        return always, None
    if count is None and when.reaches_now:
        return in_period("last_visit_at", when), when
    return happened(events.PAGE_VIEWED, count, when), when


FIRST = (bought_or_visited,)
CLAUSES = (last_visit, page_views, visit_count, visited)
