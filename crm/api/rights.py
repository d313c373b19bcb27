"""Permissions of endpoints, declared on their view by action, or by method for views without actions.

    class SegmentViewSet(ModelViewSet):
        rights = rights.of_model("customers.segment", refresh="customers.change_segment")

    class FunnelView(APIView):
        rights = rights.each(get="analytics.view_campaignmetrics")

A mixin declares those of its own actions; declarations are looked up along the classes of a view.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework.request import Request

if TYPE_CHECKING:  # rest_framework.views reads the settings that name crm.api.permissions
    from rest_framework.views import APIView

Right = str | tuple[str, ...]
"""The full name of a permission, or several that are all required."""
Rights = dict[str, Right]

STAFF: tuple[str, ...] = ()
"""Allowed for all staff."""


def each(**actions: Right) -> Rights:
    """Return the permissions by method."""
    return actions


def of_model(label: str, **others: Right) -> Rights:
    """Return the permissions of a viewset for a model `app.model`: the standard actions, and the given others."""
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


def needed(view: type[APIView], action: str) -> tuple[str, ...] | None:
    """Return the permissions that an action requires; None without a declaration."""
    for cls in view.__mro__:
        declared: Rights = vars(cls).get("rights", {})
        if action in declared:
            right = declared[action]
            return (right,) if isinstance(right, str) else right
    return None
