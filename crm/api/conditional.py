"""Conditional requests by ETag (RFC 9110, 13): unchanged objects are not sent again, changed ones not overwritten."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

from django.db import models, transaction
from django.utils.http import parse_etags
from django.utils.translation import gettext_lazy
from rest_framework import status
from rest_framework.exceptions import APIException
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.encoders import JSONEncoder
from rest_framework.views import APIView

CHANGING = frozenset({"PUT", "PATCH", "DELETE"})


class PreconditionFailed(APIException):
    """412: the object does not have the ETag of the request."""

    status_code = status.HTTP_412_PRECONDITION_FAILED
    default_detail = gettext_lazy("This object has changed. Read it again first.")
    default_code = "precondition-failed"


class ConditionalRequests(APIView):
    """Mixin for views with `retrieve`; put it first.

    GET returns an ETag, and 304 if `If-None-Match` has it. PUT, PATCH and DELETE return 412 if `If-Match` does not have the current ETag;
    the row stays locked until the end of the write, so that one of two writers is refused.
    """

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        if request.method not in CHANGING or "If-Match" not in request.headers:
            return super().dispatch(request, *args, **kwargs)
        with transaction.atomic():
            response = super().dispatch(request, *args, **kwargs)
            if response.status_code >= 400:
                transaction.set_rollback(True)
            return response

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        wanted = request.headers.get("If-Match", "")
        if wanted and request.method in CHANGING and is_of_one_object(self):
            self._check(parse_etags(wanted), request, kwargs)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        shown = request.method == "GET" and response.status_code == 200 and is_of_one_object(self)
        if shown and isinstance(response.accepted_renderer, JSONRenderer):
            return _not_modified(request, response)
        return response

    def _check(self, wanted: list[str], request: Request, kwargs: dict[str, Any]) -> None:
        found = self.get_object()  # type: ignore[attr-defined]  # views of one object have it
        if isinstance(found, models.Model):
            type(found)._base_manager.select_for_update().filter(pk=found.pk).first()
        if wanted != ["*"] and self._tag_of_now(request, kwargs) not in wanted:
            raise PreconditionFailed

    def _tag_of_now(self, request: Request, kwargs: dict[str, Any]) -> str:
        writing: Any = getattr(self, "action", None)
        self.action = "retrieve"  # the serializer may depend on it
        try:
            return etag(self.retrieve(request, **kwargs).data)  # type: ignore[attr-defined]
        finally:
            self.action = writing


def is_of_one_object(view: APIView) -> bool:
    """Return whether a request is to an object itself, not to an action."""
    usual = ("retrieve", "update", "partial_update", "destroy")
    return hasattr(view, "retrieve") and getattr(view, "action", "retrieve") in usual


def etag(shown: object) -> str:
    """Return a strong ETag, equal for equal responses in every process."""
    text = json.dumps(shown, cls=JSONEncoder, sort_keys=True)
    return f'"{sha256(text.encode()).hexdigest()[:32]}"'


def _not_modified(request: Request, response: Response) -> Response:
    tag = etag(response.data)
    response.headers["ETag"] = tag
    known = parse_etags(request.headers.get("If-None-Match", ""))
    if known == ["*"] or tag in (each.removeprefix("W/") for each in known):
        response.data, response.status_code = None, status.HTTP_304_NOT_MODIFIED
    return response
