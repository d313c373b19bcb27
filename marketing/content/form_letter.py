"""Render templates without tags, which most are, faster than Liquid does.

Liquid's general way of rendering writes piece by piece through a bounded stream, and looks a value up as often as it is named. A form
letter looks each up once and joins the pieces; what comes out is the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Self

from liquid import Environment, RenderContext
from liquid.ast import Node
from liquid.builtin.content import ContentNode
from liquid.builtin.expressions import FilteredExpression, Path
from liquid.builtin.output import OutputNode
from liquid.expression import Expression
from liquid.stringify import to_liquid_string

COMPUTED = frozenset({"size", "first", "last"})
"""Steps of a path that Liquid may work out instead of looking them up."""
OF_LIQUID = frozenset({"now", "today"})
"""Variables without a value."""

PlainPath = tuple[str | int, ...]


class FormLetter:
    """A template of text and outputs alone, filters included."""

    def __init__(self, env: Environment) -> None:
        self._env = env
        self._pieces: list[str] = []
        self._plain: dict[PlainPath, list[int]] = {}
        self._worked_out: dict[str, tuple[Expression, list[int]]] = {}

    @classmethod
    def of(cls, env: Environment, nodes: Iterable[Node]) -> Self | None:
        """Return a form letter, or None for a template with tags."""
        letter = cls(env)
        for node in nodes:
            if type(node) is ContentNode:
                letter._pieces.append(node.text)
            elif type(node) is OutputNode:
                letter._add_gap(node.expression)
            else:
                return None
        return letter

    def fill(self, given: Mapping[str, Any], context: Callable[[], RenderContext]) -> str | None:
        """Return the letter with these values, or None when it gets too long; `context` makes a context for expressions.

        Raises LiquidError where a filter does.
        """
        pieces = self._pieces.copy()
        escaping = self._env.autoescape
        for path, places in self._plain.items():
            text = to_liquid_string(_look_up(given, path), escaping)
            for place in places:
                pieces[place] = text
        if self._worked_out:
            scope = context()
            for expression, places in self._worked_out.values():
                text = to_liquid_string(expression.evaluate(scope), escaping)
                for place in places:
                    pieces[place] = text
        letter = "".join(pieces)
        limit = self._env.output_stream_limit
        return None if limit and len(letter.encode("utf-8", "replace")) > limit else letter

    def _add_gap(self, expression: Expression) -> None:
        place = len(self._pieces)
        self._pieces.append("")
        path = _plain_path(expression)
        if path:
            self._plain.setdefault(path, []).append(place)
        else:
            self._worked_out.setdefault(str(expression), (expression, []))[1].append(place)


def _plain_path(expression: Expression) -> PlainPath | None:
    """Return the keys to a value that needs a lookup alone, or None for any other expression."""
    if type(expression) is not FilteredExpression or expression.filters:
        return None
    if type(expression.left) is not Path:
        return None
    steps = [step for step in expression.left.path if isinstance(step, (str, int))]
    if len(steps) != len(expression.left.path) or steps[0] in OF_LIQUID:
        return None
    return None if COMPUTED.intersection(steps[1:]) else tuple(steps)


def _look_up(given: Mapping[str, Any], path: PlainPath) -> object:
    """Return the value at a path; as in Liquid an empty text where there is none."""
    value: Any = given
    try:
        for step in path:
            if isinstance(value, str):
                return ""
            value = value[step]
    except (KeyError, IndexError, TypeError):
        return ""
    return value
