"""The right that each endpoint takes, declared on its view by name of action, or by method where a view has no actions.

    class SegmentViewSet(ModelViewSet):
        rights = rights.of_model("customers.segment", refresh="customers.change_segment")

    class FunnelView(APIView):
        rights = rights.each(get="analytics.view_campaignmetrics")

A mixin declares those of its own actions: what is declared is looked up along the classes of a view.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework.request import Request

if TYPE_CHECKING:  # rest_framework.views reads the settings that name crm.api.permissions
    from rest_framework.views import APIView

Right = str | tuple[str, ...]
"""A permission's full name, or several that are all needed."""
Rights = dict[str, Right]

STAFF: tuple[str, ...] = ()
"""Every member of staff may."""


def each(**actions: Right) -> Rights:
    return actions


def of_model(label: str, **others: Right) -> Rights:
    """Those of the usual actions of a viewset, as Django names the permissions of a model `app.model`, and those of its others."""
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


def asked_for(request: Request, view: APIView) -> str | None:
    """The action that a request asks of a view; None for one that tells or does nothing: OPTIONS, or a method that is not there."""
    method = str(request.method).lower()
    if method == "options":
        return None
    actions = getattr(view, "action_map", None)
    if actions is not None:
        return actions.get(method)
    method = "get" if method == "head" else method
    return method if hasattr(view, method) else None


def needed(view: type[APIView], action: str) -> tuple[str, ...] | None:
    """The permissions that an action takes; None where nobody has said."""
    for cls in view.__mro__:
        declared: Rights = vars(cls).get("rights", {})
        if action in declared:
            right = declared[action]
            return (right,) if isinstance(right, str) else right
    return None
