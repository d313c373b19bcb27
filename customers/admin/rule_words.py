"""What the rule builder says: operators and buttons, in the reader's language."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

WORDS: dict[str, Any] = {
    "AND": _("All of"),
    "OR": _("Any of"),
    "not": _("Not"),
    "rule": _("Rule"),
    "group": _("Group"),
    "remove": _("Remove"),
    "field": _("Field"),
    "operator": _("Operator"),
    "value": _("Value"),
    "many": _("several, with commas between"),
    "days": _("days"),
    "attribute": _("attribute …"),
    "key": _("name of the attribute"),
    "unreadable": _("This is not a group of rules; see JSON."),
    "operators": {
        "=": _("is"),
        "!=": _("is not"),
        ">": _("more than"),
        ">=": _("at least"),
        "<": _("less than"),
        "<=": _("at most"),
        "between": _("between"),
        "contains": _("contains"),
        "not_contains": _("does not contain"),
        "starts_with": _("starts with"),
        "ends_with": _("ends with"),
        "in": _("is one of"),
        "not_in": _("is none of"),
        "before": _("before"),
        "after": _("after"),
        "on": _("on"),
        "in_last_days": _("in the last"),
        "inactive_days": _("not in the last"),
        "anniversary_in_days": _("anniversary in the next"),
        "contains_any": _("contains any of"),
        "contains_all": _("contains all of"),
        "contains_none": _("contains none of"),
        "is_set": _("is known"),
        "is_not_set": _("is not known"),
    },
}
