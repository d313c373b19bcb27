"""A session that has not shown its second factor gets the page that asks for it, and nothing else."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from crm.accounts import second_factor

OPEN = ("/t/", "/u/", "/hooks/", "/push/", "/v1/", "/healthz", "/readyz", "/media/")
"""What is open to everybody, signed in or not."""
SIGNING_IN_AND_OUT = ("/api/auth/login", "/api/auth/logout", "/api/auth/token")


class SecondFactorGate:
    """Middleware, after django_otp's. Programs with a bearer token have no session, and made their token past this gate."""

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
        if path.startswith((*OPEN, settings.STATIC_URL, *SIGNING_IN_AND_OUT)):
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
    """As crm.api tells of problems (RFC 9457), which this floor does not know."""
    told = {
        "type": "second-factor-required",
        "title": _("Unauthorized"),
        "status": 401,
        "detail": _("This account asks for a second factor."),
    }
    return JsonResponse(
        told,
        status=401,
        content_type="application/problem+json",
        headers={"WWW-Authenticate": 'Session realm="api"'},
    )
