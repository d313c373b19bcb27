"""Outgoing calls reach only public addresses, time out, and are logged without secrets."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler

import pytest
import requests
from django.test import Client
from pytest_django import Settings

from crm.outbound import guard
from crm.outbound.models import ExternalServiceLog
from crm.outbound.session import Refused, ResponseTooLong, Session, never_sent
from tests.http_stub import Stub, serving

pytestmark = pytest.mark.django_db


@pytest.fixture
def stub() -> Iterator[Stub]:
    with serving() as stub:
        yield stub


@pytest.fixture
def allow_private(settings: Settings) -> None:
    settings.OUTBOUND_ALLOW_PRIVATE = True


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.1", "192.168.1.1", "172.16.0.1", "169.254.169.254", "0.0.0.0", "100.64.0.1", "224.0.0.1",
        "::1", "fe80::1%eth0", "fd00::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::",
        "::7f00:1", "::ffff:0:7f00:1", "64:ff9b:1::7f00:1", "fec0::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "fd00:ec2::254",
        "100.100.100.200", "168.63.129.16", "192.0.0.192", "198.18.0.1", "255.255.255.255",
    ],
)  # fmt: skip
def test_addresses_of_the_own_network_are_not_public(address: str) -> None:
    assert not guard.is_public(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:4700::1111", "64:ff9b::5db8:d822"])
def test_other_addresses_are_public(address: str) -> None:
    assert guard.is_public(address)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::1]"])
def test_a_call_to_localhost_is_refused_in_any_spelling(stub: Stub, host: str) -> None:
    with Session("test") as session, pytest.raises(requests.RequestException) as caught:
        session.get(f"http://{host}:{stub.port}/")

    assert never_sent(caught.value)
    assert stub.requests == []


def test_the_connection_uses_the_checked_address(
    stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Resolve a name that is public when checked and private a moment later (DNS rebinding)."""
    answers = iter(["93.184.216.34", "127.0.0.1"])
    asked = []
    real = socket.getaddrinfo

    def rebinding(host: str, *args: object, **options: object) -> object:
        asked.append(host)
        return real(next(answers) if host == "rebind.example" else host, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)

    assert guard.checked("rebind.example", 80) == ["93.184.216.34"]
    with Session("test") as session, pytest.raises(Refused):
        session.get(f"http://rebind.example:{stub.port}/")
    assert asked == ["rebind.example"] * 2
    assert stub.requests == []


def test_a_redirect_is_not_followed(stub: Stub, allow_private: None) -> None:
    stub.answer = (302, {"Location": "http://10.0.0.1/"}, "")
    with Session("test") as session:
        assert session.post(f"{stub.url}/").status_code == 302


def test_a_followed_redirect_to_the_own_network_is_refused(
    stub: Stub, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "is_public", lambda address: address == "127.0.0.1")
    stub.answer = (302, {"Location": "http://10.0.0.1/"}, "")
    with Session("test") as session, pytest.raises(Refused):
        session.get(f"{stub.url}/", allow_redirects=True)


def test_an_invalid_url_is_refused() -> None:
    with Session("test") as session, pytest.raises(Refused):
        session.get("file:///etc/passwd")


def test_a_call_is_logged_without_path_or_secret(stub: Stub, allow_private: None) -> None:
    stub.answer = (401, {}, "the token s3cret is wrong")
    with Session("chat", account="snd_1", secrets=["s3cret"]) as session:
        session.post(f"{stub.url}/hook/abc?key=def", data="s3cret")

    note = ExternalServiceLog.objects.get()
    assert (note.service, note.account, note.method) == ("chat", "snd_1", "POST")
    assert (note.target, note.status) == (stub.url, 401)
    assert note.error == "the token ••• is wrong"
    assert note.request_body == note.response_body == ""


def test_bodies_are_logged_by_setting_and_never_secrets(
    stub: Stub, allow_private: None, settings: Settings
) -> None:
    settings.OUTBOUND_LOG_BODIES = True
    stub.answer = (200, {}, "hello s3cret")
    with Session("chat", secrets=["s3cret"]) as session:
        session.post(stub.url, data="my s3cret")

    note = ExternalServiceLog.objects.get()
    assert (note.request_body, note.response_body) == ("my •••", "hello •••")
    assert note.error == ""


def test_a_refused_connection_is_reported_as_never_sent(allow_private: None) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        with Session("test") as session, pytest.raises(requests.ConnectionError) as caught:
            session.get(f"http://127.0.0.1:{port}/secret")

    assert never_sent(caught.value)
    note = ExternalServiceLog.objects.get()
    assert note.status is None
    assert "secret" not in note.error


def test_a_closed_connection_is_not_reported_as_never_sent(stub: Stub, allow_private: None) -> None:
    stub.answer = lambda handler: handler.connection.close()
    with Session("test") as session, pytest.raises(requests.RequestException) as caught:
        session.post(stub.url, data="x")
    assert not never_sent(caught.value)


def test_a_long_or_slow_response_is_aborted(stub: Stub, allow_private: None) -> None:
    stub.answer = (200, {}, "x" * 2_000_000)
    with Session("test") as session, pytest.raises(ResponseTooLong):
        session.get(stub.url)

    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        for _ in range(30):
            handler.wfile.write(b" ")
            handler.wfile.flush()
            time.sleep(0.1)

    stub.answer = drip
    started = time.monotonic()
    with Session("test", seconds=0.5) as session, pytest.raises(requests.Timeout):
        session.get(stub.url)
    assert time.monotonic() - started < 2


def test_the_log_is_read_only(staff_client: Client, stub: Stub, allow_private: None) -> None:
    with Session("chat", account="snd_1") as session:
        session.get(stub.url)
    page = staff_client.get("/admin/outbound/externalservicelog/")
    assert page.status_code == 200
    assert stub.url in page.content.decode()
    assert staff_client.get("/admin/outbound/externalservicelog/add/").status_code == 403
