"""The kinds of fields, and which comparisons each understands."""

from __future__ import annotations

from enum import StrEnum


class Type(StrEnum):
    TEXT = "text"
    CHOICE = "choice"
    NUMBER = "number"
    MONEY = "money"
    INTEGER = "integer"
    DATE = "date"
    LIST = "list"
    ID = "id"
    ANY = "any"


NUMERIC = ("=", "!=", ">", ">=", "<", "<=", "between")
TEXTUAL = ("=", "!=", "contains", "not_contains", "starts_with", "ends_with", "in", "not_in")
RELATIVE = ("in_last_days", "inactive_days", "anniversary_in_days")
TEMPORAL = ("before", "after", "on", "between", *RELATIVE)
LISTED = ("contains", "contains_any", "contains_all", "contains_none")
ALIKE = ("=", "!=", "in", "not_in")
PRESENCE = ("is_set", "is_not_set")

OPERATORS: dict[Type, tuple[str, ...]] = {
    Type.TEXT: TEXTUAL + PRESENCE,
    Type.CHOICE: TEXTUAL + PRESENCE,
    Type.NUMBER: NUMERIC + PRESENCE,
    Type.MONEY: NUMERIC + PRESENCE,
    Type.INTEGER: NUMERIC + PRESENCE,
    Type.DATE: TEMPORAL + PRESENCE,
    Type.LIST: LISTED + PRESENCE,
    Type.ID: ALIKE + PRESENCE,
    Type.ANY: tuple(dict.fromkeys(NUMERIC + TEXTUAL + TEMPORAL + LISTED + PRESENCE)),
}

POSITIVE_OF: dict[str, str] = {
    "!=": "=",
    "not_contains": "contains",
    "not_in": "in",
    "contains_none": "contains_any",
    "is_not_set": "is_set",
}
"""A negative operator matches exactly those whom its positive one does not, so also those who have no value."""
