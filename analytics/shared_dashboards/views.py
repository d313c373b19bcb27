"""The public page of a shared dashboard: the same figures without links and without names of customers."""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext as _
from django.views import View

from analytics.models import SharedDashboard
from analytics.shared_dashboards import links
from analytics.shared_dashboards.boards import Board, find_board
from crm import masking
from crm.adminkit.charts import Chart
from crm.api.throttles import OfStrangers

GONE, TOO_MANY = 410, 429


class SharedDashboardPage(View):
    """Answers 404 for an invalid signature, 410 for a link that expired or was revoked, 429 above the rate limit."""

    http_method_names = ["get", "head"]
    throttle_scope = "read"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        throttle = OfStrangers()
        if throttle.allows(request, self):
            response = super().dispatch(request, *args, **kwargs)
        else:
            response = _message(
                request, _("Too many requests"), _("Please try again in a minute."), TOO_MANY
            )
            response["Retry-After"] = str(max(round(throttle.wait()), 1))
        response["X-Robots-Tag"] = "noindex, nofollow"
        response["Referrer-Policy"] = "no-referrer"
        add_never_cache_headers(response)
        return response

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        link = links.find(token)
        board = find_board(link.dashboard) if link else None
        if link is None or board is None:
            raise Http404
        if not link.is_open:
            hint = _("Ask the sender of the link for a new one.")
            return _message(request, _("This link has expired"), hint, GONE)
        with masking.hidden(), masking.exact_numbers():
            context = _context(request, link, board)
            response = render(request, "public/dashboard.html", context)
        links.count_view(link)
        return response


def _context(request: HttpRequest, link: SharedDashboard, board: Board) -> dict[str, Any]:
    """Fill the dashboard with the shared filters, without the downloads, which need a sign-in."""
    shared = copy(request)
    shared.GET = QueryDict(link.query)
    figures = {
        name: replace(each, csv="") if isinstance(each, Chart) else each
        for name, each in board.fill(shared).items()
    }
    return {**figures, "shared": link, "board_template": board.template}


def _message(request: HttpRequest, title: str, text: str, status: int) -> HttpResponse:
    return render(request, "public/message.html", {"title": title, "text": text}, status=status)
