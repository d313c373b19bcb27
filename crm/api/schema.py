"""What drf-spectacular cannot know of the API: every error is a problem, and any operation can end in the usual ones."""

from __future__ import annotations

from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter

from crm.api.conditional import CHANGING, ConditionalRequests, is_of_one_thing
from crm.api.files import CsvRenderer, JsonLinesRenderer
from crm.api.idempotency import HEADER, LONGEST_KEY, IdempotentWrites
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


IDEMPOTENCY_KEY = OpenApiParameter(
    HEADER,
    {"type": "string", "maxLength": LONGEST_KEY},
    OpenApiParameter.HEADER,
    description="The same key and body again get the first answer, for a day; the write happens once.",
)
IF_MATCH = OpenApiParameter(
    "If-Match",
    str,
    OpenApiParameter.HEADER,
    description="An ETag: write only where it is still so.",
)
IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match", str, OpenApiParameter.HEADER, description="An ETag that is known already."
)
ETAG = {"ETag": {"schema": {"type": "string"}, "description": "Of what is shown."}}
RETRY_AFTER = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds."}}
FILES = (CsvRenderer.media_type, JsonLinesRenderer.media_type)


class Description(AutoSchema):
    """DEFAULT_SCHEMA_CLASS: with the headers that crm.api.endpoint.Endpoint understands."""

    def get_override_parameters(self) -> list[Any]:
        headers = []
        conditional = isinstance(self.view, ConditionalRequests) and is_of_one_thing(self.view)
        if conditional and self.method == "GET":
            headers.append(IF_NONE_MATCH)
        if conditional and self.method in CHANGING:
            headers.append(IF_MATCH)
        if isinstance(self.view, IdempotentWrites) and self.method != "GET":
            headers.append(IDEMPOTENCY_KEY)
        return [*super().get_override_parameters(), *headers]


def document_problems(result: dict[str, Any], **_context: Any) -> dict[str, Any]:
    """A postprocessing hook: the usual errors on every operation, and all errors of the schema as problems."""
    result.setdefault("components", {}).setdefault("schemas", {})["Problem"] = PROBLEM
    for operations in result["paths"].values():
        for method, operation in operations.items():
            responses = operation["responses"]
            for kind in FILES:
                if kind in responses.get("200", {}).get("content", ()):
                    responses["200"]["content"][kind] = {"schema": {"type": "string"}}
            usual = ALWAYS if method == "get" else {**ALWAYS, **WRITING}
            headers = {each["name"] for each in operation.get("parameters", ())}
            if "If-None-Match" in headers:
                responses["200"]["headers"] = ETAG
                responses["304"] = {"description": "It is as it was when it had that ETag."}
            if "If-Match" in headers:
                usual = {**usual, "412": "It changed since it was read."}
            for status, description in usual.items():
                responses.setdefault(status, {"description": description})
            for status, response in responses.items():
                if status >= "400" and "content" not in response:
                    content = {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
                    response["content"] = content
            responses["429"]["headers"] = RETRY_AFTER
    for schema in result["components"]["schemas"].values():
        for field in schema.get("properties", {}).values():
            if field.get("format") == "time":
                del field[
                    "format"
                ]  # RFC 3339's have an offset, and a time of day in a zone of its own has none
    return result
