"""Every endpoint accepts idempotency keys, returns ETags of single objects and exports its list."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from drf_spectacular.generators import EndpointEnumerator
from rest_framework.test import APIClient

from crm.api.endpoint import Endpoint
from crm.api.lists import Lists

OTHERWISE = {
    "/v1/{kind}/",  # messages have ids of their own
    "/api/auth/login/",
    "/api/auth/logout/",
    "/api/auth/token/",
}


def endpoints() -> Iterator[tuple[str, str, Any, dict[str, Any]]]:
    for path, _regex, method, callback in EndpointEnumerator().get_api_endpoints():
        actions = getattr(callback, "actions", None) or {}
        yield (
            path,
            method,
            callback.cls,
            {"action": actions.get(method.lower()), **callback.initkwargs},
        )


WRITES = sorted({(p, m, c) for p, m, c, _ in endpoints() if m != "GET"}, key=str)
LISTS = sorted(
    {
        p
        for p, m, c, given in endpoints()
        if m == "GET"
        and issubclass(c, Lists)
        and (given["action"] in (None, "list") or given.get("gives_rows"))
        and "{" not in p
    }
)


@pytest.mark.parametrize(("path", "method", "view"), WRITES, ids=str)
def test_writes_accept_idempotency_keys(path: str, method: str, view: Any) -> None:
    assert issubclass(view, Endpoint) or path in OTHERWISE


def test_single_objects_have_etags() -> None:
    for path, _method, view, given in endpoints():
        if given["action"] == "retrieve":
            assert issubclass(view, Endpoint), path


@pytest.mark.django_db
@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize(("kind", "type"), [("csv", "text/csv"), ("jsonl", "application/jsonl")])
def test_every_list_is_exported_as_a_file(api: APIClient, path: str, kind: str, type: str) -> None:
    answer = api.get(path, {"format": kind})
    assert answer.status_code == 200
    assert answer.streaming
    assert answer.headers["Content-Type"] == f"{type}; charset=utf-8"
    name = path.strip("/").rpartition("/")[2]
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}.{kind}"'
    b"".join(answer.streaming_content)


@pytest.mark.django_db
def test_every_list_endpoint_is_checked(api: APIClient) -> None:
    assert len(LISTS) > 25
    for path, method, view, given in endpoints():
        if method == "GET" and given["action"] == "list":
            assert issubclass(view, Lists), path
