"""Presets: segments to start from, with rules that suit most shops."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Preset:
    """A segment to start from; `slug` is the default slug of the segment, `icon` a Material Symbol."""

    slug: str
    icon: str
    name: str | Promise
    description: str | Promise
    rules: dict[str, Any]


def _all_of(*conditions: dict[str, Any]) -> dict[str, Any]:
    return {"operator": "AND", "conditions": list(conditions)}


PRESETS = (
    Preset(
        "high-value",
        "diamond",
        _("High value"),
        _("Spent 1,000 or more, and bought within half a year."),
        _all_of(
            {"field": "total_spend", "operator": ">=", "value": 1000},
            {"field": "last_order_at", "operator": "in_last_days", "value": 180},
        ),
    ),
    Preset(
        "frequent-buyers",
        "shopping_cart",
        _("Frequent buyers"),
        _("Ordered five times or more."),
        _all_of({"field": "order_count", "operator": ">=", "value": 5}),
    ),
    Preset(
        "at-risk",
        "warning",
        _("At risk"),
        _("Bought at least twice, but not in 90 days."),
        _all_of(
            {"field": "order_count", "operator": ">=", "value": 2},
            {"field": "last_order_at", "operator": "inactive_days", "value": 90},
        ),
    ),
    Preset(
        "lapsed",
        "history",
        _("Lapsed"),
        _("Bought once, but not in a year."),
        _all_of(
            {"field": "last_order_at", "operator": "is_set"},
            {"field": "last_order_at", "operator": "inactive_days", "value": 365},
        ),
    ),
    Preset(
        "new-leads",
        "person_add",
        _("New leads"),
        _("Registered in the last 30 days, reachable by e-mail, no order yet."),
        _all_of(
            {"field": "registered_at", "operator": "in_last_days", "value": 30},
            {"field": "order_count", "operator": "=", "value": 0},
            {"field": "subscribed", "operator": "contains", "value": "email"},
        ),
    ),
    Preset(
        "never-opened",
        "mark_email_unread",
        _("Never opened"),
        _("Received three messages or more and opened none."),
        _all_of(
            {"event": "message_sent", "operator": ">=", "value": 3},
            {"event": "message_opened", "operator": "=", "value": 0},
        ),
    ),
    Preset(
        "birthday-this-week",
        "cake",
        _("Birthday this week"),
        _("Birthday in the next seven days."),
        _all_of({"field": "date_of_birth", "operator": "anniversary_in_days", "value": 7}),
    ),
)


def find_preset(slug: str) -> Preset | None:
    """Return the preset of a slug, or None."""
    return next((preset for preset in PRESETS if preset.slug == slug), None)
