"""Definitions as documents: as text to compare, and as users with masked data may see them."""

from __future__ import annotations

import json
from typing import Any

from crm import masking
from customers.segments import shown_conditions, shown_rules


def as_text(definition: Any) -> str:
    """Return a definition as JSON that reads and compares well: keys in their order, one a line."""
    return json.dumps(definition, indent=2, ensure_ascii=False) + "\n"


def shown(part: Any) -> Any:
    """Return a definition, or a part of one, without the personal values that the current user may not see."""
    if not masking.is_on():
        return part
    match part:
        case dict():
            found = {
                key: shown_rules(value) if key in ("rules", "audience") else shown(value)
                for key, value in part.items()
            }
            if isinstance(part.get("event"), str) and part.get("where"):
                found["where"] = shown_conditions(part["event"], part["where"])
            return found
        case list():
            return [shown(each) for each in part]
    return part
