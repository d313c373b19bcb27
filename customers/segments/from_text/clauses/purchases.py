"""What people bought, how often, when, and for how much."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from django.utils.translation import gettext as _

from customers import events
from customers.segments.from_text.amounts import ZERO, Amount, amount, times
from customers.segments.from_text.clauses.purchase import GOODS, NOUN, Purchase
from customers.segments.from_text.clauses.reading import (
    IS,
    count_said,
    date_of,
    number_of,
    period_alone,
    remember,
)
from customers.segments.from_text.clauses.things import NOTHING_NAMED, things
from customers.segments.from_text.conditions import all_of, attribute, happened, in_period, not_
from customers.segments.from_text.periods import Period, lately, period
from customers.segments.from_text.phrase import Phrase, Rule

A_DAY = timedelta(days=1)
VERB = "(?:buy|buys|buying|bought|purchase|purchased|purchasing|order|ordered|ordering|shop|shops|shopped|shopping|transacted)"
_WHO = "(?:buyers?|purchasers?|customers?|shoppers?|clients?)"
_WHOSE = "(?:whose |their |an? |the |with |date of )*"
_TOTAL = (
    "(?:(?:total|lifetime|overall|all ?time|cumulative|whose|their|a|the) )*"
    "(?:spend|spends|spending|spent|revenue|sales|expenditure|purchase value)(?: total)?"
)
_AVERAGE = (
    f"{_WHOSE}(?:(?:average|avg|mean|typical)(?: (?:order|basket|cart|purchase))?"
    "(?: (?:value|size|amount|total|spend|spending))?(?: per order)?|aov|(?:basket|cart) (?:size|value))"
)
_FIRST = (
    f"{_WHOSE}(?:made |placed )?(?:their |an? |the )?(?:very )?first(?: ever)? "
    "(?:(?:order|purchase|transaction)(?: date| day| at)?|ordered|bought|purchased|shopped)"
)
_LAST = (
    f"{_WHOSE}(?:last|latest|most recent|newest) "
    "(?:(?:order|purchase|transaction)(?: date| day| at)?|ordered|bought|purchased|shopped)"
)


def last_purchase(phrase: Phrase) -> Rule | None:
    """Last order more than 90 days ago; who last bought in May."""
    return date_of("last_order_at")(phrase) if phrase.take(_LAST) else None


def first_purchase(phrase: Phrase) -> Rule | None:
    """First ordered in May; made their first purchase this year: an order then, and none before."""
    if not phrase.take(_FIRST):
        return None
    phrase.take("(?:is|was|were|has been)")
    when = period(phrase)
    if when is None or when.ahead:
        return None
    if when.older or (when.first is None and when.days is None):
        return happened(events.ORDER_PLACED, period=when)
    before = (
        replace(when, older=True)
        if when.days
        else Period(last=(when.first or phrase.today) - A_DAY)
    )
    return all_of(
        [
            happened(events.ORDER_PLACED, period=when),
            happened(events.ORDER_PLACED, ZERO, before),
        ]
    )


def average(phrase: Phrase) -> Rule | None:
    """Average order value over 50."""
    if phrase.take("orders? (?:value|size)"):
        phrase.note(_("The value of orders is read as their average."))
    elif not phrase.take(_AVERAGE):
        return None
    return number_of("average_order_value")(phrase)


def lifetime_value(phrase: Phrase) -> Rule | None:
    """LTV above 2,000."""
    if not phrase.take(
        "(?:whose |their |an? |the |predicted |customer )*(?:life ?time value|clv|cltv|ltv)"
    ):
        return None
    return number_of("lifetime_value")(phrase)


def spent(phrase: Phrase) -> Rule | None:
    """Spent over $500 on Books in the last 90 days; total spend between 100 and 500."""
    if not phrase.take(f"(?:have |has )?{_TOTAL}"):
        return None
    phrase.take(IS)
    is_average = bool(phrase.take("(?:on average|an average of|per order)"))
    said = Purchase(nothing=bool(phrase.take("nothing|zero|no money|0")))
    said.read(phrase, is_money=True)
    if said.worth is None and not said.nothing:
        return None
    rule = said.spend_rule(phrase)
    if is_average and rule.get("field") == "total_spend":
        rule = {**rule, "field": "average_order_value"}
    return remember(phrase, _spent_again, rule)


def spent_amount(phrase: Phrase) -> Rule | None:
    """$500 or more in purchases; over 1k lifetime spend; $200+ spenders."""
    worth = amount(phrase)
    if worth is None or worth.is_percent:
        return None
    if not phrase.take(
        f"(?:(?:worth )?(?:of|in|on) )?(?:total )?(?:{_TOTAL}|spenders?|purchases|orders|transactions)"
    ):
        return None
    if not worth.is_money and phrase.before("purchases|orders|sales|transactions"):
        return None
    said = Purchase(worth=worth)
    said.read(phrase)
    return remember(phrase, _spent_again, said.spend_rule(phrase))


def money_alone(phrase: Phrase) -> Rule | None:
    """Over $500, with nothing said of what it is."""
    worth = amount(phrase)
    if worth is None or not worth.is_money:
        return None
    phrase.note(_("An amount of money alone is read as total spend."))
    said = Purchase(worth=worth)
    said.read(phrase)
    return said.spend_rule(phrase)


def order_count(phrase: Phrase) -> Rule | None:
    """Order count between 2 and 4, number of purchases is not zero."""
    if not phrase.take(
        f"{_WHOSE}(?:(?:order|purchase) count|(?:total )?(?:number|count) of {NOUN})"
    ):
        return None
    return number_of("order_count")(phrase)


def orders(phrase: Phrase) -> Rule | None:
    """3+ orders, more than two orders in 2025, orders over $200, no orders since May."""
    count = count_said(phrase, f"{NOUN}(?! (?:value|size))")
    if count is None:
        if not phrase.take(
            f"(?:(?:an?|any|the|their|whose|total|at least one|number of|count of) )*(?:{NOUN}|order count)(?! (?:value|size))"
        ):
            return None
        count = _compared_orders(phrase)
    said = Purchase(count=count)
    said.read(phrase, is_noun=True)
    return remember(phrase, _bought_again(replace(said, count=None)), said.rule())


def bought(phrase: Phrase) -> Rule | None:
    """Bought at least twice in 6 months, bought shoes but not socks, shopped this week."""
    when = lately(phrase)
    count = times(phrase)
    if not phrase.take(f"(?:have |has |made )?{VERB}"):
        return None
    said = Purchase(count=count, when=when)
    said.read(phrase)
    return remember(phrase, _bought_again(said), said.rule())


def buyers(phrase: Phrase) -> Rule | None:
    """Coffee buyers, repeat customers, one-time buyers, first-time buyers."""
    if phrase.take(
        f"(?:repeat|returning|multiple|recurring|multi) (?:- )?(?:time |order |purchase )?{_WHO}"
    ):
        when = period(phrase)
        twice = Amount(">=", (Decimal(2),))
        return Purchase(count=twice, when=when).rule()
    if phrase.take(
        f"(?:(?:one|single|1) (?:- )?(?:time|order|purchase|off)|first (?:- )?time) {_WHO}"
    ):
        when = period(phrase)
        once = attribute("order_count", "=", 1)
        return all_of([once, in_period("last_order_at", when)]) if when else once
    found = things(phrase)
    if found is not None:
        return found.ever_bought() if phrase.take(f"(?:{GOODS} )?{_WHO}") else None
    if phrase.take("buyers?|purchasers?|paying (?:customers?|users?)"):
        said = Purchase()
        said.read(phrase)
        return said.rule()
    return None


def did_not_buy(phrase: Phrase, when: Period | None) -> tuple[Rule, Period | None] | None:
    """The end of "opened it last week but did not buy", and the period of both: that of the beginning, unless another is said."""
    with phrase.attempt() as attempt:
        if not phrase.take(
            f"(?:, )?(?:but|and|yet)(?: (?:who|they|then))* did not(?: (?:go on to|then|actually))* {VERB}"
        ):
            return None
        said = Purchase()
        said.read(phrase)
        said.when = said.when or when
        attempt.keep()
        return not_(said.rule()), said.when


def _compared_orders(phrase: Phrase) -> Amount | None:
    """Orders > 5 counts them; an order over $200 looks at what each was worth."""
    with phrase.attempt() as attempt:
        is_one = phrase.before("order|purchase|transaction")
        phrase.take(f"(?:count|{IS}|number)")
        found = amount(phrase)
        if found is None or found.is_money or is_one:
            return None
        if phrase.sees("times|days|weeks|months|years|items"):
            return None
        attempt.keep()
        return found


def _bought_again(before: Purchase) -> Callable[[Phrase], Rule | None]:
    """The socks of "bought shoes but not socks", the May of "in April but not in May"."""

    def read(phrase: Phrase) -> Rule | None:
        phrase.take("(?:from|of|any|an?|the) ")
        if found := things(phrase):
            said = Purchase(things=found)
        elif before.count is not None and (count := times(phrase)):
            said = Purchase(count=count)
        elif when := period_alone(phrase):
            said = Purchase(when=when, things=before.things)
        else:
            return None
        said.read(phrase)
        if said.when is None and before.things is not NOTHING_NAMED:
            said.when = before.when
        return said.rule()

    return read


def _spent_again(phrase: Phrase) -> Rule | None:
    """And less than 100 on Coffee."""
    said = Purchase()
    said.read(phrase, is_money=True)
    return None if said.worth is None else said.spend_rule(phrase)


CLAUSES = (
    first_purchase,
    last_purchase,
    average,
    lifetime_value,
    spent,
    order_count,
    buyers,
    bought,
    orders,
    spent_amount,
    money_alone,
)
