"""A row of the table: a pattern of words with slots, and the rule that it means."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from customers.segments.from_text.phrase import Phrase, RuleJSON
from customers.segments.from_text.slots import SLOTS, Clause

_SLOT = re.compile(r"(?<!\?P)<([a-z]+)(?::(\w+))?>")


def row(
    pattern: str,
    rule: RuleJSON | Callable[..., RuleJSON | None] | None = None,
    *,
    read_as: str | Promise = "",
) -> Clause:
    """Return a clause that reads a pattern: regular expressions of whole words, with slots such as `<number:age>` between.

    `rule` is the rule, or a function of the phrase, the slots and the named groups; without it the last slot is the rule.
    `read_as` is noted where the words have no measure of their own.
    """
    pieces = _SLOT.split(pattern)
    parts = [
        (words.strip(" "), slot, of or "")
        for words, slot, of in zip(
            pieces[::3], [*pieces[1::3], ""], [*pieces[2::3], ""], strict=True
        )
    ]

    def read(phrase: Phrase) -> RuleJSON | None:
        values: dict[str, Any] = {}
        written = last = None
        for words, slot, of in parts:
            if words:
                found = phrase.passes(words)
                if found is None:
                    return None
                written = written or found[0]
                values |= found.groupdict()
            if slot:
                values[slot] = last = SLOTS[slot](phrase, of)
                if last is None:
                    return None
        if read_as:
            told = {"words": written, "told": read_as}
            phrase.note(_("“%(words)s” is read as %(told)s.") % told)
        if rule is None:
            return last
        return rule(phrase, **values) if callable(rule) else dict(rule)

    return read


def after(words: str) -> str:
    """Return a pattern for a place behind one of the words."""
    return "(?:" + "|".join(rf"(?<=\b{word} )" for word in words.split("|")) + ")"
