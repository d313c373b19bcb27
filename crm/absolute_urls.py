"""Absolute URLs begin with SITE_URL, whatever host and port the request names: mails and answers must not carry another."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urljoin

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.encoding import iri_to_uri


class AbsoluteUrlsMiddleware:
    """Let `request.build_absolute_uri()` start from SITE_URL; allauth, DRF and Django build theirs by it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        def build_absolute_uri(location: str | None = None) -> str:
            here = settings.SITE_URL + request.get_full_path()
            return here if location is None else str(iri_to_uri(urljoin(here, str(location))))

        request.build_absolute_uri = build_absolute_uri  # type: ignore[method-assign]
        return self.get_response(request)
