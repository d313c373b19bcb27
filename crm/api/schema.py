"""Complete the OpenAPI schema: problems, headers, files, tags and examples."""

from __future__ import annotations

import json
from copy import copy
from http import HTTPStatus
from pathlib import Path
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter
from rest_framework.fields import ChoiceField, Field

from crm.api.conditional import CHANGING, ConditionalRequests, is_of_one_object
from crm.api.files import CsvRenderer, JsonLinesRenderer
from crm.api.idempotency import HEADER, LONGEST_KEY, IdempotentWrites
from crm.api.problems import CONTENT_TYPE

PROBLEM: dict[str, Any] = {
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
                "properties": {
                    "path": {"type": "string"},
                    "message": {"type": "string"},
                    "index": {"type": "integer", "description": "Of the item, in a list."},
                },
                "required": ["path", "message"],
            },
        },
    },
    "required": ["type", "title", "status"],
    "example": {
        "type": "invalid",
        "title": "Bad Request",
        "status": 400,
        "detail": "The request has invalid values.",
        "errors": [{"path": "email", "message": "Enter a valid email address."}],
    },
}
ALWAYS = {
    "400": ("invalid", "The request is invalid; `errors` has the paths."),
    "401": ("not-authenticated", "Not signed in, or the token is invalid."),
    "403": ("permission-denied", "This user or token lacks the permission."),
    "404": ("not-found", "Not found."),
    "406": ("not-acceptable", "This format is not available."),
    "429": ("throttled", "Too many requests; retry after `Retry-After` seconds."),
}
WRITING = {
    "409": (
        "conflict",
        "A conflict with the present state, or the Idempotency-Key was used with another body.",
    ),
    "413": ("about:blank", "The request is too large."),
    "415": ("unsupported-media-type", "The body has an unsupported media type."),
}
CONDITIONAL = {"412": ("precondition-failed", "The object has changed since it was read.")}
TAGS = {
    "ai": "Suggestions: audiences from text, lookalikes.",
    "analytics": "Figures, attribution, experiments and tables.",
    "api": "The list of endpoints.",
    "auth": "Sign-in, and bearer tokens.",
    "campaign-responses": "Responses of recipients to imported campaigns.",
    "campaigns": "Campaigns with their schedules, batches and messages.",
    "customers": "Customers: upserts, timeline, consent, privacy.",
    "enrollments": "Passages of customers through workflows.",
    "erasures": "Receipts of erasures.",
    "events": "Events for other programs, and publishing events.",
    "exchange-rates": "Exchange rates by day, which convert orders in other currencies.",
    "executions": "Single messages.",
    "frequency-rules": "Limits of messages per customer.",
    "images": "Images for messages.",
    "imports": "Files of customers, orders and more.",
    "interests": "Interests of customers.",
    "likely-duplicates": "Pairs of records that are probably one customer.",
    "merges": "Merged records, and undoing a merge.",
    "orders": "Purchases.",
    "products": "The product catalogue.",
    "quiet-hours": "Times without messages.",
    "refunds": "Refunds, which lower their orders.",
    "refused-ids": "Refused ids and other parts of tracking calls, by write key.",
    "seed": "The sample data of a demo.",
    "segments": "Named audiences, their rules, members and triggers.",
    "senders": "Accounts of providers that send messages.",
    "service-interactions": "Complaints, inquiries and feedback.",
    "snippets": "Content shared by templates.",
    "suppressions": "Addresses that are never sent to.",
    "templates": "Content of messages: preview, checks, versions.",
    "topics": "Topics of messages.",
    "v1": "The Segment spec, for stock Segment and RudderStack clients; with a write key.",
    "visits": "Visits to the site.",
    "webhooks": "Events posted to other programs, signed by the Standard Webhooks scheme.",
    "workflows": "Workflows, their versions and their figures.",
    "write-keys": "Keys of sites and programs that send events to /v1.",
}
EXAMPLES = json.loads(Path(__file__).with_name("examples.json").read_text())
"""Bodies by method and path."""

IDEMPOTENCY_KEY = OpenApiParameter(
    HEADER,
    {"type": "string", "maxLength": LONGEST_KEY},
    OpenApiParameter.HEADER,
    description="Repeating the same key and body returns the first response for a day; the write is executed once.",
)
IF_MATCH = OpenApiParameter(
    "If-Match",
    str,
    OpenApiParameter.HEADER,
    description="Write only if the object still has this ETag.",
)
IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match",
    str,
    OpenApiParameter.HEADER,
    description="Return 304 if the object still has this ETag.",
)
ETAG = {"ETag": {"schema": {"type": "string"}, "description": "ETag of the response."}}
RETRY_AFTER = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds."}}
A_PROBLEM = {"schema": {"$ref": "#/components/schemas/Problem"}}
JSON, ANYTHING = "application/json", "*/*"
FILES = (CsvRenderer.media_type, JsonLinesRenderer.media_type)


