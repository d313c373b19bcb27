"""`/api/`: the list of endpoints."""

from __future__ import annotations

from drf_spectacular.generators import EndpointEnumerator
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from crm.api import rights
from crm.api.parameters import KnownParameters


class ApiRoot(KnownParameters):
    """All endpoints. The full description is at `docs`."""

    rights = rights.each(get=rights.STAFF)

    @extend_schema(responses={200: dict[str, str]})
    def get(self, request: Request) -> Response:
        paths = sorted(
            {p for p, _, method, _ in EndpointEnumerator().get_api_endpoints() if method == "GET"}
        )
        open_paths = [path for path in paths if "{" not in path and path != request.path]
        return Response(
            {p.removeprefix("/api/").strip("/"): request.build_absolute_uri(p) for p in open_paths}
        )
