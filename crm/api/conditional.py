"""ETags of single things (RFC 9110, 13): what is known already is not sent again, and what changed meanwhile is not written over."""

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
    """412: it is not, or no longer, what the request takes it to be."""

    status_code = status.HTTP_412_PRECONDITION_FAILED
    default_detail = gettext_lazy("It changed since you read it: read it again first.")
    default_code = "precondition-failed"


class ConditionalRequests(APIView):
    """Mixin for views (put it first); counts where a view has `retrieve`.

    GET tells an ETag, and is a 304 where `If-None-Match` has it. PUT, PATCH and DELETE with `If-Match` are a 412 where it does not have
    the ETag of now; its row stays locked from that look to the end of the write, so that of two writers one is refused.
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
        if wanted and request.method in CHANGING and is_of_one_thing(self):
            self._check(parse_etags(wanted), request, kwargs)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        shown = request.method == "GET" and response.status_code == 200 and is_of_one_thing(self)
        if shown and isinstance(response.accepted_renderer, JSONRenderer):
            return _unless_known(request, response)
        return response

    def _check(self, wanted: list[str], request: Request, kwargs: dict[str, Any]) -> None:
        found = self.get_object()  # type: ignore[attr-defined]  # a view of one thing has it
        if isinstance(found, models.Model):
            type(found)._base_manager.select_for_update().filter(pk=found.pk).first()
        if wanted != ["*"] and self._tag_of_now(request, kwargs) not in wanted:
            raise PreconditionFailed

    def _tag_of_now(self, request: Request, kwargs: dict[str, Any]) -> str:
        writing: Any = getattr(self, "action", None)
        self.action = "retrieve"  # which serializer it is may hang on that
        try:
            return etag(self.retrieve(request, **kwargs).data)  # type: ignore[attr-defined]
        finally:
            self.action = writing


def is_of_one_thing(view: APIView) -> bool:
    """Whether a request goes to a thing with an address of its own, not to an action of it."""
    usual = ("retrieve", "update", "partial_update", "destroy")
    return hasattr(view, "retrieve") and getattr(view, "action", "retrieve") in usual


def etag(shown: object) -> str:
    """A strong tag of what is shown: the same for the same answer, in any process."""
    text = json.dumps(shown, cls=JSONEncoder, sort_keys=True)
    return f'"{sha256(text.encode()).hexdigest()[:32]}"'


def _unless_known(request: Request, response: Response) -> Response:
    tag = etag(response.data)
    response.headers["ETag"] = tag
    known = parse_etags(request.headers.get("If-None-Match", ""))
    if known == ["*"] or tag in (each.removeprefix("W/") for each in known):
        response.data, response.status_code = None, status.HTTP_304_NOT_MODIFIED
    return response
