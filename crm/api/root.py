"""`/api/`: the list of endpoints; `/`: the way there."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from drf_spectacular.generators import EndpointEnumerator
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from crm.api import rights
from crm.api.parameters import KnownParameters


def welcome(request: HttpRequest) -> HttpResponse:
    """Redirect a browser to the admin; list the entrances for a program, which accepts JSON alone."""
    if request.get_preferred_type(["text/html", "application/json"]) != "application/json":
        return HttpResponseRedirect(reverse("admin:index"))
    names = {"api": "api-root", "docs": "api-docs", "schema": "api-schema", "admin": "admin:index"}
    places = {each: f"{settings.SITE_URL}{reverse(name)}" for each, name in names.items()}
    return JsonResponse({"message": _("Welcome to %s.") % settings.SITE_NAME, **places})


class ApiRoot(KnownParameters):
    """All endpoints. The full description is at `docs`."""

    rights = rights.each(get=rights.STAFF)

    @extend_schema(responses={200: dict[str, str]})
    def get(self, request: Request) -> Response:
        paths = sorted(
            {
                p
                for p, _path, method, _view in EndpointEnumerator().get_api_endpoints()
                if method == "GET"
            }
        )
        open_paths = [path for path in paths if "{" not in path and path != request.path]
        return Response(
            {p.removeprefix("/api/").strip("/"): request.build_absolute_uri(p) for p in open_paths}
        )
