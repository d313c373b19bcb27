"""The OpenAPI schema is complete, and the committed file is up to date."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiYamlRenderer
from drf_spectacular.validation import validate_schema

from crm.api.schema import EXAMPLES, TAGS

COMMITTED = Path(__file__).resolve().parents[2] / "docs" / "openapi.yaml"


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    return dict(SchemaGenerator().get_schema(public=True))


def operations(described: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, by_method in described["paths"].items():
        for method, operation in by_method.items():
            yield f"{method.upper()} {path}", operation


def test_the_schema_is_valid(described: dict[str, Any]) -> None:
    validate_schema(described)


def test_the_committed_schema_matches_the_api(described: dict[str, Any]) -> None:
    now = yaml.safe_load(OpenApiYamlRenderer().render(described))
    assert yaml.safe_load(COMMITTED.read_text()) == now, "run `make schema`, and commit it"


def test_every_body_has_a_valid_example(described: dict[str, Any]) -> None:
    for name, operation in operations(described):
        for kind, content in operation.get("requestBody", {}).get("content", {}).items():
            assert "example" in content, f"{name}: say one in crm/api/examples.json"
            if kind == "application/json":
                schema = {**content["schema"], "components": described["components"]}
                jsonschema.validate(content["example"], schema)


def test_every_example_is_used(described: dict[str, Any]) -> None:
    assert set(EXAMPLES) <= {name for name, _operation in operations(described)}


def test_every_operation_documents_its_effect_and_errors(described: dict[str, Any]) -> None:
    for name, operation in operations(described):
        assert operation.get("description"), name
        assert operation["tags"], name
        assert {"400", "401", "403", "404", "429"} <= operation["responses"].keys(), name
        for status, response in operation["responses"].items():
            shared = described["components"]["responses"].get(status)
            told = shared if "$ref" in response else response
            if status >= "400":
                assert told["content"]["application/problem+json"], name


def test_every_tag_has_a_description(described: dict[str, Any]) -> None:
    assert all(tag["description"] for tag in described["tags"]), "say it in crm.api.schema.TAGS"
    assert set(TAGS) == {tag["name"] for tag in described["tags"]}


def test_writes_document_keys_and_single_objects_etags(described: dict[str, Any]) -> None:
    told = dict(operations(described))
    headers = {
        name: {each["name"] for each in operation.get("parameters", ()) if each["in"] == "header"}
        for name, operation in told.items()
    }
    assert "Idempotency-Key" in headers["POST /api/customers/"]
    assert "If-None-Match" in headers["GET /api/customers/{id}/"]
    assert {"If-Match", "Idempotency-Key"} <= headers["PATCH /api/customers/{id}/"]
    assert "412" in told["PATCH /api/customers/{id}/"]["responses"]
    assert "304" in told["GET /api/customers/{id}/"]["responses"]
