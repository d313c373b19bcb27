"""A body over the limit is a 413 for people and programs, at every door."""

from __future__ import annotations

import gzip
import random
from io import BytesIO
from socket import socketpair
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.wsgi import get_wsgi_application
from django.test import Client, RequestFactory
from pytest_django import Settings
from rest_framework.test import APIClient

from crm.accounts import tokens
from crm.accounts.models import User
from crm.api import body_limits
from crm.api.body_limits import ChunkedBodies, TimelyBodies, limit_of
from customers import tracking_api

pytestmark = pytest.mark.django_db

LIMIT = 1000
FORM = "application/x-www-form-urlencoded"


@pytest.fixture(autouse=True)
def _low_limits(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = LIMIT
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 20
    settings.DATA_UPLOAD_MAX_NUMBER_FILES = 2
    monkeypatch.setattr(body_limits, "ANYBODY", LIMIT)


class Endless:
    """A body that may be read in blocks alone, and is discarded for some time."""

    sent = 0

    def read(self, size: int = -1) -> bytes:
        assert 0 <= size <= body_limits.BLOCK
        self.sent += size
        return b"x" * size

    readline = read


def bearer(user: User) -> Client:
    return Client(
        headers={
            "Authorization": f"Bearer {tokens.issue(user, scopes=['read', 'write', 'ingest'])[1]}"
        }
    )


@pytest.mark.parametrize(
    "path", ["/api/customers", "/api/customers/batch", "/api/segments/preview", "/api/nothing"]
)
@pytest.mark.parametrize(
    "content_type", ["application/json", FORM, "text/plain", "multipart/form-data; boundary=x"]
)
def test_a_program_gets_a_problem(path: str, content_type: str) -> None:
    answer = Client().post(path, b"x" * (LIMIT + 1), content_type)
    assert answer.status_code == 413
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["status"] == 413
    assert answer.json()["type"] == "too-large"


@pytest.mark.parametrize(
    "path", ["/accounts/login/", "/admin/customers/importjob/add/", "/u/x/", "/nothing/"]
)
def test_a_person_gets_a_page(path: str) -> None:
    answer = Client().post(path, b"x" * (LIMIT + 1), FORM)
    assert answer.status_code == 413
    assert b"larger than the limit" in answer.content
    assert answer.headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("path", ["/api/customers", "/accounts/login/", "/admin/", "/hooks/x/1/"])
def test_it_is_discarded_for_some_time_in_blocks(path: str) -> None:
    size, body = str(1024 * 1024 * 1024), Endless()
    answer = Client().generic("POST", path, b"", FORM, CONTENT_LENGTH=size, **{"wsgi.input": body})
    assert answer.status_code == 413
    assert 0 < body.sent <= body_limits.DISCARDED


def test_many_fields_and_files_are_too_large(staff: User) -> None:
    fields = {f"f{n}": "" for n in range(30)}
    files = {f"f{n}": SimpleUploadedFile("a", b"") for n in range(5)}
    for client, path in ((bearer(staff), "/api/imports"), (Client(), "/accounts/login/")):
        for given in (fields, files):
            assert client.post(path, given).status_code == 413, path
    assert bearer(staff).post("/api/customers", "&".join(fields), FORM).status_code in {413, 415}


def test_users_alone_may_upload_files(
    staff: User, staff_client: Client, settings: Settings
) -> None:
    settings.IMPORT_MAX_FILE_MB = 1
    small, large = b"email\na@example.com\n" * 100, b"x" * (2 * 1024 * 1024 + 1)

    def upload(client: Client, content: bytes) -> int:
        given = {"kind": "customers", "file": SimpleUploadedFile("a.csv", content)}
        return client.post("/api/imports", given).status_code

    assert upload(bearer(staff), small) == 202
    assert upload(bearer(staff), large) == 413
    assert upload(Client(headers={"Authorization": "Bearer x"}), small) == 401
    assert upload(Client(), small) == 413
    add = {"kind": "customers", "file": SimpleUploadedFile("a.csv", large)}
    assert staff_client.post("/admin/customers/importjob/add/", add).status_code == 413


def test_gzip_of_v1_is_bounded_packed_and_unpacked() -> None:
    noise = random.Random(1).randbytes(tracking_api.LARGEST_BODY + 10)
    for body in (gzip.compress(b" " * (tracking_api.LARGEST_BODY + 1)), gzip.compress(noise)):
        answer = APIClient().generic(
            "POST", "/v1/batch", body, "application/json", HTTP_CONTENT_ENCODING="gzip"
        )
        assert answer.status_code == 413
        assert answer.json()["code"] == "too-large"
        assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_chunks_get_a_length_up_to_the_limit() -> None:
    seen: list[tuple[str, bytes]] = []

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        seen.append((environ["CONTENT_LENGTH"], environ["wsgi.input"].read()))
        return []

    for body in (b"x" * 10, b"x" * 10 * 1024 * 1024):
        environ = RequestFactory().post("/accounts/login/").environ
        del environ["CONTENT_LENGTH"]
        environ |= {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input": BytesIO(body)}
        ChunkedBodies(application)(environ, None)
    assert seen[0] == ("10", b"x" * 10)
    assert LIMIT < int(seen[1][0]) < 2 * 64 * 1024


def test_a_stalled_body_ends_with_408(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """In place of minutes the server waits for no time at all."""
    monkeypatch.setattr(body_limits, "STALLED_SECONDS", 0.1)
    ours, theirs = socketpair()
    with ours, theirs:
        theirs.sendall(b'{"')
        body = ours.makefile("rb")
        statuses: list[str] = []
        environ = {
            **RequestFactory()._base_environ(),
            "REQUEST_METHOD": "POST",
            "PATH_INFO": "/api/auth/token/",
            "CONTENT_TYPE": "application/json",
            "CONTENT_LENGTH": "1000",
            "wsgi.input": body,
            "gunicorn.socket": ours,
        }
        TimelyBodies(get_wsgi_application())(
            environ, lambda status, _headers: statuses.append(status)
        )
    assert statuses == ["408 Request Timeout"]


def test_every_area_has_a_limit() -> None:
    assert limit_of("/api/customers") == LIMIT
    assert limit_of("/api/auth/token") == body_limits.MIB
    assert limit_of("/anything") == LIMIT
    assert limit_of("/v1/batch") > tracking_api.LARGEST_BODY
