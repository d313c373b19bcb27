"""Definitions as documents: as text to compare and to exchange, and as users with masked data may see them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import yaml
from django.utils.translation import gettext as _

from crm import masking
from customers.segments import shown_conditions, shown_rules
from marketing.workflows.reading import names_personal_data

FIRST = (
    *("slug", "name", "description", "timezone", "tags", "definition"),
    *("entry", "reentry", "exit_when", "goal", "holdout_percent", "start", "steps"),
    *("type", "on"),
)
LAST = ("next",)
"""The places of keys; the others stand between them, by the alphabet."""


class Unreadable(ValueError):
    """A text is neither JSON nor YAML, or has a key twice."""


def as_text(definition: Any) -> str:
    """Return a document as JSON that reads and compares well: keys in one order, one a line."""
    return json.dumps(_in_order(definition), indent=2, ensure_ascii=False) + "\n"


def as_yaml(definition: Any) -> str:
    """Return a document as YAML that reads and compares well."""
    document = _in_order(definition)
    return str(yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120))


def parsed(text: str) -> Any:
    """Return the document of a text in JSON, or in YAML with the types of JSON. Raises Unreadable."""
    try:
        return json.loads(text, object_pairs_hook=_once)
    except (json.JSONDecodeError, RecursionError):
        pass
    try:
        return _Loader(text).get_single_data()
    except (yaml.YAMLError, RecursionError) as error:
        raise Unreadable(_("This is neither JSON nor YAML: %s") % error) from error


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
            if isinstance(part.get("event"), str):
                if part.get("where"):
                    found["where"] = shown_conditions(part["event"], part["where"])
                if part.get("match"):
                    found["match"] = {
                        name: masking.MASK if names_personal_data(part["event"], name) else value
                        for name, value in part["match"].items()
                    }
            return found
        case list():
            return [shown(each) for each in part]
    return part


def _in_order(part: Any) -> Any:
    """Return a document whose keys stand in one order, and its steps as they follow one another: jsonb keeps neither."""
    match part:
        case {"steps": dict(steps), **others}:
            ordered = {each: steps[each] for each in _way(others.get("start"), steps)}
            rest = sorted({*steps} - {*ordered})
            inner = {each: _in_order(steps[each]) for each in (*ordered, *rest)}
            return {key: inner if key == "steps" else _in_order(part[key]) for key in _sorted(part)}
        case dict():
            return {key: _in_order(part[key]) for key in _sorted(part)}
        case list():
            return [_in_order(each) for each in part]
    return part


def _sorted(keys: Iterable[str]) -> list[str]:
    places = {key: place for place, key in enumerate((*FIRST, None, *LAST))}
    return sorted(keys, key=lambda key: (places.get(key, len(FIRST)), key))


def _way(start: object, steps: Mapping[str, Any]) -> Iterator[str]:
    """Yield the keys of steps as texts in them lead from one to the next, the nearer first."""
    seen: set[object] = set()
    ahead = [start]
    while ahead:
        key = ahead.pop(0)
        if isinstance(key, str) and key in steps and key not in seen:
            seen.add(key)
            yield key
            ahead += _targets(steps[key])


def _targets(part: Any) -> Iterator[object]:
    """Yield what stands under `next` and `step`, in any depth."""
    match part:
        case dict():
            for key in _sorted(part):
                match key, part[key]:
                    case "next", dict(branches):
                        yield from branches.values()
                    case (("next" | "step"), target):
                        yield target
                    case _, inner:
                        yield from _targets(inner)
        case list():
            for each in part:
                yield from _targets(each)


class _Dumper(yaml.SafeDumper):
    """Quotes the texts that _Loader would read as another type."""


class _Loader(yaml.SafeLoader):
    """Reads the types of JSON and no others (YAML 1.2.2, 10.2: the JSON schema); a key stands once."""

    yaml_implicit_resolvers = {}

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _value in node.value]
        _once((str(key), None) for key in keys)
        return super().construct_mapping(node, deep)


def _once(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Return the object of these keys and values. Raises Unreadable for a key that stands twice."""
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise Unreadable(_("The key “%s” stands twice.") % key)
        found[key] = value
    return found


def _as_scalar(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    """Write a text with line breaks of Unicode with escapes: PyYAML adds an end of line to them otherwise."""
    style = '"' if re.search("[\x85\u2028\u2029]", text) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _as_scalar)
for _tag, _pattern, _first in (
    ("null", r"null|~|", ("n", "~", "")),
    ("bool", r"true|false", ("t", "f")),
    ("int", r"-?(0|[1-9][0-9]*)", tuple("-0123456789")),
    ("float", r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?", tuple("-0123456789")),
):
    for _class in (_Loader, _Dumper):
        _class.add_implicit_resolver(
            f"tag:yaml.org,2002:{_tag}", re.compile(rf"(?:{_pattern})\Z"), _first
        )