class Description(AutoSchema):
    """Adds the headers of crm.api.endpoint.Endpoint, and offers one kind of body (DEFAULT_SCHEMA_CLASS)."""

    def map_parsers(self) -> list[str]:
        """Return JSON alone where it is accepted: forms are for the browsable API, and generators of clients want one body."""
        accepted = super().map_parsers()
        return [JSON] if JSON in accepted or ANYTHING in accepted else accepted[:1]

    def get_override_parameters(self) -> list[Any]:
        headers = []
        conditional = isinstance(self.view, ConditionalRequests) and is_of_one_object(self.view)
        if conditional and self.method == "GET":
            headers.append(IF_NONE_MATCH)
        if conditional and self.method in CHANGING:
            headers.append(IF_MATCH)
        if isinstance(self.view, IdempotentWrites) and self.method != "GET":
            headers.append(IDEMPOTENCY_KEY)
        return [*super().get_override_parameters(), *headers]

    def _map_serializer_field(self, field: Any, *args: Any, **kwargs: Any) -> Any:
        """Describe the empty text of a choice that is only shown; DRF knows it for those that are written alone."""
        if isinstance(field, ChoiceField) and field.read_only and _may_be_blank(field):
            field = copy(field)
            field.allow_blank = True
        return super()._map_serializer_field(field, *args, **kwargs)


def _may_be_blank(field: Field[Any, Any, Any, Any]) -> bool:
    model = getattr(getattr(field.parent, "Meta", None), "model", None)
    try:
        return bool(model and model._meta.get_field(field.source).blank)
    except FieldDoesNotExist:
        return False


def complete(result: dict[str, Any], **_context: Any) -> dict[str, Any]:
    """Add errors, headers, files, tags and examples to every operation, as a postprocessing hook."""
    components = result.setdefault("components", {})
    components.setdefault("schemas", {})["Problem"] = PROBLEM
    components["responses"] = _usual_problems()
    for path, operations in result["paths"].items():
        for method, operation in operations.items():
            operation.setdefault("tags", ["api"])
            _document_headers(operation)
            _document_files(operation["responses"])
            _document_problems(method, operation)
            if example := EXAMPLES.get(f"{method.upper()} {path}"):
                for content in operation["requestBody"]["content"].values():
                    content["example"] = example
    used = {
        tag for each in result["paths"].values() for one in each.values() for tag in one["tags"]
    }
    result["tags"] = [{"name": tag, "description": TAGS.get(tag, "")} for tag in sorted(used)]
    for name, schema in components["schemas"].items():
        for field in schema.get("properties", {}).values():
            if field.get("format") == "time":
                # RFC 3339's have an offset; a time in a zone of its own has none
                del field["format"]
            if name.startswith("Patched"):
                # a field that is left out keeps its value, and clients would send its default
                field.pop("default", None)
    return result


def _document_headers(operation: dict[str, Any]) -> None:
    if "If-None-Match" in _parameters(operation):
        operation["responses"]["200"]["headers"] = ETAG
        operation["responses"]["304"] = {"description": "It is as it was when it had that ETag."}


def _document_files(responses: dict[str, Any]) -> None:
    for kind in FILES:
        if kind in responses.get("200", {}).get("content", ()):
            responses["200"]["content"][kind] = {"schema": {"type": "string"}}


def _document_problems(method: str, operation: dict[str, Any]) -> None:
    usual = ALWAYS if method == "get" else {**ALWAYS, **WRITING}
    if "If-Match" in _parameters(operation):
        usual = {**usual, **CONDITIONAL}
    responses = operation["responses"]
    for status in usual:
        responses.setdefault(status, {"$ref": f"#/components/responses/{status}"})
    for status, response in responses.items():
        if status >= "400" and "$ref" not in response:
            response.setdefault("content", {CONTENT_TYPE: A_PROBLEM})


def _usual_problems() -> dict[str, Any]:
    """Return the errors as components, because almost every operation shares them."""
    return {
        status: {
            "description": description,
            "content": {
                CONTENT_TYPE: {**A_PROBLEM, "example": _example(status, kind, description)}
            },
            **({"headers": RETRY_AFTER} if status == "429" else {}),
        }
        for status, (kind, description) in {**ALWAYS, **WRITING, **CONDITIONAL}.items()
    }


def _example(status: str, kind: str, description: str) -> dict[str, Any]:
    if status == "400":
        return dict(PROBLEM["example"])
    title = HTTPStatus(int(status)).phrase
    return {"type": kind, "title": title, "status": int(status), "detail": description}


def _parameters(operation: dict[str, Any]) -> set[str]:
    return {each["name"] for each in operation.get("parameters", ())}
