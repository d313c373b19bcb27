"""Liquid as campaign authors may use it: bounded in output and loops, and seeing nothing but what it is given."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from liquid import BoundTemplate, Environment
from liquid.exceptions import LiquidError

PLACEHOLDERS = frozenset({"name", "first_name", "last_name", "email", "city", "country"})
"""What `{name}` may stand for; other words in single braces are left alone, as CSS is full of them."""

KNOWN_VARIABLES = frozenset(
    {
        *PLACEHOLDERS,
        *(
            f"customer.{field}"
            for field in [
                "id",
                "name",
                "first_name",
                "last_name",
                "email",
                "phone",
                "city",
                "region",
                "country",
                "language",
                "lifecycle_status",
                "tags",
                "total_spend",
                "order_count",
                "average_order_value",
                "visit_count",
                "registered_at",
                "last_order_at",
                "last_visit_at",
                "date_of_birth",
            ]
        ),
        "campaign.name",
        "site.name",
        "site.url",
        "site.currency",
        "unsubscribe_url",
    }
)
OPEN_ENDED = ("customer.attributes.",)

SINGLE_BRACES = re.compile(r"(?<![{%])\{\s*([a-z_]+)\s*\}(?!\})")


class ContentError(ValueError):
    """A template that cannot be read or rendered; the message says where and why."""


class _HtmlEnvironment(Environment):
    loop_iteration_limit = 10_000
    output_stream_limit = 2_000_000
    local_namespace_limit = 100_000
    context_depth_limit = 20
    block_nesting_limit = 20


_HTML = _HtmlEnvironment(autoescape=True)
_TEXT = _HtmlEnvironment()


@lru_cache(maxsize=512)
def compile_template(source: str, *, html: bool) -> BoundTemplate:
    """The template, ready to render many times; values are escaped for HTML or left as they are.

    Raises ContentError when the source is not Liquid.
    """
    environment = _HTML if html else _TEXT
    try:
        return environment.from_string(_with_double_braces(source))
    except LiquidError as error:
        raise ContentError(_explain(error)) from error


def render(template: BoundTemplate, context: Mapping[str, Any]) -> str:
    """The text for one recipient. Raises ContentError when it fails or grows beyond its bounds."""
    try:
        return template.render(**context)
    except (LiquidError, ArithmeticError, TypeError, ValueError, RecursionError) as error:
        raise ContentError(_explain(error)) from error


def unknown_variables(sources: Iterable[str]) -> list[str]:
    """The variables that no recipient can have, in alphabetical order. Raises ContentError for what is not Liquid."""
    paths = {
        path
        for source in sources
        for path in compile_template(source, html=False).global_variable_paths()
    }
    return sorted(
        path for path in paths if path not in KNOWN_VARIABLES and not path.startswith(OPEN_ENDED)
    )


def _with_double_braces(source: str) -> str:
    def widen(match: re.Match[str]) -> str:
        name = match[1]
        return f"{{{{ {name} }}}}" if name in PLACEHOLDERS else match[0]

    return SINGLE_BRACES.sub(widen, source)


def _explain(error: Exception) -> str:
    position = getattr(error, "context", lambda: None)()
    line = f" (line {position[0]})" if position else ""
    return f"{getattr(error, 'message', None) or error}{line}"
