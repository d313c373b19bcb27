"""Who may use the API: staff, with the second factor where they have one, within their rights and their token's scopes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from crm import masking
from crm.accounts import personal_data_middleware, second_factor
from crm.accounts.models import ApiToken, Scope
from crm.api import rights

if TYPE_CHECKING:  # rest_framework.views reads the settings that name this module
    from rest_framework.views import APIView


class IsStaff(BasePermission):
    """A token needs `read` to look and `write` for the rest; where a view says `takes_in_data = True`, a token of scope
    `ingest` may write as well. A token was made after the second factor, so it is not asked for again.
    """

    def has_permission(self, request: Request, view: APIView) -> bool:
        user = request.user
        if not (user.is_authenticated and user.is_active and user.is_staff):
            return False
        if isinstance(request.auth, ApiToken):
            return bool(set(request.auth.scopes) & _enough(request, view))
        return second_factor.satisfied(user)


class HasRight(IsStaff):
    """The default permission: staff who have the right that the view declares. An endpoint without a declaration is closed to all."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        if not super().has_permission(request, view):
            return False
        masking.hide_from_now_on(personal_data_middleware.is_limited(request.user))
        action = rights.asked_for(request, view)
        if action is None:
            return True
        needed = rights.needed(type(view), action)
        return needed is not None and request.user.has_perms(needed)


def _enough(request: Request, view: APIView) -> set[str]:
    if request.method in SAFE_METHODS:
        return {Scope.READ}
    if getattr(view, "takes_in_data", False):
        return {Scope.WRITE, Scope.INGEST}
    return {Scope.WRITE}
