"""Read what customers bought, how often, when, and for how much."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from customers.models import Customer
from customers.segments.from_text import gazetteer
from customers.segments.from_text.amounts import ZERO, Amount, amount, times
from customers.segments.from_text.conditions import (
    all_of,
    attribute,
    compared,
    happened,
    has_all,
    in_period,
    not_,
    one_of,
)
from customers.segments.from_text.patterns import meaning
from customers.segments.from_text.periods import Period, lately, period
from customers.segments.from_text.phrase import LeftOut, Phrase, RuleJSON
from customers.segments.from_text.slots import (
    IS,
    Clause,
    count_before,
    each_of,
    listed,
    period_alone,
    remember,
)
from customers.segments.from_text.vocabulary import GLUE, PEOPLE
from customers.timeline.types import ORDER_PLACED

A_DAY = timedelta(days=1)
VERB = "(?:buy|buys|buying|bought|purchase|purchased|purchasing|order|ordered|ordering|shop|shops|shopped|shopping|transacted)"
_NOUN = "(?:orders?|purchases?|transactions?)"
_GOODS = (
    "(?:products?|items?|stuff|gear|equipment|clothing|clothes|articles|merchandise|goods|category|categories|things|department"
    "|section)"
)
_ENDS = "(?= (?:but|and)(?: |$)|$)"
_FILLER = (
    "anything|something|any|from us|with us|at our (?:store|shop)|an? items?|items?|products?|things?|stuff|goods|an?|the|some"
    f"|before{_ENDS}|in the past{_ENDS}|in total|altogether|a total of|total|online|made|placed|were|was|ever|at all|us|have|has"
)
_LEADING = (
    f"(?:(?:on|of|from|in|for|containing|including|with|both|either|at least one|{_FILLER}) )*"
    "(?:the )?(?:(?:category|categories|department|product|products|brand) )?"
)
_AT_ONCE = "(?:in|on|with|at) (?:a|one|any) (?:single )?(?:order|purchase|go|transaction)|at once|in one go"
_WHO = "(?:buyers?|purchasers?|customers?|shoppers?|clients?)"

_BEFORE_GOODS = f"(?:{VERB}|not|no|never|without|or|and|,|/|both|either|neither|nor)(?: (?:an?|the|some|any|our))*"
_AFTER_GOODS = (
    r"and|or|but|nor|yet|who|that|whose|which|with|without|,|in|from|except|on|at|for|by|\)|last|this|since|during|within|before"
    "|after|until|over|more|less|at least|twice|once|yesterday|today|recently|through|ago"
)
_NO_GOODS_WORDS = (
    "online|offline|instore|again|often|daily|weekly|monthly|yearly|more|less|most|least|much|many|lots|lot|few|several|everything"
    "|anything|nothing|something|stuff|here|times?|once|twice|thrice|first|second|third|last|next|previous|past|this|that|today"
    "|yesterday|recently|lately|ever|never|always|only|just|even|both|either|neither|exactly|over|under|above|below|between"
    "|before|after|since|during|within|until|on|sale|sales|discount|discounted|gifts?|products?|items?|goods|orders?|purchases?|different"
    "|average|total|total(?:ling|ing)?|worth|email|emails|messages?|campaigns?|visits?|tags?|segments?|amount|value|count|size|back"
    "|zero|one|two|three|four|five|six|seven|eight|nine|ten|dozen|single|multiple|each|every|than|not|and|but|full|using|used"
)

# Products, categories and brands

_KINDS = ("category", "product", "brand")
_WORD_OF_NAMES = "word"
"""The kind of goods that are called by a word of their names: the tent of "Trail tent"."""
_LISTS = {"category": "purchased_categories", "product": "purchased_products"}


@dataclass(frozen=True, slots=True)
class Goods:
    """Names of the data by kind, and whether all of them are meant or any."""

    names: dict[str, list[str]]
    wants_all: bool = False

    def ever_bought(self) -> RuleJSON:
        join = has_all if self.wants_all else one_of
        rules = (
            join(_LISTS[kind], names)
            if kind in _LISTS
            else each_of(
                (happened(ORDER_PLACED, where=where) for where in self._wheres_of(kind, names)),
                wants_all=self.wants_all,
            )
            for kind, names in self.names.items()
        )
        return each_of(rules, wants_all=self.wants_all)

    def wheres(self) -> list[list[RuleJSON]]:
        """Return conditions on orders: one for each kind, or for all goods one each."""
        return [
            where for kind, names in self.names.items() for where in self._wheres_of(kind, names)
        ]

    def _wheres_of(self, kind: str, names: list[str]) -> list[list[RuleJSON]]:
        if kind == _WORD_OF_NAMES:
            return [[attribute("product", "contains", name)] for name in names]
        if self.wants_all:
            return [[attribute(kind, "=", name)] for name in names]
        return [[one_of(kind, names)]]


_NO_GOODS = Goods({})


def _goods(phrase: Phrase, *, new: bool = False) -> Goods | None:
    """Read "Books, Coffee and hats"; with `new` also a word of their names, and products that the data does not have."""
    names: dict[str, list[str]] = {}

    def one(phrase: Phrase) -> str | None:
        phrase.take("(?:the )?(?:category|product|brand) ")
        found = phrase.take_name(*_KINDS)
        kind, value = (found.kind, found.value) if found else _unknown(phrase) if new else ("", "")
        if value:
            names.setdefault(kind, []).append(value)
        return value or None

    found = listed(phrase, one)
    return Goods(names, found[1]) if found else None


def _unknown(phrase: Phrase) -> tuple[str, str]:
    """Read a word of product names, or a product of no such name, and note it; ("", "") for anything else."""
    first = phrase.at
    before = " ".join(token.word for token in phrase.tokens[max(0, first - 3) : first])
    if (
        not re.search(rf"(?:^| )(?:{_BEFORE_GOODS})$", before)
        or phrase.is_quoted
        or not _may_name_goods(phrase)
    ):
        return "", ""
    phrase.at += 1
    if (word := gazetteer.word_of_product_names(phrase.tokens[first].text)) and _is_end_of_goods(
        phrase
    ):
        note = _("“%(written)s” is read as products with “%(word)s” in their name.")
        phrase.note(note % {"written": phrase.tokens[first].text, "word": word})
        return _WORD_OF_NAMES, word
    while phrase.at < first + 3 and not _is_end_of_goods(phrase) and _may_name_goods(phrase):
        phrase.at += 1
    if not _is_end_of_goods(phrase):
        phrase.at = first
        return "", ""
    parts = phrase.tokens[first : phrase.at]
    phrase.doubtful += parts
    name = " ".join(token.text for token in parts)
    phrase.note(_("No product is called “%s” yet.") % name)
    return "product", name


def _may_name_goods(phrase: Phrase) -> bool:
    word = phrase.token.word
    is_name = word.isalpha() and len(word) > 2 and not word.endswith("ly")
    return is_name and not phrase.sees(f"{_NO_GOODS_WORDS}|{GLUE}|{PEOPLE}|{VERB}")


def _is_end_of_goods(phrase: Phrase) -> bool:
    return phrase.is_over or bool(phrase.sees(_AFTER_GOODS))


def _goods_after(phrase: Phrase) -> Goods | None:
    with phrase.attempt() as attempt:
        phrase.take(_LEADING)
        if found := _goods(phrase, new=True):
            phrase.take(_GOODS)
            attempt.keep()
        return found


# A purchase


@dataclass
class Purchase:
    """A purchase as described: how often, when, how much each was worth, what and how many, or nothing at all."""

    count: Amount | None = None
    when: Period | None = None
    worth: Amount | None = None
    goods: Goods = _NO_GOODS
    quantity: Amount | None = None
    nothing: bool = False

    def read(self, phrase: Phrase, *, is_money: bool = False, is_noun: bool = False) -> Purchase:
        """Read all that follows. After "spent" a number is money, after "orders" it is the worth of each."""
        while self._part(phrase, is_money=is_money, is_noun=is_noun):
            pass
        return self

    def _part(self, phrase: Phrase, *, is_money: bool, is_noun: bool) -> bool:
        if not self.nothing and phrase.take("nothing"):
            self.nothing = True
        elif self.count is None and (count := times(phrase) or count_before(phrase, _NOUN)):
            self.count = count
        elif self.worth is None and is_money and (worth := _worth(phrase, is_money=True)):
            self.worth = worth
        elif self.when is None and (when := period(phrase)):
            self.when = when
        elif self.quantity is None and not is_money and (quantity := _quantity(phrase)):
            self.quantity = quantity
        elif self.worth is None and (worth := _worth(phrase, is_money=is_noun)):
            self.worth = worth
        elif not self.goods.names and (goods := _goods_after(phrase)):
            self.goods = goods
        else:
            return bool(phrase.take(f"(?:{_FILLER})(?! (?:email|message|campaign|visit|tag))"))
        return True

    def rule(self) -> RuleJSON:
        """Return the rule of customers who bought like that."""
        count = ZERO if self.nothing else self.count
        parts = []
        if self.quantity is not None and (self.quantity.operator, self.quantity.json) != (">=", 1):
            parts.append(self._orders(self.quantity, "sum:quantity"))
        if self.worth is not None:
            parts.append(self._orders(count, also=[compared("amount", self.worth)]))
        elif self.goods.names and (count or self.when or not parts):
            parts.append(self._orders(count) if count or self.when else self.goods.ever_bought())
        elif not parts or count:
            parts.append(self._plain(count))
        return all_of(parts)

    def spend_rule(self, phrase: Phrase) -> RuleJSON:
        """Return the rule of customers who spent that much."""
        worth = ZERO if self.nothing or self.worth is None else self.worth
        if worth.is_plain:
            worth = _at_least(phrase, worth)
        if phrase.take(
            "(?:on average|per order|an order|each time|on each order|per purchase|each order)(?= |$)"
        ):
            return compared("average_order_value", worth)
        if phrase.take(_AT_ONCE):
            return replace(self, worth=worth).rule()
        is_total = self.when is None and not self.goods.names
        spent = compared("total_spend", worth) if is_total else self._orders(worth, "sum:amount")
        others = replace(self, worth=None, nothing=False)
        return all_of([spent, others.rule()]) if self.count or self.quantity else spent

    def _plain(self, count: Amount | None) -> RuleJSON:
        """Return the rule of nothing but frequency and period."""
        if self.when is None:
            return compared("order_count", count) if count else attribute("order_count", ">=", 1)
        if count is None and self.when.reaches_now:
            return in_period("last_order_at", self.when)
        return happened(ORDER_PLACED, count, self.when)

    def _orders(
        self, figure: Amount | None, aggregate: str = "", also: Iterable[RuleJSON] = ()
    ) -> RuleJSON:
        """Return the rule of orders of these goods, one for each of their kinds."""
        rules = (
            happened(ORDER_PLACED, figure, self.when, aggregate=aggregate, where=[*also, *where])
            for where in self.goods.wheres() or [[]]
        )
        return each_of(rules, wants_all=self.goods.wants_all)


def _at_least(phrase: Phrase, worth: Amount) -> Amount:
    phrase.note(_("An amount of money without a comparison is read as at least that much."))
    return replace(worth, operator=">=")


def _quantity(phrase: Phrase) -> Amount | None:
    """Read how many were bought: 5 products, 2 hats."""
    if found := count_before(phrase, "items?|products?|things?|units?|pieces?"):
        return found
    with phrase.attempt() as attempt:
        found = amount(phrase)
        phrase.take("of ")
        if found is not None and not found.is_money and phrase.name(*_KINDS):
            attempt.keep()
            return found
    return None


def _worth(phrase: Phrase, *, is_money: bool) -> Amount | None:
    """Read how much it cost."""
    with phrase.attempt() as attempt:
        is_introduced = phrase.take(
            "(?:worth|for|costing|valued at|totall?ing|of|with a (?:total|value) of|each) "
        )
        found = amount(phrase)
        if found is None or found.is_percent or not (found.is_money or is_money or is_introduced):
            return None
        if phrase.sees("(?:times|visits|orders|days|weeks|months|years|emails|years old)"):
            return None
        attempt.keep()
        return _at_least(phrase, found) if found.is_plain and found.is_money else found


# Clauses


@meaning
def first_purchase(phrase: Phrase, period: Period) -> RuleJSON | None:
    """First ordered in May: an order then, and none before."""
    if period.ahead:
        return None
    ordered = happened(ORDER_PLACED, period=period)
    if period.older or (period.first is None and period.days is None):
        return ordered
    first = period.first or phrase.today
    before = replace(period, older=True) if period.days else Period(last=first - A_DAY)
    return all_of([ordered, happened(ORDER_PLACED, ZERO, before)])


@meaning
def value_of_orders(phrase: Phrase, number: RuleJSON) -> RuleJSON:
    phrase.note(_("The value of orders is read as their average."))
    return number


@meaning
def spent(phrase: Phrase) -> RuleJSON | None:
    """Spent over $500 on Books in the last 90 days; total spend between 100 and 500."""
    phrase.take(IS)
    is_average = bool(phrase.take("(?:on average|an average of|per order)"))
    purchase = Purchase(nothing=bool(phrase.take("nothing|zero|no money|0")))
    purchase.read(phrase, is_money=True)
    if purchase.worth is None and not purchase.nothing:
        return None
    rule = purchase.spend_rule(phrase)
    if is_average and rule.get("field") == "total_spend":
        rule = {**rule, "field": "average_order_value"}
    return remember(phrase, _spent_again, rule)


def _spent_again(phrase: Phrase) -> RuleJSON | None:
    """And less than 100 on Coffee; but nothing last year."""
    purchase = Purchase(nothing=bool(phrase.take("nothing"))).read(phrase, is_money=True)
    if purchase.nothing:
        return purchase.rule()
    return None if purchase.worth is None else purchase.spend_rule(phrase)


@meaning
def spent_amount(phrase: Phrase, amount: Amount) -> RuleJSON | None:
    """$500 or more in purchases; over 1k lifetime spend; $200+ spenders."""
    if amount.is_percent:
        return None
    if not amount.is_money and phrase.before("purchases|orders|sales|transactions"):
        return None
    return remember(phrase, _spent_again, Purchase(worth=amount).read(phrase).spend_rule(phrase))


@meaning
def money_alone(phrase: Phrase, amount: Amount) -> RuleJSON | None:
    """Over $500."""
    if not amount.is_money:
        return None
    phrase.note(_("An amount of money alone is read as total spend."))
    return Purchase(worth=amount).read(phrase).spend_rule(phrase)


@meaning
def ordered(phrase: Phrase) -> RuleJSON | None:
    """3+ orders, more than two orders in 2025, orders over $200, no orders since May."""
    count = count_before(phrase, f"{_NOUN}(?! (?:value|size))")
    if count is None:
        if not phrase.take(
            f"(?:(?:an?|any|the|their|whose|total|at least one|number of|count of) )*(?:{_NOUN}|order count)(?! (?:value|size))"
        ):
            return None
        count = _compared_orders(phrase)
    purchase = Purchase(count=count).read(phrase, is_noun=True)
    return remember(phrase, _bought_again(replace(purchase, count=None)), purchase.rule())


def _compared_orders(phrase: Phrase) -> Amount | None:
    """Read the number of "orders > 5"; the one of "an order over $200" is its worth."""
    with phrase.attempt() as attempt:
        is_one = phrase.before("order|purchase|transaction")
        phrase.take(f"(?:count|{IS}|number)")
        is_ambiguous = bool(phrase.sees("over|under|above|below"))
        found = amount(phrase)
        if found is None or found.is_money or is_one:
            return None
        if found.is_percent:
            raise LeftOut
        if phrase.sees("times|days|weeks|months|years|items"):
            return None
        if is_ambiguous:
            phrase.note(
                _("This is read as the number of orders; for their value write a currency.")
            )
        attempt.keep()
        return found


@meaning
def bought(phrase: Phrase) -> RuleJSON | None:
    """Bought at least twice in 6 months, bought shoes but not socks, shopped this week."""
    when, count = lately(phrase), times(phrase)
    if not phrase.take(f"(?:have |has |made )?{VERB}"):
        return None
    if phrase.take("neither") and (goods := _goods_after(phrase)):
        return not_(Purchase(goods=goods, when=when).read(phrase).rule())
    is_noun = phrase.before("order|purchase")
    purchase = Purchase(count=count, when=when).read(phrase, is_noun=is_noun)
    if purchase.when is None and (missed := _did_not_buy_these(phrase)):
        purchase.when = missed.when
        return all_of([purchase.rule(), not_(missed.rule())])
    return remember(phrase, _bought_again(purchase), purchase.rule())


def _did_not_buy_these(phrase: Phrase) -> Purchase | None:
    """Read the end of "bought shoes but not socks in the last 90 days", where the period is that of both."""
    with phrase.attempt() as attempt:
        if phrase.take(
            "(?:, )?(?:(?:but|and|yet) (?:not|no)|without)(?: (?:an?|any|the|for|of))?"
        ) and (goods := _goods(phrase, new=True)):
            phrase.take(",(?= (?:in|within|during|over|since|this|last|for|before|after) )")
            missed = Purchase(goods=goods).read(phrase)
            if missed.when is not None:
                attempt.keep()
                return missed
    return None


def _bought_again(before: Purchase) -> Clause:
    """Return a clause for the socks of "bought shoes but not socks", the May of "in April but not in May"."""

    def read(phrase: Phrase) -> RuleJSON | None:
        phrase.take("(?:from|of|any|an?|the) ")
        if found := _goods(phrase, new=True):
            purchase = Purchase(goods=found)
        elif before.count is not None and (count := times(phrase)):
            purchase = Purchase(count=count)
        elif when := period_alone(phrase):
            purchase = Purchase(when=when, goods=before.goods)
        else:
            return None
        purchase.read(phrase)
        if purchase.when is None and before.goods is not _NO_GOODS:
            purchase.when = before.when
        return purchase.rule()

    return read


def did_not_buy(phrase: Phrase, when: Period | None) -> tuple[RuleJSON, Period | None] | None:
    """Read the end of "opened it last week but did not buy"; return the rule and the period of both."""
    with phrase.attempt() as attempt:
        if not phrase.take(
            f"(?:, )?(?:but|and|yet)(?: (?:who|they|then))* did not(?: (?:go on to|then|actually))* {VERB}"
        ):
            return None
        purchase = Purchase().read(phrase)
        purchase.when = purchase.when or when
        attempt.keep()
        return not_(purchase.rule()), purchase.when


@meaning
def repeat_buyers(phrase: Phrase) -> RuleJSON:
    return Purchase(count=Amount(">=", (Decimal(2),)), when=period(phrase)).rule()


@meaning
def one_time_buyers(phrase: Phrase) -> RuleJSON:
    once, when = attribute("order_count", "=", 1), period(phrase)
    return all_of([once, in_period("last_order_at", when)]) if when else once


@meaning
def buyers_of_goods(phrase: Phrase) -> RuleJSON | None:
    """Coffee buyers."""
    found = _goods(phrase)
    return found.ever_bought() if found and phrase.take(f"(?:{_GOODS} )?{_WHO}") else None


@meaning
def buyers(phrase: Phrase) -> RuleJSON:
    return Purchase().read(phrase).rule()


@meaning
def top_spenders(phrase: Phrase, amount: Amount | None = None) -> RuleJSON | None:
    """Big spenders are the top fifth; the top 10 % of customers by spend: as of now."""
    share = Decimal(20)
    if amount is not None:
        if not amount.is_percent:
            return None
        share = amount.numbers[0]
        phrase.take(
            "(?:of )?(?:(?:our|all|the) )*(?:customers?|spenders?|buyers?|clients?|people)?"
            "(?: (?:by|in|on) (?:total )?(?:spend|spending|revenue|value))?"
        )
    least = _spend_of_top(float(share) / 100)
    if least is None:
        return None
    figures: dict[str, Any] = {"percent": f"{float(share):g}", "least": least}
    phrase.note(
        _("The top %(percent)s %% by spend have spent at least %(least)s as of today.") % figures
    )
    return attribute("total_spend", ">=", least)


def _spend_of_top(share: float) -> float | None:
    """Return the total spend of the last of this share of spenders."""
    spent = Customer.objects.filter(total_spend__gt=0).order_by("-total_spend")
    place = max(round(spent.count() * share), 1) - 1
    least = spent.values_list("total_spend", flat=True)[place : place + 1].first()
    return float(least) if least is not None else None
