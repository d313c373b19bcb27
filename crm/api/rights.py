"""Rights of endpoints, declared on their views by action or method: permissions of the user, and a scope of the token.

    class SegmentViewSet(ModelViewSet):
        rights = rights.of_model("customers.segment", refresh="customers.change_segment")

    class PublishEventView(APIView):
        rights = rights.each(post=rights.ingest("events.add_marketingevent"))

A mixin declares those of its own actions; declarations are looked up along the classes of a view. docs/api-rights.md lists all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request

from crm.accounts.models import ApiToken, Scope

if TYPE_CHECKING:  # rest_framework.views reads the settings that name crm.api.permissions
    from rest_framework.views import APIView


@dataclass(frozen=True, slots=True)
class Need:
    """Permissions that are all required, and the scope; without one, `read` for safe methods and `write` for others."""

    permissions: tuple[str, ...]
    scope: Scope | None = None

    def scope_for(self, method: str) -> Scope:
        return self.scope or (Scope.READ if method in SAFE_METHODS else Scope.WRITE)


Right = str | tuple[str, ...] | Need
"""The full name of a permission, or several that are all required."""
Rights = dict[str, Right]

STAFF: tuple[str, ...] = ()
"""Allowed for all staff."""

_ALLOWS = {Scope.INGEST: {Scope.INGEST, Scope.WRITE}}
"""Scopes of tokens that allow what another scope is enough for."""


def ingest(*permissions: str) -> Need:
    """Return permissions for receiving data: the scope `ingest` is enough."""
    return Need(permissions, Scope.INGEST)


def administer(*permissions: str) -> Need:
    """Return permissions for secrets and settings: `write` is not enough, `admin` is required."""
    return Need(permissions, Scope.ADMIN)


def each(**actions: Right) -> Rights:
    """Return the rights by method."""
    return actions


def of_model(label: str, **others: Right) -> Rights:
    """Return the rights of a viewset for a model `app.model`: the standard actions, and the given others."""
    app, _, model = label.partition(".")
    view, add, change, delete = (
        f"{app}.{verb}_{model}" for verb in ("view", "add", "change", "delete")
    )
    return {
        "list": view,
        "retrieve": view,
        "create": add,
        "update": change,
        "partial_update": change,
        "destroy": delete,
        **others,
    }


def of_settings(label: str, **others: Right) -> Rights:
    """Return the rights of a viewset for a model of the administration; edits require the scope `admin`."""
    edits = ("create", "update", "partial_update", "destroy")
    declared = of_model(label)
    return declared | {name: administer(str(declared[name])) for name in edits} | others


def action_of(request: Request, view: APIView) -> str | None:
    """Return the action of a request; None for OPTIONS or an unsupported method."""
    method = str(request.method).lower()
    if method == "options":
        return None
    actions = getattr(view, "action_map", None)
    if actions is not None:
        return actions.get(method)
    method = "get" if method == "head" else method
    return method if hasattr(view, method) else None


def needed(view: type[APIView], action: str) -> Need | None:
    """Return the right that an action requires; None without a declaration."""
    for cls in view.__mro__:
        declared: Rights = vars(cls).get("rights", {})
        if action in declared:
            right = declared[action]
            if isinstance(right, Need):
                return right
            return Need((right,) if isinstance(right, str) else right)
    return None


def scope_of(request: Request, view: APIView) -> Scope:
    """Return the scope that a request needs."""
    need = needed(type(view), action_of(request, view) or "") or Need(STAFF)
    return need.scope_for(str(request.method))


def allows(token: ApiToken, scope: Scope) -> bool:
    """Return whether a token has a scope, or one that includes it."""
    return not _ALLOWS.get(scope, {scope}).isdisjoint(token.scopes)


def has_scope(request: Request, *scopes: Scope) -> bool:
    """Return whether a request comes with a session, or a token with one of these scopes."""
    return not isinstance(request.auth, ApiToken) or not {*scopes}.isdisjoint(request.auth.scopes)
