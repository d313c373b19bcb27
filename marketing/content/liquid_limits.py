"""Limit the time, the size and the reach of a Liquid rendering.

python-liquid bounds nesting, output and the iterations of one loop. What it leaves open is closed here: filters that make much of little
(`replace`, `join` of a range), loops one after another, and the tags that load other templates.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import wraps
from typing import Any

from liquid import BoundTemplate, Environment, RenderContext, Token
from liquid.ast import BlockNode, Node
from liquid.builtin.expressions import LoopExpression
from liquid.builtin.tags.for_tag import ForNode, ForTag
from liquid.builtin.tags.tablerow_tag import TablerowNode, TablerowTag
from liquid.exceptions import LiquidError
from liquid.extra import JSON
from liquid.undefined import is_undefined

from marketing.content.form_letter import FormLetter

SECONDS = 0.5
"""How long one rendering may compute, whatever else the machine does meanwhile; an ordinary one takes 0.00002."""
MAX_TEXT = 500_000
"""The most characters of a value that a filter takes or makes."""
MAX_ITEMS = 5_000
"""The most items of a list or range, and the most iterations of a loop."""
MAX_NUMBER = 10**100


class LimitReached(LiquidError):
    """A rendering took too long or grew too big."""

    def __init__(self, message: str) -> None:
        super().__init__(message, token=None)


class Context(RenderContext):
    """A rendering that checks its time limit at each filter, assignment and iteration."""

    __slots__ = ("_ends_at",)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._ends_at = time.thread_time() + SECONDS

    def check_time(self) -> None:
        if time.thread_time() > self._ends_at:
            raise LimitReached("it takes too long to render")

    def filter(self, name: str, token: Any = None) -> Callable[..., object]:
        self.check_time()
        return super().filter(name, token)

    def assign(self, key: str, val: Any) -> None:
        self.check_time()
        super().assign(key, val)

    def iterate(self, items: Iterable[Any]) -> Iterator[Any]:
        """Yield the items of a loop until the time limit."""
        for item in items:
            self.check_time()
            yield item


class Template(BoundTemplate):
    """A template; one without tags is rendered as a form letter."""

    context_class = Context

    def __init__(self, env: Environment, nodes: list[Node], *args: Any, **options: Any) -> None:
        super().__init__(env, nodes, *args, **options)
        self._letter = FormLetter.of(env, nodes)

    def render(self, *args: Any, **given: Any) -> str:
        if self._letter and not args:
            with suppress(LiquidError):  # which comes again, with the place of its cause
                letter = self._letter.fill(given, lambda: self.context_class(self, globals=given))
                if letter is not None:
                    return letter
        return super().render(*args, **given)


class _TimedLoop(LoopExpression):
    """A loop that checks the time limit at each iteration."""

    def __init__(self, loop: LoopExpression) -> None:
        super().__init__(
            loop.token,
            loop.identifier,
            loop.iterable,
            limit=loop.limit,
            offset=loop.offset,
            reversed_=loop.reversed,
            cols=loop.cols,
        )

    def evaluate(self, context: RenderContext) -> tuple[Iterator[Any], int]:
        items, length = super().evaluate(context)
        return (context.iterate(items) if isinstance(context, Context) else items), length


class _For(ForNode):
    def __init__(
        self,
        token: Token,
        expression: LoopExpression,
        block: BlockNode,
        default: BlockNode | None = None,
    ) -> None:
        super().__init__(token, _TimedLoop(expression), block, default)


class _Tablerow(TablerowNode):
    def __init__(self, token: Token, expression: LoopExpression, block: BlockNode) -> None:
        super().__init__(token, _TimedLoop(expression), block)


class _ForTag(ForTag):
    node_class = _For


class _TablerowTag(TablerowTag):
    node_class = _Tablerow


class LimitedEnvironment(Environment):
    """The environment of all templates: every rendering ends, and none loads another template."""

    template_class = Template
    loop_iteration_limit = MAX_ITEMS
    output_stream_limit = 2_000_000
    local_namespace_limit = 200_000
    context_depth_limit = 20
    block_nesting_limit = 20

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        super().setup_tags_and_filters(extra=extra)
        for loader in ("include", "render"):
            del self.tags[loader]
        self.add_tag(_ForTag)
        self.add_tag(_TablerowTag)
        self.add_filter("json", JSON(default=_plain))
        self.filters.update({name: _bounded(do) for name, do in self.filters.items()})
        self.filters["replace"] = _bounded_replace(self.filters["replace"])
        self.filters["join"] = _bounded_join(self.filters["join"])


def _plain(value: object) -> str | None:
    """Return text for values that JSON does not know, and null for undefined ones."""
    return None if is_undefined(value) else str(value)


def _bounded(do: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a filter to refuse arguments and results that are too big."""

    @wraps(do)
    def bounded(*args: Any, **options: Any) -> Any:
        for value in args:
            _check(value)
        result = do(*args, **options)
        _check(result)
        return result

    return bounded


def _bounded_replace(do: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap `replace`, whose result can be as long as the product of its arguments' lengths."""

    @wraps(do)
    def bounded(value: Any, old: Any, new: Any = "", **options: Any) -> Any:
        if str(value).count(str(old)) * len(str(new)) > MAX_TEXT:
            raise LimitReached("a value gets too long")
        return do(value, old, new, **options)

    return bounded


def _bounded_join(do: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap `join`, which repeats its separator once an item."""

    @wraps(do)
    def bounded(items: Any, separator: Any = " ", **options: Any) -> Any:
        if isinstance(items, (list, tuple, range)) and len(items) * len(str(separator)) > MAX_TEXT:
            raise LimitReached("a value gets too long")
        return do(items, separator, **options)

    return bounded


def _check(value: Any) -> None:
    if isinstance(value, str):
        if len(value) > MAX_TEXT:
            raise LimitReached("a value gets too long")
    elif isinstance(value, (list, tuple, range)):
        if len(value) > MAX_ITEMS:
            raise LimitReached("a list gets too long")
    elif isinstance(value, int) and abs(value) > MAX_NUMBER:
        raise LimitReached("a number gets too big")
