"""The user of a request."""

from __future__ import annotations

from django.http import HttpRequest
from rest_framework.request import Request

from crm.accounts.models import User


def user_of(request: HttpRequest | Request) -> User:
    """Return the user of a request that requires a sign-in."""
    assert isinstance(request.user, User)
    return request.user
