"""Whoever may not see personal data looks at all pages of the admin and the API with it hidden."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse

from crm import masking
from crm.accounts.models import User

SEE = "customers.see_personal_data"
PAGES = ("/admin/", "/api/")


def is_limited(user: AbstractBaseUser | AnonymousUser) -> bool:
    """Whether personal data is hidden from somebody; a stranger is shown nothing anyway."""
    return isinstance(user, User) and not user.has_perm(SEE)


class Sight:
    """Middleware, after those that know who it is; with a bearer token the API's permission knows later, and says so."""

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
