"""What drf-spectacular cannot know of the API: every error is a problem, and any operation can end in the usual ones."""

from __future__ import annotations

from typing import Any

from crm.api.problems import CONTENT_TYPE

PROBLEM = {
    "type": "object",
    "description": "RFC 9457",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"path": {"type": "string"}, "message": {"type": "string"}},
                "required": ["path", "message"],
            },
        },
    },
    "required": ["type", "title", "status"],
    "example": {
        "type": "invalid",
        "title": "Bad Request",
        "status": 400,
        "detail": "Some of what was sent does not fit.",
        "errors": [{"path": "email", "message": "Enter a valid email address."}],
    },
}
ALWAYS = {
    "400": "What was sent does not fit: `errors` says where.",
    "401": "Nobody is signed in, or the token is no good.",
    "403": "This user or token may not.",
    "404": "There is no such thing.",
    "406": "It cannot be had in that format.",
    "429": "Too many requests; `Retry-After` says when to come again.",
}
WRITING = {
    "409": "It does not fit the present state, or the Idempotency-Key was used with another body.",
    "413": "Too much at once.",
    "415": "The body is of a type that is not taken.",
}


def document_problems(result: dict[str, Any], **_context: Any) -> dict[str, Any]:
    """A postprocessing hook: the usual errors on every operation, and all errors of the schema as problems."""
    result.setdefault("components", {}).setdefault("schemas", {})["Problem"] = PROBLEM
    for operations in result["paths"].values():
        for method, operation in operations.items():
            responses = operation["responses"]
            if _streams_csv(operation):
                responses["200"]["content"]["text/csv"] = {"schema": {"type": "string"}}
            usual = ALWAYS if method == "get" else {**ALWAYS, **WRITING}
            for status, description in usual.items():
                responses.setdefault(status, {"description": description})
            for status, response in responses.items():
                if status >= "400" and "content" not in response:
                    content = {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
                    response["content"] = content
    for schema in result["components"]["schemas"].values():
        for field in schema.get("properties", {}).values():
            if field.get("format") == "time":
                del field[
                    "format"
                ]  # RFC 3339's have an offset, and a time of day in a zone of its own has none
    return result


def _streams_csv(operation: dict[str, Any]) -> bool:
    return any(
        parameter["name"] == "format" and "csv" in parameter["schema"].get("enum", ())
        for parameter in operation.get("parameters", ())
    )
