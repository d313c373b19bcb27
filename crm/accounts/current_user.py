"""Who it is that asks."""

from __future__ import annotations

from django.http import HttpRequest
from rest_framework.request import Request

from crm.accounts.models import User


def user_of(request: HttpRequest | Request) -> User:
    """The user of a request that only people who are signed in get to make."""
    assert isinstance(request.user, User)
    return request.user
