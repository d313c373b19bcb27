"""Panels on the page of an object: a registry that higher apps fill.

The page of a campaign calls `render("marketing.campaign", request, campaign)`; analytics, which marketing must not import,
registers from its AppConfig.ready():

    panels.register("marketing.campaign", results)

A panel returns an HTML fragment, or "". Pages may fetch it again and swap it in.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

Panel = Callable[[HttpRequest, Any], SafeString | str]
Figures = Mapping[int, Mapping[str, str]]
"""Formatted figures of rows, by primary key and name."""

_panels: dict[str, list[Panel]] = defaultdict(list)
_figures: dict[str, Callable[[HttpRequest, Sequence[Any]], Figures]] = {}


def register(place: str, panel: Panel) -> None:
    """Show `panel(request, obj)` at `place`, after earlier panels; repeated registration has no effect."""
    if panel not in _panels[place]:
        _panels[place].append(panel)


def render(place: str, request: HttpRequest, obj: object) -> SafeString:
    """Render the panels of a place; a plain `str` is escaped."""
    fragments = [panel(request, obj) for panel in _panels.get(place, ())]
    return format_html_join("\n", "{}", ((fragment,) for fragment in fragments if fragment))


def register_figures(
    place: str, figures_of: Callable[[HttpRequest, Sequence[Any]], Figures]
) -> None:
    """Fill columns of the list of a place with figures that a higher app knows."""
    _figures[place] = figures_of


def figures(place: str, request: HttpRequest, rows: Sequence[Any]) -> Figures:
    """Return the figures of the rows of a page; none where no app has registered."""
    figures_of = _figures.get(place)
    return figures_of(request, rows) if figures_of else {}
