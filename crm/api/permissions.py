"""Permissions of the API: staff with their second factor, within their permissions and the scopes of their token."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from crm import masking
from crm.accounts import middleware, second_factor
from crm.accounts.models import ApiToken
from crm.api import rights

if TYPE_CHECKING:  # rest_framework.views reads the settings that name this module
    from rest_framework.views import APIView


class IsStaff(BasePermission):
    """Allow staff. A token needs the scope of the action, whatever the permissions of its user.

    A token was created after the second factor, which is not checked again.
    """

    def has_permission(self, request: Request, view: APIView) -> bool:
        user = request.user
        if not (user.is_authenticated and user.is_active and user.is_staff):
            return False
        if not isinstance(request.auth, ApiToken):
            return second_factor.satisfied(user)
        scope = rights.scope_of(request, view)
        if not rights.allows(request.auth, scope):
            self.message = _("This token lacks the scope “%s”.") % scope
            return False
        return True


class HasRight(IsStaff):
    """The default permission: staff with the permission that the view declares; an endpoint without a declaration is closed."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        if not super().has_permission(request, view):
            return False
        masking.hide_from_now_on(middleware.is_limited(request.user))
        action = rights.action_of(request, view)
        if action is None:
            return True
        need = rights.needed(type(view), action)
        return need is not None and request.user.has_perms(need.permissions)
