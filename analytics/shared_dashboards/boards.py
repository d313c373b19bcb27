"""The registry of dashboards that can be shared; their templates are in templates/admin/analytics/boards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise

SHARE = "analytics.add_shareddashboard"

Fill = Callable[[HttpRequest], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Board:
    """`fill` returns the context of the template for the filters in the address; it may raise Http404."""

    name: str
    label: str | Promise
    fill: Fill

    @property
    def template(self) -> str:
        return f"admin/analytics/boards/{self.name}.html"


_boards: dict[str, Board] = {}


def register(name: str, label: str | Promise, fill: Fill) -> None:
    """Make a dashboard shareable."""
    _boards[name] = Board(name, label, fill)


def find_board(name: str) -> Board | None:
    return _boards.get(name)


def choices() -> list[tuple[str, str | Promise]]:
    return [(board.name, board.label) for board in _boards.values()]


def share_url(request: HttpRequest, name: str, **also: object) -> str:
    """Return the address for sharing a dashboard with its present filters; "" without the permission."""
    if name not in _boards or not request.user.has_perm(SHARE):
        return ""
    query = "&".join(filter(None, [request.GET.urlencode(), urlencode(also)]))
    filled = urlencode({"dashboard": name, "query": query})
    return f"{reverse('admin:analytics_shareddashboard_add')}?{filled}"
