"""Query parameters: an unknown one is a 400 that names the known ones, by the description of the endpoint."""

from __future__ import annotations

from functools import cache
from threading import RLock
from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.generators import EndpointEnumerator, SchemaGenerator
from drf_spectacular.plumbing import ComponentRegistry, build_mock_request
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.settings import api_settings
from rest_framework.views import APIView

Parameters = dict[str, dict[str, Any]]

DESCRIBING = RLock()
"""drf-spectacular loads its extensions, and notes the view being described in the view's class, without a lock: threads take turns."""


class Generator(SchemaGenerator):
    """Describes all endpoints, one thread at a time (DEFAULT_GENERATOR_CLASS)."""

    def get_schema(self, request: Any = None, public: bool = False) -> Any:
        with DESCRIBING:
            return super().get_schema(request, public)


class KnownParameters(APIView):
    """Mixin for views, put it first: refuses parameters and choices that the OpenAPI description does not have."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        match = request.resolver_match
        if match and request.query_params and request.method != "OPTIONS":
            method = "GET" if request.method == "HEAD" else str(request.method)
            _check(request, _described(match.func, match.route, method))


@cache
def _described(callback: Any, route: str, method: str) -> Parameters:
    """Return the query parameters of an operation by name, each with its schema."""
    with DESCRIBING:
        return _describe(callback, route, method)


def _describe(callback: Any, route: str, method: str) -> Parameters:
    generator = SchemaGenerator()  # the view has no more than weak references to its parts
    view = generator.create_view(callback, method)
    path = EndpointEnumerator().get_path_from_regex(route)
    view.request = build_mock_request(method, path, view, None)
    operation = view.schema.get_operation(path, route, "", method, ComponentRegistry()) or {}
    return {
        each["name"]: each["schema"]
        for each in operation.get("parameters", ())
        if each["in"] == "query"
    }


def _check(request: Request, known: Parameters) -> None:
    errors: dict[str, list[str]] = {}
    for name, values in request.query_params.lists():
        if name == api_settings.URL_FORMAT_OVERRIDE:
            continue
        if name not in known:
            message = _("There is no such parameter. Use one of: %(known)s.")
            errors[name] = [message % {"known": ", ".join(sorted(known)) or _("none")}]
            continue
        choices = known[name].get("enum", ())
        if choices and not {*values} <= {*map(str, choices), ""}:
            message = _("There is no such choice. Use one of: %(known)s.")
            errors[name] = [message % {"known": ", ".join(map(str, choices))}]
    if errors:
        raise ValidationError(errors)
