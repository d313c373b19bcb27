"""Read a description by a language model.

The model gets the rule language and the names in the description, no personal data. Its rules are validated like any other.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from django.utils import timezone

from crm import llm
from customers.segments.from_text import gazetteer
from customers.segments.from_text.phrase import tokens
from customers.segments.from_text.understood import Understood, explained
from customers.segments.language import event_types, fields, validate
from customers.segments.language.fields import OPERATORS
from customers.segments.language.rules import RuleError
from customers.segments.lookups.comparisons import site_zone

_INSTRUCTIONS = """You turn a description of an audience into rules. Answer with one JSON object:
{"rules": group, "unparsed": [words of the description that the rules do not express]}.
group := {"operator": "AND" | "OR", "conditions": [rule, ...], "negate"?: true}
rule := group | attribute | behaviour
attribute := {"field": NAME, "operator": OP, "value": V}
behaviour := {"event": NAME, "operator": OP, "value": N, "aggregate"?: "count" | "sum:PROPERTY", "within_days"?: D,
  "where"?: [attribute on the event's properties, ...]}
An empty AND is everyone. "inactive_days" N is "not in the last N days, or never". Dates are ISO 8601.
Never use a field, operator or event that is not listed. Never guess: what you cannot express belongs in "unparsed"."""


def understand(description: str, now: datetime) -> Understood:
    """Read a description by the model. Raises crm.llm.NoAnswer without a usable answer."""
    answer = llm.ask_for_json(f"{_INSTRUCTIONS}\n{_language()}", _question(description, now))
    if not isinstance(answer, dict) or "rules" not in answer:
        raise llm.NoAnswer("the answer holds no rules")
    try:
        rules = validate.validate_rules(answer["rules"])
    except RuleError as refused:
        raise llm.NoAnswer(f"its rules do not fit: {refused}"[:300]) from None
    unparsed = _words(answer.get("unparsed"))
    return Understood(rules, explained(rules, [], unparsed), unparsed, source="model")


def _language() -> str:
    language = {
        "fields": {
            each.name: {
                "type": each.type,
                **({"values": list(each.choices)} if each.choices else {}),
            }
            for each in fields.known()
        },
        "operators": OPERATORS,
        "events": {
            each.name: [*(known.name for known in each.properties), event_types.TIME]
            for each in event_types.known()
        },
    }
    return json.dumps(language)


def _question(description: str, now: datetime) -> str:
    found = tokens(description)
    names = [
        {"kind": name.kind, "value": name.value}
        for there in gazetteer.names_in(found, description).values()
        for name in there
    ]
    today = timezone.localdate(now, site_zone())
    return json.dumps(
        {"today": today.isoformat(), "names in our data": names, "description": description},
        ensure_ascii=False,
    )


def _words(given: Any) -> list[str]:
    if given is None:
        return []
    if not isinstance(given, list):
        raise llm.NoAnswer("its unparsed words are not a list")
    return [str(word)[:100] for word in given][:100]
