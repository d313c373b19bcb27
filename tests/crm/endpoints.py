"""List every endpoint of the API, as drf-spectacular finds them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

from drf_spectacular.generators import EndpointEnumerator

from crm.api import rights

PUBLIC = {("POST", "/api/auth/login/"), ("POST", "/api/auth/logout/"), ("POST", "/api/auth/token/")}
"""Open without sign-in: sign-in itself, sign-out and tokens."""
ONES_OWN = {("GET", "/api/auth/me/"), ("GET", "/api/auth/user/"), ("DELETE", "/api/auth/token/")}
"""Open to every signed-in user, about their own account."""
OF_STAFF = {("GET", "/api/docs/"), ("GET", "/api/schema/")}
"""drf-spectacular's own: SERVE_PERMISSIONS opens them to staff."""
TABLE = Path(__file__).parents[2] / "docs" / "api-rights.md"
NOWHERE = {"number": "999", "other": "999", "status": "draft"}


class Endpoint(NamedTuple):
    method: str
    path: str
    view: type[Any]
    action: str

    @property
    def key(self) -> tuple[str, str]:
        return self.method, self.path

    @property
    def need(self) -> rights.Need | None:
        return rights.needed(self.view, self.action)

    @property
    def needed(self) -> tuple[str, ...] | None:
        """Return the permissions."""
        return self.need and self.need.permissions

    @property
    def url(self) -> str:
        """Return the path with unknown ids: permissions are checked before the lookup."""
        return re.sub(r"{(\w+)}", lambda name: NOWHERE.get(name[1], "nothing-has-this"), self.path)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


class Row(NamedTuple):
    """A line of docs/api-rights.md: who may call an endpoint."""

    method: str
    path: str
    scope: str
    permissions: str

    @property
    def key(self) -> tuple[str, str]:
        return self.method, self.path


def documented() -> list[Row]:
    """Read the table of docs/api-rights.md."""
    lines = re.findall(
        r"^\| (\w+) \| `(/\S+)` \| (.*) \| (.*) \|$", TABLE.read_text(), re.MULTILINE
    )
    return [Row(*cells) for cells in lines]


def declared() -> list[Row]:
    """Return the table as views declare it."""
    rows = [Row("POST", "/v1/{kind}/", "write key", "")]
    for each in every():
        if each.key in PUBLIC:
            rows.append(Row(*each.key, "none", ""))
        elif each.key in ONES_OWN:
            rows.append(Row(*each.key, "any", ""))
        else:
            need = each.need or rights.Need(rights.STAFF)
            rows.append(Row(*each.key, need.scope_for(each.method), ", ".join(need.permissions)))
    return sorted(rows, key=lambda row: (row.path, row.method))


def every() -> list[Endpoint]:
    return [
        Endpoint(method, path, callback.cls, _action(callback, method))
        for path, _regex, method, callback in EndpointEnumerator().get_api_endpoints()
        if path.startswith("/api/")
    ]


def _action(callback: Any, method: str) -> str:
    actions: dict[str, str] = getattr(callback, "actions", None) or {}
    return actions.get(method.lower(), method.lower())
