"""Words without a measure of their own: each has a default here, and the reader is told which."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.models import Customer
from customers.segments.from_text.amounts import amount
from customers.segments.from_text.clauses.reading import is_known
from customers.segments.from_text.conditions import all_of, attribute
from customers.segments.from_text.phrase import Phrase, Rule

BIG_SPENDERS = 0.2
FREQUENT_ORDERS = 5
LAPSED_DAYS = 180
RECENT_DAYS = 30
LIKELY_TO_CHURN = 0.7
HIGHLY_ENGAGED, ENGAGED, DISENGAGED = 70, 50, 20

_WHO = "(?: (?:customers?|buyers?|shoppers?|people|users?|clients?|members?|contacts?|ones))?"
_BOUGHT = attribute("order_count", ">=", 1)
_LEAVING = (
    "(?:are |is |who are )?(?:most |very |highly )?(?:likely|going|about) to (?:churn|leave|cancel)"
    "|high (?:- )?churn(?: risk)?|(?:in danger|at (?:high )?risk) of (?:churn|churning|leaving)"
)
_DEFAULTS = (
    ("(?:frequent|loyal|regular|heavy)(?: (?:buyers?|customers?|shoppers?|purchasers?|clients?))|regulars",
     attribute("order_count", ">=", FREQUENT_ORDERS), gettext_lazy("at least 5 orders")),
    ("recent (?:buyers?|shoppers?|purchasers?|orders?)",
     attribute("last_order_at", "in_last_days", RECENT_DAYS), gettext_lazy("an order in the last 30 days")),
    (f"(?:lapsed|dormant|sleeping){_WHO}",
     all_of([_BOUGHT, attribute("last_order_at", "inactive_days", LAPSED_DAYS)]),
     gettext_lazy("bought before, but not in the last 180 days")),
    (f"(?:{_LEAVING}){_WHO}",
     attribute("churn_risk", ">=", LIKELY_TO_CHURN), gettext_lazy("a churn risk of at least 0.7")),
    ("(?:unlikely|not likely) to (?:churn|leave)",
     attribute("churn_risk", "<=", 0.3), gettext_lazy("a churn risk of at most 0.3")),
    (f"(?:highly|very|most|super) (?:- )?engaged{_WHO}",
     attribute("engagement_score", ">=", HIGHLY_ENGAGED), gettext_lazy("an engagement score of at least 70")),
    (f"engaged{_WHO}",
     attribute("engagement_score", ">=", ENGAGED), gettext_lazy("an engagement score of at least 50")),
    (f"(?:disengaged|unengaged|barely engaged){_WHO}",
     attribute("engagement_score", "<=", DISENGAGED), gettext_lazy("an engagement score of at most 20")),
    (f"(?:happy|satisfied){_WHO}",
     attribute("satisfaction", ">=", 4), gettext_lazy("a satisfaction of at least 4")),
    (f"(?:unhappy|dissatisfied|unsatisfied|angry){_WHO}",
     attribute("satisfaction", "<=", 2), gettext_lazy("a satisfaction of at most 2")),
)  # fmt: skip


def default(phrase: Phrase) -> Rule | None:
    """Loyal, lapsed, engaged, likely to churn …"""
    for words, rule, told in _DEFAULTS:
        if is_known(_field(rule)) and (found := phrase.take(words)):
            phrase.note(_("“%(words)s” is read as %(told)s.") % {"words": found[0], "told": told})
            return rule
    return None


def top_spenders(phrase: Phrase) -> Rule | None:
    """Big spenders are the top fifth; the top 10 % of customers by spend: from what they have spent until now."""
    share = BIG_SPENDERS
    if phrase.take("(?:the |our )?(?:top|best)(?= )"):
        found = amount(phrase)
        if found is not None:
            if not found.is_percent:
                return None
            share = float(found.numbers[0]) / 100
            phrase.take(
                "(?:of )?(?:(?:our|all|the) )*(?:customers?|spenders?|buyers?|clients?|people)?(?: (?:by|in"
                "|on) (?:total )?(?:spend|spending|revenue|value))?"
            )
        elif not phrase.take(
            "(?:spenders?|customers?|buyers?|clients?)(?: by (?:spend|revenue|spending|value))?"
        ):
            return None
    elif not phrase.take(
        "(?:the |our )?(?:(?:big|high|biggest|highest|heavy|largest) (?:- )?(?:spenders?|spending"
        "|value|rollers?)|whales|high value|most valuable|best)(?: (?:customers?|buyers?|clients?"
        "|people|ones))?"
    ):
        return None
    least = spend_of_top(share)
    if least is None:
        return None
    phrase.note(
        _("The top %(percent)s %% by spend have spent at least %(least)s as of today.")
        % {"percent": f"{share * 100:g}", "least": least}
    )
    return attribute("total_spend", ">=", least)


def spend_of_top(share: float) -> float | None:
    """What the last of this share of those who have spent anything has spent; None where nobody has."""
    spent = Customer.objects.filter(total_spend__gt=0).order_by("-total_spend")
    place = max(round(spent.count() * share), 1) - 1
    least = spent.values_list("total_spend", flat=True)[place : place + 1].first()
    return float(least) if least is not None else None


def _field(rule: Rule) -> str:
    return str(rule.get("field", "order_count"))


def at_risk_of_churning(phrase: Phrase) -> Rule | None:
    """Before a segment "At Risk" takes the words."""
    return default(phrase) if phrase.sees("(?:in danger|at (?:high )?risk) of") else None


FIRST = (at_risk_of_churning,)
CLAUSES = (default, top_spenders)
