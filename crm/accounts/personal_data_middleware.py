"""Mask personal data in the admin and the API for users without the permission to see it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse

from crm import masking
from crm.accounts.models import User

SEE_PERSONAL_DATA = "customers.see_personal_data"
PAGES = ("/admin/", "/api/")


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
