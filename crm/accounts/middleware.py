"""Middleware of accounts: a session needs its second factor, and personal data is masked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from crm import masking
from crm.accounts import second_factor
from crm.accounts.models import User

PUBLIC = ("/t/", "/u/", "/hooks/", "/push/", "/v1/", "/media/")
"""Public paths."""
SIGNING_IN_AND_OUT = ("/api/auth/login", "/api/auth/logout", "/api/auth/token")

SEE_PERSONAL_DATA = "customers.see_personal_data"
PAGES = ("/admin/", "/api/")


class SecondFactorMiddleware:
    """Require the second factor; it comes after django_otp's middleware.

    The API knows the user of a bearer token, which was created with the second factor; every other page only knows that of the session.
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
        return (
            (path.startswith("/api/") and _bears_token(request))
            or not request.user.is_authenticated
            or second_factor.satisfied(request.user)
        )


def _bears_token(request: HttpRequest) -> bool:
    return request.headers.get("Authorization", "").lower().startswith("bearer ")


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


def is_limited(user: AbstractBaseUser | AnonymousUser) -> bool:
    """Return whether personal data is masked for a user; visitors see none anyway."""
    return isinstance(user, User) and not user.has_perm(SEE_PERSONAL_DATA)


class PersonalDataMiddleware:
    """Mask personal data; with a bearer token the user is known later, and crm.api.permissions masks."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path.startswith(PAGES):
            return self.get_response(request)
        with masking.hidden(is_limited(request.user)):
            response: Any = self.get_response(request)
            if response.streaming:
                response.streaming_content = masking.streamed(response.streaming_content)
        return response
