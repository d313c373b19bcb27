"""Compile and render Liquid as authors write it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from django.utils.translation import gettext as _
from liquid import BoundTemplate
from liquid.exceptions import LiquidError

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
    """Raise ContentError, with its line, for what would fail for every recipient: a fault of syntax, an unknown tag or filter."""
    template = compile_template(source, html=html)
    places = {name: spans[0].index for name, spans in template.analyze().filters.items()}
    for name, place in sorted(places.items(), key=lambda each: each[1]):
        if name not in template.env.filters:
            line = source.count("\n", 0, place) + 1
            raise ContentError(_("There is no filter “%s”") % name, line=line)


def render(template: BoundTemplate, context: Mapping[str, Any]) -> str:
    """Return the text for one recipient. Raises ContentError when it fails or reaches its limits."""
    try:
        return template.render(**context)
    except (LiquidError, ArithmeticError, TypeError, ValueError, RecursionError) as error:
        raise _explained(error) from error


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
