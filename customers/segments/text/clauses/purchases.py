"""What people bought, how often, when, and for how much."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal

from django.utils.translation import gettext as _

from customers import events
from customers.segments.text.amounts import ZERO, Amount, amount, times
from customers.segments.text.clauses.reading import (
    IS,
    count_said,
    date_of,
    each_of,
    is_known,
    listed,
    number_of,
    period_alone,
    remember,
)
from customers.segments.text.conditions import (
    all_of,
    attribute,
    compared,
    happened,
    has_all,
    in_period,
    not_,
    one_of,
)
from customers.segments.text.periods import Period, period
from customers.segments.text.phrase import Phrase, Rule

VERB = "(?:buy|buys|buying|bought|purchase|purchased|purchasing|order|ordered|ordering|shop|shops|shopped|shopping|transacted)"
NOUN = "(?:orders?|purchases?|transactions?)"
_SPENT = "(?:spend|spends|spent|spending)"
_TOTAL = (
    "(?:(?:total|lifetime|overall|all ?time|cumulative|whose|their|a|the) )*(?:spend|spending|spent|revenue|sales|expenditure|purchase value)"
    "(?: total)?"
)
_AVERAGE = (
    "(?:whose |their |an? |the )*(?:(?:average|avg|mean|typical)(?: (?:order|basket|cart|purchase))?(?: (?:value|size|amount|total|spend|spending))?(?: per order)?"
    "|aov|(?:basket|cart) (?:size|value))"
)
_AROUND = (
    "anything|something|any|from us|with us|at our (?:store|shop)|an? items?|items?|products?|things?|stuff|goods|an?|the|some"
    "|before(?= (?:but|and)(?: |$)|$)|in the past(?= (?:but|and)(?: |$)|$)|in total|altogether|on average|a total of|total|online|in store|made|placed|were|was|ever|at all|us|have|has"
)
_CATEGORY_AFTER = "(?:products?|items?|stuff|goods|category|categories|things|department|section)"


@dataclass
class _Bought:
    """What was said about one purchase or several, in whatever order."""

    verb: str = "bought"
    count: Amount | None = None
    when: Period | None = None
    worth: Amount | None = None
    categories: list[str] = field(default_factory=list)
    products: list[str] = field(default_factory=list)
    wants_all: bool = False
    nothing: bool = False
    quantity: Amount | None = None


def last_purchase(phrase: Phrase) -> Rule | None:
    """Last order more than 90 days ago; who last bought in May."""
    if not phrase.take(
        "(?:whose |their |the |an? |with |date of )*(?:last|latest|most recent|newest)(?: (?:order|purchase|transaction)(?! (?:was )?(?:over|above) (?:\\$|€|£))(?: date| day| at)?"
        "|ly)?(?: (?:ordered|bought|purchased|shopped))?(?<!last)(?<!latest)(?<!recent)"
    ):
        return None
    return date_of("last_order_at")(phrase)


def average(phrase: Phrase) -> Rule | None:
    """Average order value over 50."""
    if phrase.sees("orders? (?:value|size)"):
        phrase.take("orders? (?:value|size)")
        phrase.note(_("The value of orders is read as their average."))
        return number_of("average_order_value")(phrase)
    return number_of("average_order_value")(phrase) if phrase.take(_AVERAGE) else None


def lifetime_value(phrase: Phrase) -> Rule | None:
    if not is_known("lifetime_value"):
        return None
    if phrase.take(
        "(?:whose |their |an? |the |predicted |customer )*(?:lifetime value|life time value|clv|cltv|ltv)"
    ):
        return number_of("lifetime_value")(phrase)
    return None


def spent(phrase: Phrase) -> Rule | None:
    """Spent over $500 on Books in the last 90 days; total spend between 100 and 500."""
    if not phrase.take(f"(?:have |has )?(?:{_SPENT}|{_TOTAL})"):
        return None
    phrase.take(IS)
    is_average = bool(phrase.take("(?:on average|an average of|per order)"))
    if phrase.take("nothing|zero|no money|0"):
        said = _Bought(nothing=True)
    else:
        said = _Bought()
    _tail(phrase, said, is_money=True)
    if said.worth is None and not said.nothing:
        return None
    rule = _spend_rule(phrase, said)
    if is_average and rule.get("field") == "total_spend":
        rule = {**rule, "field": "average_order_value"}
    return remember(phrase, _spent_again, rule)


def spent_amount(phrase: Phrase) -> Rule | None:
    """$500 or more in purchases; over 1k lifetime spend; $200+ spenders."""
    worth = amount(phrase)
    if worth is None or worth.is_percent:
        return None
    if not phrase.take(
        f"(?:(?:worth )?(?:of|in|on) )?(?:total )?(?:{_TOTAL}|spenders?|spent|(?:purchases|orders|sales|transactions)(?= |$))"
    ):
        return None
    if not worth.is_money and phrase.before("purchases|orders|sales|transactions"):
        return None
    said = _Bought(worth=worth)
    _tail(phrase, said)
    return remember(phrase, _spent_again, _spend_rule(phrase, said))


def money_alone(phrase: Phrase) -> Rule | None:
    """Over $500, with nothing said of what it is."""
    worth = amount(phrase)
    if worth is None or not worth.is_money:
        return None
    phrase.note(_("An amount of money alone is read as total spend."))
    said = _Bought(worth=worth)
    _tail(phrase, said)
    return _spend_rule(phrase, said)


def orders(phrase: Phrase) -> Rule | None:
    """3+ orders, more than two orders in 2025, orders over $200, no orders since May."""
    count = count_said(phrase, f"{NOUN}(?! (?:value|size))")
    if count is None and not phrase.take(
        f"(?:(?:an?|any|the|their|whose|total|at least one|number of|count of) )*(?:{NOUN}|order count)(?! (?:value|size))"
    ):
        return None
    if count is None:
        count = _compared_orders(phrase)
    said = _Bought(verb="orders", count=count)
    _tail(phrase, said, noun=True)
    return remember(phrase, _bought_again(said), _rule(phrase, said))


def _compared_orders(phrase: Phrase) -> Amount | None:
    """Orders > 5 counts them; an order over $200 looks at what each was worth."""
    with phrase.attempt() as attempt:
        is_one = phrase.before("order|purchase|transaction")
        phrase.take(f"(?:count|{IS}|number)")
        found = amount(phrase)
        if (
            found is None
            or found.is_money
            or is_one
            or phrase.sees("times|days|weeks|months|years|items")
        ):
            return None
        attempt.keep()
        return found


def bought(phrase: Phrase) -> Rule | None:
    """Bought at least twice in 6 months, bought shoes but not socks, shopped this week."""
    count = times(phrase)
    if not phrase.take(f"(?:have |has |made )?{VERB}"):
        return None
    said = _Bought(count=count)
    _tail(phrase, said)
    return remember(phrase, _bought_again(said), _rule(phrase, said))


def buyers(phrase: Phrase) -> Rule | None:
    """Coffee buyers, repeat customers, one-time buyers, first-time buyers."""
    who = "(?:buyers?|purchasers?|customers?|shoppers?|clients?|orderers?)"
    if phrase.take(
        f"(?:repeat|returning|multiple|recurring|multi) (?:- )?(?:time |order |purchase )?{who}"
    ):
        when = period(phrase)
        twice = Amount(">=", (Decimal(2),))
        return (
            happened(events.ORDER_PLACED, twice, when)
            if when
            else attribute("order_count", ">=", 2)
        )
    if phrase.take(f"(?:one|single|1) (?:- )?(?:time|order|purchase|off) {who}") or phrase.take(
        f"first (?:- )?time {who}"
    ):
        when = period(phrase)
        once = attribute("order_count", "=", 1)
        return all_of([once, in_period("last_order_at", when)]) if when else once
    found = _things(phrase)
    if found is not None and phrase.take(f"(?:{_CATEGORY_AFTER} )?{who}"):
        return _thing_rule(*found)
    if found is None and phrase.take("buyers?|purchasers?|paying (?:customers?|users?)"):
        said = _Bought()
        _tail(phrase, said)
        return _rule(phrase, said)
    return None


def _tail(phrase: Phrase, said: _Bought, *, is_money: bool = False, noun: bool = False) -> None:
    while _piece(phrase, said, is_money=is_money, noun=noun):
        pass


def _piece(phrase: Phrase, said: _Bought, *, is_money: bool, noun: bool) -> bool:
    """One more thing that is said about the purchase, if there is one."""
    if phrase.sees("nothing") and not said.nothing:
        phrase.take("nothing")
        said.nothing = True
        return True
    if said.count is None and (found := _how_often(phrase)):
        said.count = found
        return True
    if said.when is None and (when := period(phrase)):
        said.when = when
        return True
    if said.quantity is None and not is_money and (quantity := _quantity(phrase)):
        said.quantity = quantity
        return True
    if said.worth is None and (worth := _worth(phrase, is_money=is_money or noun)):
        said.worth = worth
        return True
    if not said.categories and not said.products:
        with phrase.attempt() as attempt:
            phrase.take(
                f"(?:(?:on|of|from|in|for|containing|including|with|both|either|at least one|{_AROUND}) )*(?:the )?(?:(?:category|categories|department|product|products) )?(?=.)"
            )
            if found_things := _things(phrase):
                said.categories, said.products, said.wants_all = found_things
                phrase.take(_CATEGORY_AFTER)
                attempt.keep()
                return True
    return bool(phrase.take(f"(?:{_AROUND})(?! (?:email|message|campaign|visit|tag))"))


def _how_often(phrase: Phrase) -> Amount | None:
    return times(phrase) or count_said(phrase, NOUN)


def _quantity(phrase: Phrase) -> Amount | None:
    """How many of them: 5 products, 2 hats."""
    if found := count_said(phrase, "items?|products?|things?|units?|pieces?"):
        return found
    with phrase.attempt() as attempt:
        found = amount(phrase)
        phrase.take("of ")
        if found is not None and not found.is_money and phrase.name("category", "product"):
            attempt.keep()
            return found
    return None


def _worth(phrase: Phrase, *, is_money: bool) -> Amount | None:
    """How much it cost."""
    with phrase.attempt() as attempt:
        says_so = phrase.take(
            "(?:worth|for|costing|valued at|totall?ing|of|with a (?:total|value) of|each)(?= )"
        )
        found = amount(phrase)
        if found is None or (not found.is_money and not is_money and not says_so):
            return None
        if phrase.sees("(?:times|visits|orders|days|weeks|months|years|emails|years old)"):
            return None
        attempt.keep()
        if found.is_plain and found.is_money:
            phrase.note(_("An amount of money without a comparison is read as at least that much."))
            found = replace(found, operator=">=")
        return found


def _things(phrase: Phrase) -> tuple[list[str], list[str], bool] | None:
    """Categories and products by name, and whether all of them are meant."""
    kinds: dict[str, str] = {}

    def one(phrase: Phrase) -> str | None:
        phrase.take("(?:the )?(?:category|product)(?= )")
        found = phrase.take_name("category", "product")
        if found is None:
            return None
        kinds[found.value] = found.kind
        return found.value

    with phrase.attempt() as attempt:
        found = listed(phrase, one)
        if found is None:
            return None
        attempt.keep()
        values, wants_all = found
        categories = [value for value in values if kinds[value] == "category"]
        return categories, [value for value in values if kinds[value] == "product"], wants_all
    return None


def _thing_rule(categories: list[str], products: list[str], wants_all: bool) -> Rule:
    join = has_all if wants_all else one_of
    parts = [
        join(name, values)
        for name, values in (("purchased_categories", categories), ("purchased_products", products))
        if values
    ]
    return each_of(parts, wants_all=wants_all)


def _spend_rule(phrase: Phrase, said: _Bought) -> Rule:
    worth = ZERO if said.nothing or said.worth is None else said.worth
    if worth.is_plain and not said.nothing:
        phrase.note(_("An amount of money without a comparison is read as at least that much."))
        worth = replace(worth, operator=">=")
    if phrase.take(
        "(?:on average|per order|an order|each time|on each order|per purchase|each order)(?= |$)"
    ):
        return compared("average_order_value", worth)
    if phrase.take(
        "(?:in|on|with|at) (?:a|one|any) (?:single )?(?:order|purchase|go|transaction)|at once|in one go"
    ):
        return happened(events.ORDER_PLACED, None, said.when, where=[compared("amount", worth)])
    if said.when is None and not said.categories and not said.products:
        return compared("total_spend", worth)
    return each_of(
        (
            happened(events.ORDER_PLACED, worth, said.when, aggregate="sum:amount", where=where)
            for where in _wheres(said)
        ),
        wants_all=said.wants_all,
    )


def _wheres(said: _Bought) -> list[list[Rule]]:
    """What is asked of the orders: one list that all kinds of things share, or for "and" one each."""
    if not said.categories and not said.products:
        return [[]]
    if said.wants_all:
        return [[attribute("category", "=", value)] for value in said.categories] + [
            [attribute("product", "=", value)] for value in said.products
        ]
    return [
        [one_of(name, values)]
        for name, values in (("category", said.categories), ("product", said.products))
        if values
    ]


def _rule(phrase: Phrase, said: _Bought) -> Rule:
    count = ZERO if said.nothing else said.count
    if said.quantity is not None and (said.quantity.operator, said.quantity.json) != (">=", 1):
        return each_of(
            (
                happened(
                    events.ORDER_PLACED,
                    said.quantity,
                    said.when,
                    aggregate="sum:quantity",
                    where=where,
                )
                for where in _wheres(said)
            ),
            wants_all=said.wants_all,
        )
    if said.worth is not None:
        where = [compared("amount", said.worth)]
        return each_of(
            (
                happened(events.ORDER_PLACED, count, said.when, where=[*where, *more])
                for more in _wheres(said)
            ),
            wants_all=said.wants_all,
        )
    if said.categories or said.products:
        if count is None and said.when is None:
            return _thing_rule(said.categories, said.products, said.wants_all)
        return each_of(
            (
                happened(events.ORDER_PLACED, count, said.when, where=where)
                for where in _wheres(said)
            ),
            wants_all=said.wants_all,
        )
    if said.when is None:
        return compared("order_count", count) if count else attribute("order_count", ">=", 1)
    if count is None and _ends_now(said.when):
        return in_period("last_order_at", said.when)
    return happened(events.ORDER_PLACED, count, said.when)


def _ends_now(when: Period) -> bool:
    """Then the last order alone decides."""
    return when.older or when.days is not None or when.last is None


def _bought_again(before: _Bought) -> type[None] | object:
    def read(phrase: Phrase) -> Rule | None:
        said = _Bought(verb=before.verb)
        phrase.take("(?:from|of|in|any|an?|the)(?= )")
        if found := _things(phrase):
            said.categories, said.products, said.wants_all = found
        elif before.verb != "orders" and before.count is not None:
            said.count = times(phrase)
        if not (said.categories or said.products or said.count):
            said.when = period_alone(phrase)
            said.categories, said.products, said.wants_all = (
                before.categories,
                before.products,
                before.wants_all,
            )
        if not (said.categories or said.products or said.count or said.when) or (
            said.when is None
            and said.categories == before.categories
            and said.products == before.products
        ):
            return None
        _tail(phrase, said)
        said.when = said.when or (before.when if before.categories or before.products else None)
        return _rule(phrase, said)

    return read


def _spent_again(phrase: Phrase) -> Rule | None:
    """And less than 100 on Coffee."""
    said = _Bought()
    _tail(phrase, said, is_money=True)
    return None if said.worth is None else _spend_rule(phrase, said)


def did_not_buy(phrase: Phrase, when: Period | None) -> Rule | None:
    """The end of "opened it last week but did not buy": in the same period, unless another is said."""
    with phrase.attempt() as attempt:
        if not phrase.take(
            f"(?:, )?(?:but|and|yet)(?: (?:who|they|then))* did not(?: (?:go on to|then|actually))* {VERB}"
        ):
            return None
        said = _Bought()
        _tail(phrase, said)
        said.when = said.when or when
        attempt.keep()
        return not_(_rule(phrase, said))


CLAUSES = (
    last_purchase,
    average,
    lifetime_value,
    spent,
    buyers,
    bought,
    orders,
    spent_amount,
    money_alone,
)
