"""A shared dashboard, as strangers see it: the same figures, with nothing to follow and nobody's name."""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext as _
from django.views import View

from analytics.admin import boards
from analytics.models import SharedDashboard
from analytics.shared_dashboards import links
from crm import masking
from crm.adminkit.charts import Chart
from crm.api.throttles import OfStrangers

GONE, TOO_MANY = 410, 429


class SharedDashboardPage(View):
    """404 for what we did not make, 410 once the link is over, 429 for who comes too often."""

    http_method_names = ["get", "head"]
    throttle_scope = "read"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        throttle = OfStrangers()
        if throttle.allows(request, self):
            response = super().dispatch(request, *args, **kwargs)
        else:
            response = _told(
                request, _("Too many at once"), _("Please wait a minute, and come again."), TOO_MANY
            )
            response["Retry-After"] = str(max(round(throttle.wait()), 1))
        response["X-Robots-Tag"] = "noindex, nofollow"
        response["Referrer-Policy"] = "no-referrer"
        add_never_cache_headers(response)
        return response

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        link = links.find(token)
        board = boards.find(link.dashboard) if link else None
        if link is None or board is None:
            raise Http404
        if not link.is_open:
            over = _("Ask whoever gave it to you for another.")
            return _told(request, _("This link does not work any more"), over, GONE)
        with masking.hidden():
            shown = _figures(request, link, board)
            response = render(request, "public/dashboard.html", shown)
        links.note_opened(link)
        return response


def _figures(request: HttpRequest, link: SharedDashboard, board: boards.Board) -> dict[str, Any]:
    """What the board shows for the address that was shared; its files are for those who sign in."""
    asked = copy(request)
    asked.GET = QueryDict(link.query)
    figures = {
        name: replace(each, csv="") if isinstance(each, Chart) else each
        for name, each in board.fill(asked).items()
    }
    return {**figures, "shared": link, "board_template": board.template}


def _told(request: HttpRequest, title: str, text: str, status: int) -> HttpResponse:
    return render(request, "public/told.html", {"title": title, "text": text}, status=status)
