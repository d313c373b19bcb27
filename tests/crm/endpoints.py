"""List every endpoint of the API, as drf-spectacular finds them."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from drf_spectacular.generators import EndpointEnumerator

from crm.api import rights

PUBLIC = {("POST", "/api/auth/login/"), ("POST", "/api/auth/logout/"), ("POST", "/api/auth/token/")}
"""Open without sign-in: sign-in itself, sign-out and tokens."""
ONES_OWN = {("GET", "/api/auth/me/"), ("GET", "/api/auth/user/"), ("DELETE", "/api/auth/token/")}
"""Open to every signed-in user, about their own account."""
OF_STAFF = {("GET", "/api/docs/"), ("GET", "/api/schema/")}
"""drf-spectacular's own: SERVE_PERMISSIONS opens them to staff."""
NOWHERE = {"number": "999", "status": "draft"}


class Endpoint(NamedTuple):
    method: str
    path: str
    view: type[Any]
    action: str

    @property
    def key(self) -> tuple[str, str]:
        return self.method, self.path

    @property
    def needed(self) -> tuple[str, ...] | None:
        return rights.needed(self.view, self.action)

    @property
    def url(self) -> str:
        """Return the path with unknown ids: permissions are checked before the lookup."""
        return re.sub(r"{(\w+)}", lambda name: NOWHERE.get(name[1], "nothing-has-this"), self.path)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def every() -> list[Endpoint]:
    return [
        Endpoint(method, path, callback.cls, _action(callback, method))
        for path, _regex, method, callback in EndpointEnumerator().get_api_endpoints()
        if path.startswith("/api/")
    ]


def _action(callback: Any, method: str) -> str:
    actions: dict[str, str] = getattr(callback, "actions", None) or {}
    return actions.get(method.lower(), method.lower())
