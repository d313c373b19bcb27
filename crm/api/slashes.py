"""A trailing slash is optional on the API's and the public routes, for every method, without a redirect."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

PREFIXES = ("/api/", "/v1/", "/t/", "/u/", "/hooks/", "/push/")


class OptionalTrailingSlash:
    """Middleware: routes are written with a slash; a request without one is resolved as if it had it.

    Only the path that is resolved changes, so that a POST is never lost to a redirect.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        path = request.path_info
        if not path.endswith("/") and f"{path}/".startswith(PREFIXES):
            request.path_info += "/"
            request.path += "/"
        return self.get_response(request)
