"""Redirect a session without its second factor to the page that checks it."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from crm.accounts import second_factor

PUBLIC = ("/t/", "/u/", "/hooks/", "/push/", "/v1/", "/healthz", "/readyz", "/media/")
"""Public paths."""
SIGNING_IN_AND_OUT = ("/api/auth/login", "/api/auth/logout", "/api/auth/token")


class SecondFactorMiddleware:
    """Require the second factor; it comes after django_otp's middleware.

    A bearer token was created with the second factor, and is not checked again.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if self._may_pass(request):
            return self.get_response(request)
        if request.path.startswith("/api/"):
            return _problem()
        page = "second_factor" if second_factor.has_device(request.user) else "second_factor_enrol"
        return HttpResponseRedirect(
            f"{reverse(page)}?{urlencode({'next': request.get_full_path()})}"
        )

    def _may_pass(self, request: HttpRequest) -> bool:
        path = request.path
        if path.startswith((*PUBLIC, settings.STATIC_URL, *SIGNING_IN_AND_OUT)):
            return True
        if path.startswith((reverse("second_factor"), reverse("account_logout"))):
            return True
        bears_token = request.headers.get("Authorization", "").lower().startswith("bearer ")
        return (
            bears_token
            or not request.user.is_authenticated
            or second_factor.satisfied(request.user)
        )


def _problem() -> JsonResponse:
    """Return the problem (RFC 9457) that crm.api would return, which this layer cannot import."""
    problem = {
        "type": "second-factor-required",
        "title": _("Unauthorized"),
        "status": 401,
        "detail": _("Enter the code of your second factor."),
    }
    return JsonResponse(
        problem,
        status=401,
        content_type="application/problem+json",
        headers={"WWW-Authenticate": 'Session realm="api"'},
    )
