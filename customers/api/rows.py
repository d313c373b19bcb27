"""Rows sent over the API: read with alternative names, then written one by one, in a batch, or by an import job (`?mode=async`)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, TypeVar

from django.core.files.base import ContentFile
from django.db import transaction
from django.http import QueryDict
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, PolymorphicProxySerializer
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.settings import api_settings

from crm import masking
from crm.accounts import audit
from crm.accounts.current_user import user_of
from crm.accounts.models import Scope
from crm.api import rights
from customers.api.serializers import BatchResultSerializer, ImportSerializer, OutcomeSerializer
from customers.clean import dates
from customers.ingest import (
    CALL,
    CUSTOMER,
    DATES,
    NO_OPT_IN,
    PRODUCT,
    OrderResult,
    Outcome,
    Reading,
    Refused,
    Result,
    UnreadableFile,
    file_type,
    queue_import,
    refuse_opt_ins,
    sample,
)
from customers.models import ImportJob

MOST_ITEMS = 10_000

CUSTOMER_SPELLINGS = {
    "id": "external_id",
    "externalId": "external_id",
    "totalSpends": "total_spend",
    "totalSpend": "total_spend",
    "visits": "visit_count",
    "lastVisit": "last_visit_at",
}
PRODUCT_SPELLINGS = {"id": "sku"}
READ_ONLY = frozenset(
    {
        *("average_order_value", "first_order_at", "last_order_at", "last_interaction_at"),
        *("opted_out_channels", "opted_out_topics", "paused_until", "created_at", "updated_at"),
    }
)
"""Read-only fields, ignored so that a response can be sent back."""


MODE = OpenApiParameter(
    "mode",
    str,
    enum=["async"],
    description="async: answers 202 with a job, whose progress is at /api/imports/.",
)
DATE_ORDER = OpenApiParameter(
    "dates",
    str,
    enum=[*DATES],
    description="What 1/2/2025 means. By default as DATE_ORDER states it; without either, such a date is refused.",
)
BATCH_ANSWERS = {
    200: BatchResultSerializer,
    202: ImportSerializer,
    207: BatchResultSerializer,
}


NAMES_A_CUSTOMER = ("customer_id", "customerId", "customer")


def one_or_many(one: type[Serializer[Any]], *, is_outcome: bool = False) -> dict[int, Any]:
    """Return the answers of an endpoint that takes one object or a batch; `is_outcome` where `one` is itself no more than that."""
    outcome = () if is_outcome else (OutcomeSerializer,)
    return {
        **BATCH_ANSWERS,
        200: _any_of(one, "OrBatchResult", *outcome, BatchResultSerializer),
        201: one if is_outcome else _any_of(one, "OrOutcome", *outcome),
    }


def one_alone(one: type[Serializer[Any]]) -> dict[int, Any]:
    """Return the answers of an endpoint that takes one object."""
    return dict.fromkeys((200, 201), _any_of(one, "OrOutcome", OutcomeSerializer))


def _any_of(
    one: type[Serializer[Any]], others: str, *more: type[Serializer[Any]]
) -> PolymorphicProxySerializer:
    return PolymorphicProxySerializer(
        component_name=f"{one.__name__.removesuffix('Serializer')}{others}",
        serializers=[one, *more],
        resource_type_field_name=None,
    )


R = TypeVar("R")
Read = Callable[[Any], R]
"""Reads a sent object as a row. Raises Refused."""


W = TypeVar("W", Result, OrderResult)
Write = Callable[[list[R]], Sequence[W]]


WRITTEN = frozenset({Outcome.CREATED.value, Outcome.UPDATED.value})


def an_object(data: Any) -> dict[str, Any]:
    """Return the body as a plain object. Raises ValidationError."""
    if isinstance(data, QueryDict):
        return {name: value for name, value in data.dict().items() if value != ""}
    if not isinstance(data, Mapping):
        raise ValidationError(_("Send an object."))
    return dict(data)


def a_list(data: Any, name: str) -> list[Any]:
    """Return the items of a batch: the body, or its list of this name. Raises ValidationError."""
    items = data.get(name) if isinstance(data, Mapping) else data
    if not isinstance(items, list):
        raise ValidationError({name: [_("Send a list.")]})
    if len(items) > MOST_ITEMS:
        raise ValidationError({name: [_("At most %d at a time.") % MOST_ITEMS]})
    return items


def customer_fields(data: Any) -> dict[str, object]:
    """Rename the fields of a customer to ours. Raises Refused for an unknown one."""
    return known_fields(data, CUSTOMER_SPELLINGS, CUSTOMER)


def product_fields(data: Any) -> dict[str, object]:
    """Rename the fields of a product to ours. Raises Refused for an unknown one."""
    return known_fields(data, PRODUCT_SPELLINGS, PRODUCT)


def order_of_dates(request: Request) -> AbstractContextManager[None]:
    """Return a block in which dates are read in the order that the call states."""
    return dates.stated_order(request.query_params.get("dates", ""))


def write_one(
    request: Request, data: Any, read: Read[R], write: Write[R, W], *, field: str = ""
) -> W:
    """Read and write one object. Raises ValidationError; `field` is at fault where the row cannot be written."""
    _refuse_addresses([data])
    try:
        with order_of_dates(request):
            row = read(data)
        (result,) = write([row])
        if result.pk is None:
            raise Refused(result.reason, field)
    except Refused as refused:
        raise as_validation_error(refused) from None
    return result


def answer(request: Request, result: Result | OrderResult, body: Mapping[str, Any]) -> Response:
    """Answer 201 where the object was created, else 200; a token that may not read gets the outcome alone."""
    if not rights.has_scope(request, Scope.READ, Scope.WRITE):
        named = {name: body[name] for name in ("id",) if name in body}
        body = {**named, "status": result.outcome.value}
    return Response(body, status=201 if result.outcome is Outcome.CREATED else 200)


def refuse_opt_in(request: Request, row: Mapping[str, Any]) -> None:
    """Refuse a row of a customer that opts in, where the token may not. Raises Refused."""
    if rights.has_scope(request, Scope.WRITE):
        return
    for wish in row.get("consents", {}).values():
        if wish.wanted:
            raise Refused(str(NO_OPT_IN), wish.source.removeprefix(CALL))


def refuse_consent_columns(request: Request, mapping: Mapping[str, str]) -> None:
    """Refuse a file with columns of consent, where the token may not opt in. Raises Refused."""
    if not rights.has_scope(request, Scope.WRITE):
        refuse_opt_ins(mapping)


def write_batch(
    request: Request,
    items: list[Any],
    read: Read[R],
    write: Write[R, W],
    body_of: Callable[[R, W], dict[str, Any]],
    *,
    field: str = "",
) -> Response:
    """Read and write the objects, of which invalid ones fail alone; answer 207 where some failed.

    `body_of` names a row that was written, beside its outcome.
    """
    _refuse_addresses(items)
    results: list[dict[str, Any]] = [{} for _item in items]
    rows: dict[int, R] = {}
    for place, item in enumerate(items):
        try:
            with order_of_dates(request):
                rows[place] = read(item)
        except Refused as refused:
            results[place] = _failure(place, refused)
    for (place, row), result in zip(rows.items(), write(list(rows.values())), strict=True):
        if result.pk is None:
            results[place] = _failure(place, Refused(result.reason, field))
        else:
            outcome = {"index": place, "status": result.outcome.value}
            results[place] = outcome | body_of(row, result)
    written = [result for result in results if result["status"] in WRITTEN]
    audit.describe(written=len(written), ids=[result["id"] for result in written if "id" in result])
    counts = Counter(result["status"] for result in results)
    body = {outcome.value: counts[outcome.value] for outcome in Outcome} | {"results": results}
    return Response(body, status=207 if counts["failed"] else 200)


def is_async(request: Request) -> bool:
    return request.query_params.get("mode") == "async"


def queue_rows(
    request: Request, kind: str, rows: Iterable[dict[str, Any]], *, create_missing: bool = False
) -> Response:
    """Queue rows with the fields of a file type. Raises ValidationError where none of them can be imported."""
    items = list(rows)
    _refuse_addresses(items)
    text = "".join(f"{json.dumps(row)}\n" for row in items)
    job = ImportJob(
        kind=kind,
        name=f"api-{kind}.jsonl",
        created_by=user_of(request),
        create_missing=create_missing,
    )
    job.file.save(job.name, ContentFile(text.encode()), save=False)
    reading = Reading(dates=request.query_params.get("dates", ""))
    try:
        seen = sample(job.file.path, reading)
        mapping = file_type(kind).guess_mapping(seen.header, seen.rows)
        refuse_consent_columns(request, mapping)
        with transaction.atomic():
            job.save()
            queue_import(job, mapping, reading)
    except (UnreadableFile, Refused) as error:
        job.file.delete(save=False)
        refused = error if isinstance(error, Refused) else Refused(str(error))
        raise as_validation_error(refused) from None
    job.refresh_from_db()
    queued = ImportSerializer(job).data
    audit.describe(queued["id"], queued=text.count("\n"))
    return Response(queued, status=202)


def _refuse_addresses(items: Iterable[Any]) -> None:
    """Raise PermissionDenied for items that name a customer by an address that the user would see masked."""
    for item in items if masking.is_on() else ():
        named = [item.get(name) for name in NAMES_A_CUSTOMER] if isinstance(item, Mapping) else []
        if any(isinstance(each, str) and masking.identifier(each) != each for each in named):
            masking.refuse()


def as_validation_error(refused: Refused) -> ValidationError:
    return ValidationError(
        {refused.field or api_settings.NON_FIELD_ERRORS_KEY: [ValueError.__str__(refused)]}
    )


def _failure(index: int, refused: Refused) -> dict[str, Any]:
    """Return the result of a failed item of a batch."""
    return {
        "index": index,
        "status": "failed",
        "errors": [{"path": refused.field, "message": ValueError.__str__(refused)}],
    }


def item_errors(items: Sequence[str], bad: Iterable[str], message: str) -> list[dict[str, Any]]:
    """Return index and reason of each bad item of a list."""
    refused = set(bad)
    return [
        {"index": index, "message": message} for index, item in enumerate(items) if item in refused
    ]


def known_fields(
    data: Any, spellings: Mapping[str, str], fields: Mapping[str, Any]
) -> dict[str, object]:
    """Rename the fields of an object to ours. Raises Refused for an unknown one."""
    if not isinstance(data, Mapping):
        raise Refused(_("Send an object."))
    found: dict[str, object] = {}
    for name, value in data.items():
        field = spellings.get(name, name)
        if field in READ_ONLY:
            continue
        if field not in fields and field != "attributes":
            raise Refused(_("There is no such field. Put free values under attributes."), str(name))
        found[field] = value
    return found


def renamed(items: list[Any], spellings: Mapping[str, str]) -> list[dict[str, Any]]:
    """Rename the fields of items, unchecked. Raises ValidationError for an item that is not an object."""
    for place, item in enumerate(items):
        if not isinstance(item, Mapping):
            raise as_validation_error(Refused(_("Send an object."), f"[{place}]"))
    return [{spellings.get(name, name): value for name, value in item.items()} for item in items]
