"""Test data for descriptions, and rules as short lines for tables."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from crm.api import ids
from customers.models import CustomerInterest, Segment
from customers.segments.from_text.grammar import understand
from customers.segments.from_text.understood import Understood
from customers.timeline import NewInteraction, record_interactions
from marketing.models import Campaign
from tests.factories.customers import make_customer, make_product
from tests.factories.marketing import make_campaign

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
"""A Saturday."""

BY_E_MAIL = {
    "field": "channel",
    "operator": "not_in",
    "value": ["sms", "whatsapp", "push", "social", "webhook"],
}


def make_world() -> None:
    anna = make_customer(
        city="Paris",
        country="FR",
        source="instagram",
        tags=["gold", "vip", "staff", "newsletter"],
        attributes={
            "loyalty_tier": "platinum",
            "household": 3,
            "gender": "female",
            "loyalty_points": 1200,
        },
    )
    make_customer(
        city="Lyon", country="FR", source="organic search", tags=["coffee club"], total_spend=900
    )
    make_customer(city="New York", country="US", region="California", tags=["wholesale"])
    make_customer(city="Berlin", country="DE", source="referral")
    for category in ("Books", "Coffee", "Electronics", "Shoes", "Outdoor"):
        make_product(category=category, name=f"{category} one")
    for product in ("Socks", "Hat", "Burr hand grinder"):
        make_product(category="Things", name=product, brand="Harrow")
    for name in ("High Value", "At Risk", "New Leads", "Newsletter"):
        Segment.objects.create(name=name, slug=name.lower().replace(" ", "-"))
    record_interactions([NewInteraction(anna.pk, "logged_in", NOW)])
    for category in ("hiking", "yoga", "Coffee"):
        CustomerInterest.objects.create(customer=anna, category=category)
    for campaign in ("Summer Sale", "Black Friday"):
        make_campaign(name=campaign)


def read(description: str) -> Understood:
    return understand(description, NOW)


def table(text: str) -> list[tuple[str, str]]:
    """Return lines of `phrase → rules` as pairs."""
    pairs = (row.split(" → ") for row in text.strip().splitlines())
    return [(phrase, rules) for phrase, rules in pairs]


def line(rule: dict[str, Any]) -> str:
    """Return `city = Paris` for `{"field": "city", "operator": "=", "value": "Paris"}`."""
    if "conditions" in rule:
        joined = f" {rule['operator']} ".join(_in_brackets(each) for each in rule["conditions"])
        return f"NOT ({joined})" if rule.get("negate") else joined or f"nothing {rule['operator']}"
    if "event" not in rule:
        return " ".join([rule["field"], rule["operator"], _value(rule.get("value"))]).strip()
    parts = [rule["event"], rule.get("aggregate", ""), rule["operator"], _value(rule["value"])]
    if "within_days" in rule:
        parts.append(f"in {rule['within_days']} days")
    if "where" in rule:
        parts.append("where " + ", ".join(_of_event(each) for each in rule["where"]))
    return " ".join(part for part in parts if part)


def _of_event(rule: dict[str, Any]) -> str:
    if rule == BY_E_MAIL:
        return "by e-mail"
    if rule["field"] != "campaign":
        return line(rule)
    given = rule["value"] if isinstance(rule["value"], list) else [rule["value"]]
    names = [Campaign.objects.get(pk=ids.decode("cmp", each)).name for each in given]
    return f"campaign {rule['operator']} {', '.join(names)}"


def _in_brackets(rule: dict[str, Any]) -> str:
    inner = line(rule)
    return f"({inner})" if len(rule.get("conditions", ())) > 1 and not rule.get("negate") else inner


def _value(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_value(each) for each in value)
    return "" if value is None else value if isinstance(value, str) else json.dumps(value)
