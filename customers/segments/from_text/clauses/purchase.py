"""What can be said about purchases, in whatever order it is said, and the rule that it comes to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from django.utils.translation import gettext as _

from customers import events
from customers.segments.from_text.amounts import ZERO, Amount, amount, times
from customers.segments.from_text.clauses.reading import count_said, each_of
from customers.segments.from_text.clauses.things import KINDS, NOTHING_NAMED, Things, things
from customers.segments.from_text.conditions import all_of, attribute, compared, happened, in_period
from customers.segments.from_text.periods import Period, period
from customers.segments.from_text.phrase import Phrase, Rule

NOUN = "(?:orders?|purchases?|transactions?)"
GOODS = (
    "(?:products?|items?|stuff|gear|equipment|clothing|clothes|articles|merchandise"
    "|goods|category|categories|things|department|section)"
)
_ENDS = "(?= (?:but|and)(?: |$)|$)"
_AROUND = (
    "anything|something|any|from us|with us|at our (?:store|shop)|an? items?|items?|products?|things?|stuff|goods|an?|the|some"
    f"|before{_ENDS}|in the past{_ENDS}|in total|altogether|a total of|total|online|made|placed|were|was|ever|at all|us|have|has"
)
_LEADING = (
    f"(?:(?:on|of|from|in|for|containing|including|with|both|either|at least one|{_AROUND}) )*"
    "(?:the )?(?:(?:category|categories|department|product|products|brand) )?"
)
_AVERAGE = (
    "(?:on average|per order|an order|each time|on each order|per purchase|each order)(?= |$)"
)
_AT_ONCE = "(?:in|on|with|at) (?:a|one|any) (?:single )?(?:order|purchase|go|transaction)|at once|in one go"


@dataclass
class Purchase:
    """What was said: how often, when, what each was worth, what and how many of it were bought, or that it was nothing."""

    count: Amount | None = None
    when: Period | None = None
    worth: Amount | None = None
    things: Things = NOTHING_NAMED
    quantity: Amount | None = None
    nothing: bool = False

    def read(self, phrase: Phrase, *, is_money: bool = False, is_noun: bool = False) -> None:
        """All that the phrase goes on to say. After "spent" a number is money, after "orders" it is what each was worth."""
        while self._piece(phrase, is_money=is_money, is_noun=is_noun):
            pass

    def rule(self) -> Rule:
        """Bought like that."""
        count = ZERO if self.nothing else self.count
        parts = []
        if self.quantity is not None and not _is_any(self.quantity):
            parts.append(self._orders(self.quantity, "sum:quantity"))
        if self.worth is not None:
            parts.append(self._orders(count, also=[compared("amount", self.worth)]))
        elif self.things.names and (count or self.when or not parts):
            parts.append(self._orders(count) if count or self.when else self.things.ever_bought())
        elif not parts or count:
            parts.append(self._plain(count))
        return all_of(parts)

    def spend_rule(self, phrase: Phrase) -> Rule:
        """Spent that much."""
        worth = ZERO if self.nothing or self.worth is None else self.worth
        if worth.is_plain:
            phrase.note(_("An amount of money without a comparison is read as at least that much."))
            worth = replace(worth, operator=">=")
        if phrase.take(_AVERAGE):
            return compared("average_order_value", worth)
        if phrase.take(_AT_ONCE):
            return replace(self, worth=worth).rule()
        spent = (
            compared("total_spend", worth)
            if self.when is None and not self.things.names
            else self._orders(worth, "sum:amount")
        )
        others = replace(self, worth=None, nothing=False)
        return all_of([spent, others.rule()]) if self.count or self.quantity else spent

    def _plain(self, count: Amount | None) -> Rule:
        """Nothing but how often and when."""
        if self.when is None:
            return compared("order_count", count) if count else attribute("order_count", ">=", 1)
        if count is None and self.when.reaches_now:
            return in_period("last_order_at", self.when)
        return happened(events.ORDER_PLACED, count, self.when)

    def _orders(
        self, figure: Amount | None, aggregate: str = "", also: Iterable[Rule] = ()
    ) -> Rule:
        """Orders of these things, one rule for each of their kinds."""
        return each_of(
            (
                happened(
                    events.ORDER_PLACED,
                    figure,
                    self.when,
                    aggregate=aggregate,
                    where=[*also, *where],
                )
                for where in self.things.wheres() or [[]]
            ),
            wants_all=self.things.wants_all,
        )

    def _piece(self, phrase: Phrase, *, is_money: bool, is_noun: bool) -> bool:
        """One more thing that is said about the purchase, if there is one."""
        if not self.nothing and phrase.take("nothing"):
            self.nothing = True
        elif self.count is None and (count := times(phrase) or count_said(phrase, NOUN)):
            self.count = count
        elif self.when is None and (when := period(phrase)):
            self.when = when
        elif self.quantity is None and not is_money and (quantity := _quantity(phrase)):
            self.quantity = quantity
        elif self.worth is None and (worth := _worth(phrase, is_money=is_money or is_noun)):
            self.worth = worth
        elif not self.things.names and (found := _things_after(phrase)):
            self.things = found
        else:
            return bool(phrase.take(f"(?:{_AROUND})(?! (?:email|message|campaign|visit|tag))"))
        return True


def _things_after(phrase: Phrase) -> Things | None:
    with phrase.attempt() as attempt:
        phrase.take(_LEADING)
        if found := things(phrase):
            phrase.take(GOODS)
            attempt.keep()
        return found


def _quantity(phrase: Phrase) -> Amount | None:
    """How many of them: 5 products, 2 hats."""
    if found := count_said(phrase, "items?|products?|things?|units?|pieces?"):
        return found
    with phrase.attempt() as attempt:
        found = amount(phrase)
        phrase.take("of ")
        if found is not None and not found.is_money and phrase.name(*KINDS):
            attempt.keep()
            return found
    return None


def _worth(phrase: Phrase, *, is_money: bool) -> Amount | None:
    """How much it cost."""
    with phrase.attempt() as attempt:
        says_so = phrase.take(
            "(?:worth|for|costing|valued at|totall?ing|of|with a (?:total|value) of|each) "
        )
        found = amount(phrase)
        if found is None or found.is_percent:
            return None
        if not found.is_money and not is_money and not says_so:
            return None
        if phrase.sees("(?:times|visits|orders|days|weeks|months|years|emails|years old)"):
            return None
        attempt.keep()
        if found.is_plain and found.is_money:
            phrase.note(_("An amount of money without a comparison is read as at least that much."))
            found = replace(found, operator=">=")
        return found


def _is_any(quantity: Amount) -> bool:
    return (quantity.operator, quantity.json) == (">=", 1)
