"""A client of the API that holds every answer against the OpenAPI description."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import jsonschema_rs
from django.urls import Resolver404, resolve
from drf_spectacular.generators import EndpointEnumerator, SchemaGenerator
from rest_framework.test import APIClient


class DescribedApi(APIClient):
    """The client of tests. An answer whose status or body is not described fails the test."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        described()  # here, where no test counts its queries

    def request(self, **request: Any) -> Any:
        answer = super().request(**request)
        path, method = f"{request['PATH_INFO'].rstrip('/')}/", request["REQUEST_METHOD"].lower()
        is_json = answer.headers.get("Content-Type", "").partition(";")[0].endswith("json")
        if is_json and path.startswith("/api/") and method not in {"head", "options"}:
            try:
                described_path = path_of_route(resolve(path).route)
            except Resolver404:
                return answer
            check(described_path, method, answer.status_code, answer.headers, answer.json())
        return answer


@cache
def path_of_route(route: str) -> str:
    return str(EndpointEnumerator().get_path_from_regex(route))


def check(path: str, method: str, status: int, headers: Mapping[str, str], content: Any) -> None:
    """Raise AssertionError for an answer that its operation does not describe."""
    operation = described()["paths"].get(path, {}).get(method)
    if operation is None:
        return
    kind = headers["Content-Type"].partition(";")[0]
    where = f"{method.upper()} {path} answers {status}"
    assert str(status) in operation["responses"], f"{where}, which is not described"
    kinds = response(path, method, status).get("content", {})
    assert kind in kinds, f"{where} with {kind}, not {', '.join(kinds) or 'nothing'}"
    for error in validator(path, method, status, kind).iter_errors(content):
        at = "/".join(map(str, error.instance_path))
        raise AssertionError(f"{where}: {at}: {error.message}")


@cache
def described() -> dict[str, Any]:
    return dict(nullable_as_type(SchemaGenerator().get_schema(public=True)))


def response(path: str, method: str, status: int) -> dict[str, Any]:
    found = described()["paths"][path][method]["responses"][str(status)]
    return described()["components"]["responses"][str(status)] if "$ref" in found else found


@cache
def validator(path: str, method: str, status: int, kind: str) -> Any:
    schema = response(path, method, status)["content"][kind]["schema"]
    return jsonschema_rs.Draft4Validator(
        {**schema, "components": described()["components"]}, validate_formats=True
    )


def nullable_as_type(schema: Any) -> Any:
    """Return a schema of OpenAPI 3.0 in JSON Schema's words, which has a type for null."""
    if isinstance(schema, list):
        return [nullable_as_type(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    written = {name: nullable_as_type(each) for name, each in schema.items() if name != "nullable"}
    return {"anyOf": [written, {"type": "null"}]} if schema.get("nullable") is True else written
