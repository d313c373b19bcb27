"""Django's own error pages, as problems under /api/ and /v1/: for routes that no view of the API ever sees."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views import defaults

from crm.api.problems import CONTENT_TYPE, problem

PREFIXES = ("/api/", "/v1/")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler404"""
    if not request.path.startswith(PREFIXES):
        return defaults.page_not_found(request, exception)
    body = problem(404, _("There is nothing at this address."))
    return JsonResponse(body, status=404, content_type=CONTENT_TYPE)


def server_error(request: HttpRequest) -> HttpResponse:
    """handler500"""
    if not request.path.startswith(PREFIXES):
        return defaults.server_error(request)
    body = problem(500, _("Something went wrong on our side; it is in the log."))
    return JsonResponse(body, status=500, content_type=CONTENT_TYPE)
