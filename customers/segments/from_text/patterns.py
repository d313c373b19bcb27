"""Read the table: patterns of words with slots, and the rule that each means."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from django.utils.translation import gettext as _

from customers.segments.from_text.amounts import Amount
from customers.segments.from_text.conditions import all_of, attribute, not_
from customers.segments.from_text.phrase import Phrase, RuleJSON
from customers.segments.from_text.slots import SLOTS, Clause

Meaning = Callable[..., RuleJSON | None]
"""A function of the phrase, the slots and the named groups of a row."""

_meanings: dict[str, Meaning] = {}
_SLOT = re.compile(r"(?<!\?P)<([a-z]+)(?::(\w+))?>")
_NAME = re.compile(r"\{([a-z_]+)\}")
_GROUP = re.compile(r"(?<!\\)\((?!\?)")


def meaning(function: Meaning) -> Meaning:
    """Let rows of the table use the function by its name."""
    _meanings[function.__name__] = function
    return function


def after(words: str) -> str:
    """Return a pattern for a place behind one of the words."""
    return "(?:" + "|".join(rf"(?<=\b{word} )" for word in words.split("|")) + ")"


def read_table(
    table: str, names: Mapping[str, str], groups: Mapping[str, Mapping[str, str]]
) -> tuple[Clause, ...]:
    """Return the clauses of a table; table.py describes its syntax."""
    names = dict(names)
    clauses = []
    for line in re.sub(r"\n  ", "", table).splitlines():
        if not line or line.startswith("# "):
            continue
        name, is_name, pattern = line.partition(" := ")
        if is_name:
            names[name] = _expanded(pattern, names)
            continue
        each = re.match(r"each (\w+):", line)
        for field, noun in groups[each[1]].items() if each else (("", ""),):
            row = (line[each.end() :] if each else line).replace("{field}", field)
            pattern, _arrow, rule = (part.strip() for part in row.partition("→"))
            known = {**names, "noun": _expanded(noun, names)}
            clauses.append(
                _clause(_expanded(pattern, known), rule, {"field": field} if each else {})
            )
    return tuple(clauses)


def _expanded(pattern: str, names: Mapping[str, str]) -> str:
    """Put named patterns in, and let groups capture nothing."""
    return _NAME.sub(lambda found: f"(?:{names[found[1]]})", _GROUP.sub("(?:", pattern)).strip()


def _clause(pattern: str, rule: str, constants: Mapping[str, str]) -> Clause:
    pieces = _SLOT.split(pattern)
    slots = [*zip(pieces[1::3], pieces[2::3], strict=True), ("", "")]
    parts = [(words.strip(), *slot) for words, slot in zip(pieces[::3], slots, strict=True)]
    rule, _tilde, default = rule.partition(" ~ ")
    mean = _meaning_of(rule)

    def read(phrase: Phrase) -> RuleJSON | None:
        values: dict[str, Any] = dict(constants)
        first, last = phrase.at, None
        for words, slot, of in parts:
            found = phrase.passes(words) if words else None
            if words and found is None:
                return None
            values |= found.groupdict() if found else {}
            if slot:
                values[slot] = last = SLOTS[slot](phrase, of or "")
                if last is None:
                    return None
        if default:
            written = " ".join(token.word for token in phrase.tokens[first : phrase.at])
            phrase.note(
                _("“%(words)s” is read as %(default)s.") % {"words": written, "default": default}
            )
        return mean(phrase, last, values)

    return read


def _meaning_of(text: str) -> Callable[[Phrase, Any, Mapping[str, Any]], RuleJSON | None]:
    """Return what a row means: its last slot, that slot negated, a function, or rules such as "age between 13, 19"."""
    if not text:
        return lambda _phrase, last, _values: last
    if text == "NOT":
        return lambda _phrase, last, _values: not_(last)
    if text.isidentifier():
        return lambda phrase, _last, values: _meanings[text](phrase, **values)
    return lambda _phrase, _last, values: all_of(
        [_rule(each, values) for each in text.split(" AND ")]
    )


def _rule(text: str, values: Mapping[str, Any]) -> RuleJSON:
    """Return the rule of "age between 13, 19"; {name} is a group or the number of an amount."""
    negated = text.removeprefix("NOT ")
    if negated != text:
        return {"operator": "AND", "conditions": [_rule(negated, values)], "negate": True}
    field, operator, *value = text.split(" ", 2)
    if not value:
        return attribute(field, operator)
    written = _NAME.sub(lambda found: _shown(values[found[1]]), value[0])
    given = json.loads(f"[{written}]")
    return attribute(field, operator, given if operator == "between" else given[0])


def _shown(value: Any) -> str:
    return json.dumps(value.json) if isinstance(value, Amount) else str(value)
