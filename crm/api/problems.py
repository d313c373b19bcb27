"""Every error of the API as RFC 9457 `application/problem+json`."""

from __future__ import annotations

import logging
import re
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.core.exceptions import (
    NON_FIELD_ERRORS,
    RequestDataTooBig,
    TooManyFieldsSent,
    TooManyFilesSent,
)
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import DataError
from django.http import HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views import defaults
from rest_framework import exceptions, status
from rest_framework.renderers import BrowsableAPIRenderer, JSONRenderer
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import exception_handler, set_rollback

from crm.statement_timeout import QueryTimeout

logger = logging.getLogger(__name__)

CONTENT_TYPE = "application/problem+json"
_ITEM = re.compile(r"\w*\[(\d+)\]")

PREFIXES = ("/api/", "/v1/")
TOO_LARGE = (RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent)
"""Django's refusals of bodies, which it answers with 400."""


class Conflict(exceptions.APIException):
    """409: the request conflicts with the present state."""

    status_code = status.HTTP_409_CONFLICT
    default_detail = gettext_lazy("This conflicts with the present state.")
    default_code = "conflict"


class TooLarge(exceptions.APIException):
    """413: the request is larger than the limit."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = gettext_lazy("The request is larger than the limit. Send less at a time.")
    default_code = "too-large"


class Stalled(exceptions.APIException):
    """408: the body did not come in time (RFC 9110, 15.5.9)."""

    status_code = status.HTTP_408_REQUEST_TIMEOUT
    default_detail = gettext_lazy("The body did not arrive in time. Send it again.")
    default_code = "request-timeout"


class SecondFactorRequired(exceptions.AuthenticationFailed):
    """401: the code of the second factor is missing."""

    default_detail = gettext_lazy("Enter the code of your second factor.")
    default_code = "second-factor-required"


def problem_response(error: Exception, context: dict[str, Any]) -> Response:
    """Return an error as a problem (DRF's EXCEPTION_HANDLER); unexpected errors are logged and a 500."""
    if isinstance(error, DjangoValidationError):
        error = exceptions.ValidationError(_messages(error))
    if isinstance(error, QueryTimeout):
        error = exceptions.ValidationError(
            _("The database did not answer in time. Simplify the request.")
        )
    if isinstance(error, UnreadablePostError):
        error = Stalled()
    if isinstance(error, TOO_LARGE):
        error = TooLarge()
    if isinstance(error, DataError):
        error = exceptions.ValidationError(_("A value is outside the supported range."))
    if isinstance(error, RecursionError):
        error = exceptions.ParseError(_("The request is nested too deeply."))
    response = exception_handler(error, context)
    if response is None:
        return _unexpected(error, context)
    code = _type(error)
    if isinstance(error, exceptions.ValidationError):
        response.data = problem(
            response.status_code,
            _("The request has invalid values."),
            type=code,
            errors=flatten(error.detail),
        )
    else:
        detail = getattr(error, "detail", None)
        response.data = problem(response.status_code, str(detail or ""), type=code)
    return as_problem(response, context)


def problem(
    status_code: int,
    detail: str = "",
    *,
    type: str = "about:blank",
    errors: list[dict[str, str]] | None = None,
) -> dict[str, Any]:
    """Return the body: type, title and status; detail and errors if given.

    An error has a path and a message; one in a list, such as `batch[3].event`, the index of the item, too.
    """
    body: dict[str, Any] = {
        "type": type,
        "title": HTTPStatus(status_code).phrase,
        "status": status_code,
    }
    if detail:
        body["detail"] = detail
    if errors:
        body["errors"] = [
            {**each, "index": int(item[1])} if (item := _ITEM.match(each["path"])) else each
            for each in errors
        ]
    return body


def flatten(detail: Any, path: str = "") -> list[dict[str, str]]:
    """Flatten DRF's tree of errors: `{"items": [{}, {"price": ["…"]}]}` has the path `items[1].price`."""
    if isinstance(detail, dict):
        return [
            found
            for key, part in detail.items()
            for found in flatten(part, path if _is_whole(key) else _join(path, key))
        ]
    if isinstance(detail, list | tuple):
        return [
            found
            for index, part in enumerate(detail)
            for found in flatten(
                part, f"{path}[{index}]" if isinstance(part, dict | list) else path
            )
        ]
    return [{"path": path, "message": str(detail)}]


def as_problem(response: Response, context: dict[str, Any]) -> Response:
    """Mark a response as a problem in JSON, except in the browsable API."""
    request = context.get("request")
    if not isinstance(getattr(request, "accepted_renderer", None), BrowsableAPIRenderer):
        response.content_type = CONTENT_TYPE
        if request is not None:
            request.accepted_renderer, request.accepted_media_type = JSONRenderer(), CONTENT_TYPE
    return response


def _unexpected(error: Exception, context: dict[str, Any]) -> Response:
    if settings.DEBUG:
        raise error
    set_rollback()
    request = context.get("request")
    logger.exception("unexpected error at %s", getattr(request, "path", ""), exc_info=error)
    body = problem(500, _("An unexpected error occurred. The log has the details."))
    return as_problem(Response(body, status=500), context)


def _messages(error: DjangoValidationError) -> dict[str, list[str]] | list[str]:
    if hasattr(error, "error_dict"):
        return {
            api_settings.NON_FIELD_ERRORS_KEY if field == NON_FIELD_ERRORS else field: messages
            for field, messages in error.message_dict.items()
        }
    return error.messages


def _type(error: Exception) -> str:
    code = getattr(error, "default_code", None) or "about:blank"
    return code if code == "about:blank" else str(code).replace("_", "-")


def _is_whole(key: Any) -> bool:
    return key == api_settings.NON_FIELD_ERRORS_KEY


def _join(path: str, key: str | int) -> str:
    if isinstance(key, int):
        return f"{path}[{key}]"
    return f"{path}.{key}" if path else key


def too_large(request: HttpRequest) -> HttpResponse:
    """Return a 413, as a problem or as a page."""
    detail = str(TooLarge.default_detail)
    if request.path.startswith(PREFIXES):
        body = problem(413, detail, type=TooLarge.default_code)
        return JsonResponse(body, status=413, content_type=CONTENT_TYPE)
    context = {"title": _("Too large"), "text": detail}
    return render(request, "public/message.html", context, status=413)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler400"""
    if isinstance(exception, TOO_LARGE):
        return too_large(request)
    if not request.path.startswith(PREFIXES):
        return defaults.bad_request(request, exception)
    body = problem(400, _("The request is invalid."))
    return JsonResponse(body, status=400, content_type=CONTENT_TYPE)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler404"""
    if not request.path.startswith(PREFIXES):
        return defaults.page_not_found(request, exception)
    body = problem(404, _("There is nothing at this address."))
    return JsonResponse(body, status=404, content_type=CONTENT_TYPE)


def server_error(request: HttpRequest) -> HttpResponse:
    """handler500"""
    if not request.path.startswith(PREFIXES):
        return defaults.server_error(request)
    body = problem(500, _("Something went wrong on our side; it is in the log."))
    return JsonResponse(body, status=500, content_type=CONTENT_TYPE)
