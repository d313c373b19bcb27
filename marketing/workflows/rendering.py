"""Render the texts within the settings of a step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from marketing.content import render_text


def rendered(value: Any, variables: Mapping[str, Any]) -> Any:
    """Return a value with each text in it rendered as Liquid; the other values stay. Raises ContentError."""
    match value:
        case str():
            return render_text(value, variables)
        case Mapping():
            return {name: rendered(each, variables) for name, each in value.items()}
        case list():
            return [rendered(each, variables) for each in value]
    return value


def texts_in(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Yield the path and the source of each text in a value."""
    match value:
        case str():
            yield path, value
        case Mapping():
            for name, each in value.items():
                yield from texts_in(each, f"{path}.{name}")
        case list():
            for place, each in enumerate(value):
                yield from texts_in(each, f"{path}[{place}]")
