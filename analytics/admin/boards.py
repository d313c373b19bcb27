"""The dashboards that can be shared: the page of each in templates/admin/analytics/boards, and what fills it. Higher apps register more."""

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
    """`fill` takes all that it shows from the address; it may raise Http404."""

    name: str
    label: str | Promise
    fill: Fill

    @property
    def template(self) -> str:
        return f"admin/analytics/boards/{self.name}.html"


_boards: dict[str, Board] = {}


def register(name: str, label: str | Promise, fill: Fill) -> None:
    _boards[name] = Board(name, label, fill)


def find(name: str) -> Board | None:
    return _boards.get(name)


def choices() -> list[tuple[str, str | Promise]]:
    return [(board.name, board.label) for board in _boards.values()]


def share_url(request: HttpRequest, name: str, **also: object) -> str:
    """Where the board is shared as it is asked for now; "" for whom that is not, or for a page that is no board."""
    if name not in _boards or not request.user.has_perm(SHARE):
        return ""
    query = "&".join(filter(None, [request.GET.urlencode(), urlencode(also)]))
    asked = urlencode({"dashboard": name, "query": query})
    return f"{reverse('admin:analytics_shareddashboard_add')}?{asked}"
