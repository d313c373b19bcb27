"""The Segment spec over HTTP: stock clients of Segment and RudderStack work with their host set to this server."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from typing import IO, Any, ClassVar, cast

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, serializers
from rest_framework.authentication import BaseAuthentication
from rest_framework.parsers import BaseParser
from rest_framework.permissions import AllowAny
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from crm.accounts.models import Scope
from crm.api import rights
from crm.api.endpoint import Endpoint
from crm.api.lists import Lists
from crm.api.problems import TooLarge
from customers import tracking_api
from customers.ingest import Refused
from customers.models import RefusedId, WriteKey
from customers.tracking_api import (
    Call,
    CallType,
    Ignored,
    PlaceholderId,
    read_call,
    read_sent_at,
    receive_calls,
    refuse_call,
)

MOST_MESSAGES = 5_000
LARGEST_MESSAGE = 32 * 1024
"""Characters of JSON, as in the spec; bodies are bounded by customers.tracking_api.body."""
HEADERS = ("Authorization", "Content-Type", "Content-Encoding", "AnonymousId")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")  # RFC 9110, 5.6.2
BATCHES = frozenset({"batch", "b", "import"})
KINDS = {kind.value: kind for kind in CallType} | {
    kind[0]: kind for kind in CallType if kind != "screen"
}
KINDS |= {"s": CallType.SCREEN}


class AnyJson(BaseParser):
    """Parse the body as JSON whatever its type: browsers send text/plain, to avoid a preflight request."""

    media_type = "*/*"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        request: Request = (parser_context or {})["request"]
        try:
            return tracking_api.read_body(stream, request.headers.get("Content-Encoding", ""))
        except tracking_api.BodyTooLarge:
            raise TooLarge(
                _("At most %d bytes at a time, unpacked.") % tracking_api.LARGEST_BODY
            ) from None
        except ValueError as error:
            raise exceptions.ParseError(str(error)) from None


class WriteKeyAuthentication(BaseAuthentication):
    """Authenticate by `Authorization: Basic` with the write key as user name, or `writeKey` in the body."""

    def authenticate(self, request: Request) -> tuple[None, WriteKey]:
        text = _basic_user(request.headers.get("Authorization", "")) or _key_in(request.data)
        key = tracking_api.find_key(text) if text else None
        if key is None:
            raise exceptions.AuthenticationFailed(
                _("This write key is unknown or revoked.") if text else _("Send a write key.")
            )
        return None, key

    def authenticate_header(self, request: Request) -> str:
        return 'Basic realm="write key"'


class IgnoredSerializer(serializers.Serializer[Any]):
    path = serializers.CharField()
    message = serializers.CharField()


class CollectedSerializer(serializers.Serializer[Any]):
    success = serializers.BooleanField()
    ignored = IgnoredSerializer(
        many=True, required=False, help_text="What was received, and which parts were ignored."
    )


class WriteKeyScheme(OpenApiAuthenticationExtension):
    target_class = "customers.api.collect.WriteKeyAuthentication"
    name = "write key"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {"type": "http", "scheme": "basic"}


class CollectView(APIView):
    """`/v1/{identify,track,page,screen,group,alias,batch,import}`, and the one-letter names that browsers use."""

    throttle_scope = Scope.INGEST
    authentication_classes = (WriteKeyAuthentication,)
    permission_classes = (AllowAny,)
    parser_classes = (AnyJson,)
    renderer_classes = (JSONRenderer,)

    def get_authenticators(self) -> list[BaseAuthentication]:
        is_preflight = self.request and self.request.method == "OPTIONS"
        return [] if is_preflight else super().get_authenticators()

    def options(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return Response(status=204)

    @extend_schema(request=OpenApiTypes.OBJECT, responses=CollectedSerializer)
    def post(self, request: Request, kind: str) -> Response:
        """Receive valid calls. A 400 names invalid ones; the rest of the batch is received all the same."""
        key = cast(WriteKey, request.auth)
        places, messages, errors = _read(kind, request.data, key)
        ignored = receive_calls(messages, key.pk)
        if errors:
            raise exceptions.ValidationError(errors)
        answer: dict[str, Any] = {"success": True}
        if ignored:
            by_message = {
                id(message): place for place, message in zip(places, messages, strict=True)
            }
            answer["ignored"] = [
                _told(each, by_message.get(id(each.message), "")) for each in ignored
            ]
        return Response(answer)

    def handle_exception(self, exc: Exception) -> Response:
        """Return the problem with names that stock clients look for, without which they retry for ever."""
        response = super().handle_exception(exc)
        response.data["code"] = response.data["type"]
        response.data["message"] = response.data.get("detail", response.data["title"])
        return response

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Allow every origin: the key identifies the site, and cookies are ignored."""
        response.headers["Access-Control-Allow-Origin"] = "*"
        response.headers["Access-Control-Expose-Headers"] = "Retry-After"
        if request.method == "OPTIONS":
            response.headers["Access-Control-Allow-Methods"] = "POST"
            response.headers["Access-Control-Allow-Headers"] = _allowed_headers(request)
            response.headers["Access-Control-Max-Age"] = "86400"
            response.headers["Vary"] = "Access-Control-Request-Headers"
        return super().finalize_response(request, response, *args, **kwargs)


