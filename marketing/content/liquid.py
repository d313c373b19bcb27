"""Compile and render Liquid as authors write it."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from django.utils.translation import gettext as _
from liquid import BoundTemplate, Node, RenderContext
from liquid.builtin.expressions import Filter, KeywordArgument
from liquid.exceptions import LiquidError
from liquid.expression import Expression

from marketing.content.context import SHORTCUTS
from marketing.content.liquid_limits import LimitedEnvironment
from marketing.content.tokenizer import Kind, tokenize_text

PLACEHOLDERS = frozenset({*SHORTCUTS, "unsubscribe_url"})
"""Names that `{name}` may stand for; other words in single braces are left alone, as CSS is full of them."""
SINGLE_BRACES = re.compile(r"(?<![{%])\{\s*([a-z_]+)\s*\}(?!\})")
MAX_SOURCE = 1_000_000
"""The most characters of a template with its snippets."""

_HTML = LimitedEnvironment(autoescape=True)
_TEXT = LimitedEnvironment()


class ContentError(ValueError):
    """A template cannot be read or rendered. The message says where and why; `part` and `line` say the same to programs."""

    def __init__(self, message: str, *, line: int | None = None) -> None:
        super().__init__(
            _("%(message)s (line %(line)s)") % {"message": message, "line": line}
            if line
            else message
        )
        self.line = line
        self.part = "body"


@lru_cache(maxsize=512)
def compile_template(source: str, *, html: bool) -> BoundTemplate:
    """Return the template, ready to render many times; values are escaped for HTML or left as they are.

    Raises ContentError when the source is not Liquid, or too long.
    """
    if len(source) > MAX_SOURCE:
        raise ContentError(_("It is longer than a million characters."))
    environment = _HTML if html else _TEXT
    try:
        return environment.from_string(source)
    except (LiquidError, RecursionError) as error:
        raise _explained(error) from error


def check(source: str, *, html: bool) -> None:
    """Raise ContentError, with its line, for what would fail for every recipient: syntax, an unknown tag or filter, or its arguments."""
    template = compile_template(source, html=html)
    context = RenderContext(template)
    filters = {each.token.start_index: each for node in template.nodes for each in _filters(node, context)}  # fmt: skip
    for place, used in sorted(filters.items()):
        known = template.env.filters.get(used.name)
        if known is None:
            reason = _("There is no filter “%s”") % used.name
        elif _fits(used, known):
            continue
        else:
            reason = _("The filter “%s” has too few or too many arguments") % used.name
        raise ContentError(reason, line=source.count("\n", 0, place) + 1)


def _filters(node: Node, context: RenderContext) -> Iterator[Filter]:
    for expression in node.expressions():
        yield from _filters_of(expression)
    for child in node.children(context, include_partials=False):
        yield from _filters(child, context)


def _filters_of(expression: Expression) -> Iterator[Filter]:
    yield from getattr(expression, "filters", None) or ()
    yield from getattr(expression, "tail_filters", None) or ()
    if left := getattr(expression, "left", None):
        yield from _filters_of(left)
    for child in expression.children():
        yield from _filters_of(child)


def _fits(used: Filter, known: Callable[..., Any]) -> bool:
    """Return whether a filter can be called with these arguments."""
    signature = inspect.signature(known)
    named = {each.name: None for each in used.args if isinstance(each, KeywordArgument)}
    injected = {name: None for name in ("environment", "context") if name in signature.parameters}
    others = [None] * (len(used.args) - len(named))
    try:
        signature.bind(None, *others, **named, **injected)
    except TypeError:
        return False
    return True


def render(template: BoundTemplate, context: Mapping[str, Any]) -> str:
    """Return the text for one recipient. Raises ContentError when it fails or reaches its limits."""
    try:
        return template.render(**context)
    except (LiquidError, ArithmeticError, TypeError, ValueError, RecursionError) as error:
        raise _explained(error) from error


def render_text(source: str, context: Mapping[str, Any]) -> str:
    """Return a text in Liquid with the values of a context, which are not escaped. Raises ContentError."""
    return render(compile_template(source, html=False), context)


def expand_placeholders(source: str) -> str:
    """Return the source with `{name}` as `{{ name }}`; Liquid, and what it leaves alone, stays as it is."""
    if not SINGLE_BRACES.search(source):
        return source
    expanded: list[str] = []
    is_raw = False
    for token in tokenize_text(source):
        is_raw = token.name == "raw" or (is_raw and token.name != "endraw")
        is_text = token.kind is Kind.TEXT and not is_raw
        expanded.append(SINGLE_BRACES.sub(_expanded, token.source) if is_text else token.source)
    return "".join(expanded)


def _expanded(match: re.Match[str]) -> str:
    return f"{{{{ {match[1]} }}}}" if match[1] in PLACEHOLDERS else match[0]


def _explained(error: Exception) -> ContentError:
    position = getattr(error, "context", lambda: None)()
    message = str(getattr(error, "message", None) or error)
    return ContentError(message, line=position[0] if position else None)
