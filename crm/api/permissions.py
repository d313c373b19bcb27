"""Permissions of the API: staff with their second factor, within their permissions and the scopes of their token."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from crm import masking
from crm.accounts import middleware, second_factor
from crm.accounts.models import ApiToken, Scope
from crm.api import rights

if TYPE_CHECKING:  # rest_framework.views reads the settings that name this module
    from rest_framework.views import APIView


class IsStaff(BasePermission):
    """Allow staff. A token needs scope `read` for reads and `write` for writes; if `takes_in_data` of the view is True, `ingest` suffices.

    A token was created after the second factor, which is not checked again.
    """

    def has_permission(self, request: Request, view: APIView) -> bool:
        user = request.user
        if not (user.is_authenticated and user.is_active and user.is_staff):
            return False
        if isinstance(request.auth, ApiToken):
            return bool(set(request.auth.scopes) & _enough(request, view))
        return second_factor.satisfied(user)


class HasRight(IsStaff):
    """The default permission: staff with the permission that the view declares; an endpoint without a declaration is closed."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        if not super().has_permission(request, view):
            return False
        masking.hide_from_now_on(middleware.is_limited(request.user))
        action = rights.action_of(request, view)
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
