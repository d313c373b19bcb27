"""Headers that Django does not set by itself, and the compression of pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from csp.constants import NONCE, NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from csp.middleware import CSPMiddleware, PolicyParts
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware

PERMISSIONS_POLICY = ", ".join(
    f"{feature}=()"
    for feature in (
        "accelerometer", "autoplay", "camera", "display-capture", "encrypted-media", "fullscreen", "geolocation", "gyroscope",
        "magnetometer", "microphone", "midi", "payment", "usb", "xr-spatial-tracking",
    )
)  # fmt: skip

Policy = dict[str, Any]

BASE: Policy = {
    "default-src": [NONE],
    "script-src": [SELF],
    "style-src": [SELF, NONCE],
    "img-src": [SELF],
    "font-src": [SELF],
    "connect-src": [SELF],
    "manifest-src": [SELF],
    "base-uri": [NONE],
    "form-action": [SELF],
    "frame-ancestors": [NONE],
    "object-src": [NONE],
}
"""Public pages and the sign-in."""

ADMIN: Policy = {
    **BASE,
    "script-src": [SELF, UNSAFE_EVAL],
    "style-src": [SELF, UNSAFE_INLINE],
    "img-src": [SELF, "data:", "blob:", "https:", "http:"],
    "frame-src": [SELF],
    "frame-ancestors": [SELF],
}

BROWSABLE_API: Policy = {
    **BASE,
    "style-src": [SELF, UNSAFE_INLINE],
    "img-src": [SELF, "data:"],
}
"""DRF's pages and Swagger UI set styles inline; their scripts are files."""

SHARED: Policy = {**BASE, "style-src": [SELF, UNSAFE_INLINE]}
"""Shared dashboards, with the widths of bars inline as in the admin."""

AREAS = {"/admin/": ADMIN, "/api/": BROWSABLE_API, "/shared/": SHARED}


class PermissionsPolicy:
    """Send Permissions-Policy, so that no page or frame can use device features."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        return response


class PolicyByArea(CSPMiddleware):
    """Apply the policy of the area; a decorator of the view overrides it.

    Our own pages have neither inline scripts nor inline styles, but one style sheet of colours with a nonce. django-unfold's pages run on
    Alpine, which reads expressions from attributes (`unsafe-eval`) and sets styles there (`unsafe-inline`, for styles alone); so do our
    bars, whose width is in the page. Messages are shown in sandboxed frames, which take the policy of the page around them: hence images
    from anywhere in the admin.
    """

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        parts = super().get_policy_parts(request, response, report_only)
        if not report_only and parts.config is None:
            parts.config = policy_of(request.path)
        return parts


def policy_of(path: str) -> Policy:
    """Return the policy of a path."""
    chosen = next((policy for area, policy in AREAS.items() if path.startswith(area)), BASE)
    return {**chosen, "form-action": [*chosen["form-action"], *settings.SIGN_IN_ELSEWHERE]}


class CompressPages(GZipMiddleware):
    """Compress HTML pages alone: streams of events must not wait for more bytes.

    Against BREACH, Django masks the CSRF token anew in each response, and adds bytes of random length to the compressed page.
    """

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        is_page = response.get("Content-Type", "").startswith("text/html")
        if response.streaming or not is_page:
            return response
        return super().process_response(request, response)
