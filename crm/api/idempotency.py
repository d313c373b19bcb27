"""`Idempotency-Key`: a repeated write returns its first response and is executed once."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.encoders import JSONEncoder
from rest_framework.views import APIView

from crm import credentials
from crm.api.problems import Conflict

HEADER = "Idempotency-Key"
UNDER_WAY_SECONDS = 600
"""Longer than any request may take; the key of a process that dies stays claimed for this time."""
LONGEST_KEY = 255
SLOT = "idempotency:"


class Replay(Exception):
    """Carries the first response past the view; not an error."""

    def __init__(self, response: Response) -> None:
        self.response = response


class IdempotentWrites(APIView):
    """Mixin for views, put it first. A key belongs to one user, scopes of a token, method and path.

    The same key and body return the first response for IDEMPOTENCY_HOURS, with `Idempotency-Replayed: true`. Another body, or a first
    request under way, is a 409. A response of 500 or more is not stored, so that it can be retried. Responses are stored encrypted: they
    contain personal data and secrets.
    """

    _claimed: str | None = None
    _fingerprint: str = ""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        key = request.headers.get(HEADER, "")
        if request.method in SAFE_METHODS or not key:
            return
        if len(key) > LONGEST_KEY:
            message = _("At most %d characters.") % LONGEST_KEY
            raise ValidationError({HEADER: [message]})
        self._fingerprint = _fingerprint(request)
        slot = _slot(request, key)
        if cache.add(slot, {"fingerprint": self._fingerprint}, UNDER_WAY_SECONDS):
            self._claimed = slot
        else:
            self._replay(cache.get(slot) or {"fingerprint": self._fingerprint})

    def _replay(self, first: dict[str, Any]) -> None:
        if first["fingerprint"] != self._fingerprint:
            raise Conflict(_("This Idempotency-Key was used with another body."))
        if "status" not in first:
            raise Conflict(_("The first request with this Idempotency-Key is still under way."))
        body = json.loads(credentials.read(first["body"]))
        response = Response(body, status=first["status"], content_type=first["content_type"])
        response.headers["Idempotency-Replayed"] = "true"
        raise Replay(response)

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, Replay):
            return exc.response
        return super().handle_exception(exc)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        if self._claimed and response.status_code >= 500:
            cache.delete(self._claimed)
        elif self._claimed:
            answer = {
                "fingerprint": self._fingerprint,
                "status": response.status_code,
                "content_type": response.content_type,
                "body": credentials.seal(json.dumps(response.data, cls=JSONEncoder)),
            }
            cache.set(self._claimed, answer, settings.IDEMPOTENCY_HOURS * 3600)
        return super().finalize_response(request, response, *args, **kwargs)


def forget_answers(mention: Callable[[str], bool]) -> int:
    """Delete the stored responses that `mention` selects, as for an erased customer; return their number."""
    redis = cache._cache.get_client()  # type: ignore[attr-defined]  # Django's cache cannot list its keys
    picked = []
    for key in redis.scan_iter(match=f"{cache.make_key(SLOT)}*"):
        slot = key.decode().removeprefix(cache.make_key(""))
        if mention(_body(cache.get(slot) or {})):
            picked.append(slot)
    cache.delete_many(picked)
    return len(picked)


def _slot(request: Request, key: str) -> str:
    scopes = ",".join(getattr(request.auth, "scopes", ()))  # another token may read less
    named = f"{request.user.pk}\n{scopes}\n{request.method}\n{request.path}\n{key}"
    return f"{SLOT}{sha256(named.encode()).hexdigest()}"


def _body(kept: dict[str, Any]) -> str:
    try:
        return credentials.read(kept["body"]) if "body" in kept else ""
    except credentials.Unreadable:  # it cannot be replayed either
        return ""


def _fingerprint(request: Request) -> str:
    """Return a digest of the query and the parsed data, independent of spaces and key order; of files, of their bytes."""
    sent = json.dumps([request.query_params, request.data], sort_keys=True, default=_as_text)
    return sha256(sent.encode()).hexdigest()


def _as_text(value: object) -> str:
    if not isinstance(value, UploadedFile):
        return str(value)
    digest = sha256()
    for chunk in value.chunks():
        digest.update(chunk)
    value.seek(0)
    return f"{value.name} {digest.hexdigest()}"