def _allowed_headers(request: Request) -> str:
    """Return the usual headers and the requested ones, which clients and sites add."""
    asked = request.headers.get("Access-Control-Request-Headers", "").split(",")
    return ", ".join(
        [*HEADERS, *(name.strip() for name in asked if _TOKEN.fullmatch(name.strip()))]
    )


def _read(
    kind: str, data: Any, key: WriteKey
) -> tuple[list[str], list[Call], dict[str, list[str]]]:
    """Return calls with their path in the body, and errors of invalid ones by their path."""
    if kind not in BATCHES and kind not in KINDS:
        raise exceptions.NotFound(
            _(
                "There is no such call. Use identify, track, page, screen, group, alias, batch or import."
            )
        )
    if not isinstance(data, Mapping):
        raise exceptions.ParseError(_("Send an object."))
    if kind in KINDS:
        given = [("", {**data, "type": KINDS[kind]})]
    else:
        items = data.get("batch")
        if not isinstance(items, list):
            raise exceptions.ValidationError({"batch": [_("Send a list.")]})
        if len(items) > MOST_MESSAGES:
            raise TooLarge(_("At most %d messages at a time.") % MOST_MESSAGES)
        given = [(f"batch[{place}]", item) for place, item in enumerate(items)]
    received_at, sent_at = timezone.now(), read_sent_at(data.get("sentAt"))
    places, messages, errors = [], [], {}
    for place, item in given:
        try:
            if len(json.dumps(item)) > LARGEST_MESSAGE:
                raise Refused(_("is larger than %d bytes.") % LARGEST_MESSAGE)
            message = read_call(item, received_at, sent_at)
            tracking_api.note_trust(key, item, message)
            messages.append(message)
            places.append(place)
        except Refused as refused:
            if isinstance(refused, PlaceholderId):
                refuse_call(refused, key.pk)
            errors[_path(place, refused.field)] = [ValueError.__str__(refused)]
    return places, messages, errors


def _told(ignored: Ignored, place: str) -> dict[str, str]:
    return {"path": _path(place, ignored.path), "message": ignored.reason}


def _path(place: str, field: str) -> str:
    return ".".join(part for part in (place, field) if part)


def _basic_user(header: str) -> str:
    scheme, _space, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(encoded, validate=True).decode().partition(":")[0]
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _key_in(data: Any) -> str:
    found = data.get("writeKey") if isinstance(data, Mapping) else None
    return found if isinstance(found, str) else ""


class RefusedIdSerializer(serializers.ModelSerializer[RefusedId]):
    write_key = serializers.CharField(source="write_key.name", help_text="Name of the write key.")

    class Meta:
        model = RefusedId
        fields: ClassVar[list[str]] = [
            "write_key", "field", "value", "reason", "times", "first_at", "last_at",
        ]  # fmt: skip


class RefusedIdViewSet(Endpoint, Lists, GenericViewSet[RefusedId]):
    """List what was refused of tracking calls: placeholders, ids that would have merged customers, and what a browser may not write."""

    rights = rights.of_model("customers.refusedid")
    queryset = RefusedId.objects.select_related("write_key")
    serializer_class = RefusedIdSerializer
    filterset_fields = ("write_key", "field", "reason")
    search_fields = ("value",)
    ordering_fields = ("last_at", "times")
