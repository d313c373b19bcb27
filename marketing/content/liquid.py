"""Liquid as campaign authors write it, `{name}` included."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from django.utils.translation import gettext as _
from liquid import BoundTemplate
from liquid.exceptions import LiquidError

from marketing.content.context import SHORTCUTS
from marketing.content.liquid_limits import BoundedEnvironment

PLACEHOLDERS = frozenset({*SHORTCUTS, "unsubscribe_url"})
"""What `{name}` may stand for; other words in single braces are left alone, as CSS is full of them."""
MAX_SOURCE = 1_000_000
"""The most characters of a template, its snippets put in."""

SINGLE_BRACES = re.compile(r"(?<![{%])\{\s*([a-z_]+)\s*\}(?!\})")
KEPT = re.compile(r"zqliquid(\d+)zq")
TOKENS = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)

_HTML = BoundedEnvironment(autoescape=True)
_TEXT = BoundedEnvironment()


class ContentError(ValueError):
    """A template that cannot be read or rendered. The message says where and why; `part` and `line` say the same to programs."""

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
    """The template, ready to render many times; values are escaped for HTML or left as they are.

    Raises ContentError when the source is not Liquid, or too long.
    """
    if len(source) > MAX_SOURCE:
        raise ContentError(_("It is longer than a million characters."))
    environment = _HTML if html else _TEXT
    try:
        return environment.from_string(with_double_braces(source))
    except (LiquidError, RecursionError) as error:
        raise _explained(error) from error


def render(template: BoundTemplate, context: Mapping[str, Any]) -> str:
    """The text for one recipient. Raises ContentError when it fails or reaches its bounds."""
    try:
        return template.render(**context)
    except (LiquidError, ArithmeticError, TypeError, ValueError, RecursionError) as error:
        raise _explained(error) from error


def with_double_braces(source: str) -> str:
    """`{name}` as `{{ name }}`."""

    def widen(match: re.Match[str]) -> str:
        name = match[1]
        return f"{{{{ {name} }}}}" if name in PLACEHOLDERS else match[0]

    return SINGLE_BRACES.sub(widen, source)


def around(source: str, change: Callable[[str], str], *, pieces: re.Pattern[str] = TOKENS) -> str:
    """The source after `change`, which sees a word like `zqliquid0zq` for each piece of Liquid in it and leaves it alone."""
    kept: list[str] = []

    def keep(match: re.Match[str]) -> str:
        kept.append(match[0])
        return f"zqliquid{len(kept) - 1}zq"

    changed = change(pieces.sub(keep, source))
    return KEPT.sub(lambda match: kept[int(match[1])], changed)


def blanked(source: str) -> str:
    """The source with spaces in place of Liquid: the same lines without it."""
    return TOKENS.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), source)


def _explained(error: Exception) -> ContentError:
    position = getattr(error, "context", lambda: None)()
    message = str(getattr(error, "message", None) or error)
    return ContentError(message, line=position[0] if position else None)
