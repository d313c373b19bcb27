"""Every response of a mail server maps to one of four results."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Thread

import pytest
from pytest_django import Settings

from marketing.channels import registry
from marketing.channels.base import Message, PermanentError, TransientError, UncertainError
from marketing.channels.mime import as_bytes, message_id
from marketing.models import Sender
from tests.smtp_sink import Sink

SENDER = Sender(name="Shop", from_name="The Shop", from_address="hello@shop.example")


def message(to: str = "ada@example.com", **parts: str) -> Message:
    return Message(
        key="msg_abc",
        to_address=to,
        to_name=parts.get("to_name", "Ada Lovelace"),
        from_address="hello@shop.example",
        from_name="The Shop",
        reply_to="",
        subject=parts.get("subject", "Hello"),
        html=parts.get("html", "<p>Hello</p>"),
        text="Hello",
        headers={"List-Unsubscribe": "<https://shop.example/u/1>"},
    )


def test_a_message_arrives_with_its_parts_and_headers(sink: Sink) -> None:
    with registry.get_provider("smtp").connect(SENDER) as connection:
        receipt = connection.send(message())

    (arrived,) = sink.messages()
    assert arrived["Message-ID"] == receipt.provider_id == "<msg_abc@shop.example>"
    assert arrived["List-Unsubscribe"] == "<https://shop.example/u/1>"
    assert arrived["To"] == "Ada Lovelace <ada@example.com>"
    assert [part.get_content_type() for part in arrived.iter_parts()] == ["text/plain", "text/html"]


def test_one_session_carries_many_messages(sink: Sink) -> None:
    with registry.get_provider("smtp").connect(SENDER) as connection:
        for number in range(5):
            connection.send(message(f"p{number}@example.com"))

    assert len(sink.arrived) == 5


def test_any_script_and_leading_dots_survive(sink: Sink) -> None:
    html = "<p>Grüße, 你好</p>\n.\n..leading dots\n" + "long " * 400
    with registry.get_provider("smtp").connect(SENDER) as connection:
        connection.send(message(html=html, subject="Überraschung für 李"))

    (arrived,) = sink.messages()
    body = arrived.get_body(("html",))
    assert body is not None
    assert body.get_content().replace("\r\n", "\n").rstrip("\n") == html.rstrip("\n")
    assert arrived["Subject"] == "Überraschung für 李"


@pytest.mark.parametrize("name", ["Ada\r\nBcc: all@example.com", 'Ada "the first" <x@y.z>', "李雷"])
def test_a_name_cannot_add_headers_or_recipients(sink: Sink, name: str) -> None:
    with registry.get_provider("smtp").connect(SENDER) as connection:
        connection.send(message(to_name=name))

    (arrived,) = sink.messages()
    assert arrived["Bcc"] is None
    assert [address.addr_spec for address in arrived["To"].addresses] == ["ada@example.com"]


def test_a_4xx_response_is_transient(sink: Sink) -> None:
    sink.refusals["ada@example.com"] = "450 4.2.0 greylisted"
    with (
        registry.get_provider("smtp").connect(SENDER) as connection,
        pytest.raises(TransientError, match="450"),
    ):
        connection.send(message())


def test_an_unknown_mailbox_is_permanent_and_blames_the_address(sink: Sink) -> None:
    sink.refusals["ada@example.com"] = "550 5.1.1 no such user"
    with (
        registry.get_provider("smtp").connect(SENDER) as connection,
        pytest.raises(PermanentError) as caught,
    ):
        connection.send(message())
    assert caught.value.address_is_bad


def test_refused_content_does_not_blame_the_address(sink: Sink) -> None:
    sink.after_data["ada@example.com"] = "554 5.7.1 looks like spam"
    with (
        registry.get_provider("smtp").connect(SENDER) as connection,
        pytest.raises(PermanentError) as caught,
    ):
        connection.send(message())
    assert not caught.value.address_is_bad


def test_a_connection_lost_after_data_is_uncertain(sink: Sink) -> None:
    sink.after_data["ada@example.com"] = "drop"
    with registry.get_provider("smtp").connect(SENDER) as connection, pytest.raises(UncertainError):
        connection.send(message())


def test_the_session_survives_any_failure(sink: Sink) -> None:
    sink.refusals["busy@example.com"] = "421 closing"
    sink.after_data["dropped@example.com"] = "drop"
    with registry.get_provider("smtp").connect(SENDER) as connection:
        for address in ["busy@example.com", "dropped@example.com"]:
            with pytest.raises((TransientError, UncertainError)):
                connection.send(message(address))
        connection.send(message())
    assert sink.recipients()["ada@example.com"] == 1


def test_an_unreachable_server_is_transient(settings: Settings) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        settings.EMAIL_HOST, settings.EMAIL_PORT = unused.getsockname()
        with pytest.raises(TransientError, match="cannot be reached"):
            registry.get_provider("smtp").connect(SENDER)


def sender_at(url: str) -> Sender:
    return Sender(name="Own", from_address="hello@shop.example", settings={"url": url})


@contextmanager
def talking(*lines: bytes) -> Iterator[int]:
    """Serve one connection that says each line after what it hears, then hangs up; yield the port."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def talk() -> None:
            with suppress(OSError), server.accept()[0] as connection:
                for line in lines:
                    connection.sendall(line)
                    connection.recv(1000)

        thread = Thread(target=talk, daemon=True)
        thread.start()
        yield server.getsockname()[1]
    thread.join(5)


@pytest.mark.parametrize("scheme", ["smtp", "smtp+tls", "smtp+ssl"])
@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "2130706433",
        "0x7f.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "0",
        "nowhere.invalid",
    ],
)
def test_a_sender_reaches_no_private_server(sink: Sink, scheme: str, host: str) -> None:
    sender = sender_at(f"{scheme}://user:password@{host}:{sink.port}")
    with pytest.raises(TransientError) as caught:
        registry.get_provider("smtp").connect(sender)
    assert str(caught.value) == "The mail server cannot be reached: it has no public address."
    assert sink.connections == 0


def test_the_server_of_the_site_may_be_private(sink: Sink) -> None:
    registry.get_provider("smtp").connect(SENDER).close()
    assert sink.connections == 1


def test_a_name_that_resolves_anew_gains_nothing(
    sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Resolve a name that is public when checked and private a moment later (DNS rebinding)."""
    answers = iter(["93.184.216.34", "127.0.0.1"])
    tried: list[object] = []
    real = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, *rest, **more: real(next(answers), *rest, **more)
    )

    def refused(address: tuple[str, int], *rest: object) -> socket.socket:
        tried.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", refused)
    for expected in ("refused", "no public address"):
        with pytest.raises(TransientError, match=expected):
            registry.get_provider("smtp").connect(sender_at(f"smtp://rebind.example:{sink.port}"))
    assert tried == ["93.184.216.34"]


GREETED = b"220 mail.corp.example ESMTP\r\n"


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([b"SSH-2.0-OpenSSH_9.2 corp\r\n"], "does not answer by SMTP"),
        ([b"-ERR corp wants a password\r\n"], "does not answer by SMTP"),
        ([b"HTTP/1.1 400 corp\r\n\r\n"], "does not answer by SMTP"),
        ([b"\x00\x15corp MySQL 8.0\r\n"], "does not answer by SMTP"),
        ([b"220 " + b"corp" * 9000], r"\(5xx\)"),
        ([b""], "does not answer by SMTP"),
        ([b"554 corp.example: go away\r\n"], r"\(5xx\)"),
        ([b"421-corp\r\n421 corp later\r\n"], r"\(4xx\)"),
        ([b"200 corp\r\n"], r"\(2xx\)"),
        ([GREETED, b"550 corp\r\n", b"550 corp\r\n"], r"\(5xx\)"),
        ([GREETED, b"corp\r\n", b"corp\r\n"], "does not answer by SMTP"),
        (
            [GREETED, b"250-corp\r\n250 AUTH PLAIN\r\n", b"535 corp says no\r\n"],
            r"user and password \(5xx\)",
        ),
        ([GREETED, b"250 corp\r\n"], "does not support"),
    ],
)
def test_what_listens_there_is_not_echoed(
    lines: list[bytes], said: str, settings: Settings
) -> None:
    settings.OUTBOUND_ALLOW_PRIVATE, settings.EMAIL_TIMEOUT = True, 5
    with talking(*lines) as port, pytest.raises(TransientError, match=said) as caught:
        registry.get_provider("smtp").connect(sender_at(f"smtp://user:password@127.0.0.1:{port}"))
    assert "corp" not in str(caught.value)


def test_tls_with_a_server_without_it_fails(settings: Settings) -> None:
    settings.OUTBOUND_ALLOW_PRIVATE, settings.EMAIL_TIMEOUT = True, 5
    with talking(GREETED) as port, pytest.raises(TransientError, match="TLS failed"):
        registry.get_provider("smtp").connect(sender_at(f"smtp+ssl://127.0.0.1:{port}"))


def test_an_unsupported_address_is_permanent(sink: Sink) -> None:
    with registry.get_provider("smtp").connect(SENDER) as connection, pytest.raises(PermanentError):
        connection.send(message("ädä@example.com"))


def test_the_message_id_is_the_same_on_every_attempt() -> None:
    assert message_id(message()) == message_id(message())
    assert as_bytes(message()).count(b"Message-ID: <msg_abc@shop.example>") == 1
