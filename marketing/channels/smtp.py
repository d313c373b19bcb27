"""E-mail over SMTP (RFC 5321), by the sender's own server or the EMAIL_* settings, one kept-alive session for a batch."""

from __future__ import annotations

import re
import smtplib
from email.header import Header
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.utils import formataddr, formatdate
from typing import Any
from urllib.parse import unquote, urlsplit

from django.core.mail import get_connection
from django.core.mail.backends.smtp import EmailBackend
from django.utils.translation import gettext_lazy as _

from customers.models import consent
from marketing.channels.base import (
    Account,
    Channel,
    Connection,
    Message,
    PermanentError,
    Receipt,
    Setting,
    TransientError,
    UncertainError,
)

SMTP_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
SCHEMES = {"smtp": 25, "smtp+tls": 587, "smtp+ssl": 465}
"""How a server is written, with the port where none is given."""

BARE_LINE_END = re.compile(rb"\r\n|\r|\n")
# 550 to 553 speak of the mailbox (RFC 5321, 4.2.3); 554 and 552 of the message or the server.
BAD_ADDRESS_CODES = {550, 551, 553}


class Smtp(Channel):
    name = "smtp"
    label = _("SMTP server")
    serves = frozenset({consent.Channel.EMAIL})
    settings = (
        Setting(
            "url",
            _("Server"),
            secret=True,
            required=False,
            help=_("smtp+tls://user:password@mail.example.com:587; empty: the site's EMAIL_URL."),
        ),
    )

    def validate(self, sender: Account) -> dict[str, str]:
        problems = super().validate(sender)
        try:
            if not problems:
                _backend(sender)
        except ValueError as error:
            problems["url"] = str(error)
        return problems

    def connect(self, sender: Account) -> SmtpConnection:
        return SmtpConnection(_backend(sender))


class SmtpConnection(Connection):
    """An SMTP session that knows at each failure whether the message may have been taken.

    smtplib's own sendmail() does not tell a connection lost before DATA (try again) from one lost after it (never again), so the
    transaction is spoken here step by step.
    """

    def __init__(self, backend: EmailBackend) -> None:
        self._backend = backend
        self._open()

    def send(self, message: Message) -> Receipt:
        content = mime(message)
        smtp = self._session()
        try:
            self._expect_sender(smtp.mail(_ascii(message.from_address)))
            self._expect(smtp.rcpt(_ascii(message.to_address)), 250, 251, about_address=True)
            self._expect(smtp.docmd("DATA"), 354)
        except (smtplib.SMTPServerDisconnected, OSError) as error:
            self.close()
            raise TransientError(f"Connection lost before the message was sent: {error}") from error
        try:
            smtp.send(_dot_stuffed(content))
            code, reply = smtp.getreply()
        except (smtplib.SMTPServerDisconnected, OSError) as error:
            self.close()
            raise UncertainError(f"Connection lost after the message was sent: {error}") from error
        if code < 0:
            self.close()
            raise UncertainError(f"The server's answer to the message is no SMTP: {reply!r}")
        self._expect((code, reply), 250)
        return Receipt(provider_id=message_id(message))

    def close(self) -> None:
        self._backend.close()

    def _open(self) -> None:
        try:
            self._backend.open()
            self._session().ehlo_or_helo_if_needed()
        except (smtplib.SMTPException, OSError) as error:
            self.close()
            raise TransientError(f"The mail server cannot be reached: {error}") from error

    def _expect_sender(self, answer: tuple[int, bytes]) -> None:
        """A refusal of the sender is no recipient's fault, so it is worth another try once somebody has mended it."""
        try:
            self._expect(answer, 250)
        except PermanentError as error:
            raise TransientError(f"The sender was refused: {error}") from error

    def _session(self) -> smtplib.SMTP:
        if self._backend.connection is None:
            self._open()
        session = self._backend.connection
        assert session is not None
        return session

    def _expect(self, answer: tuple[int, bytes], *wanted: int, about_address: bool = False) -> None:
        code, reply = answer
        if code in wanted:
            return
        said = f"{code} {reply.decode('utf-8', 'replace')}"
        self._reset(code)
        if 400 <= code < 500:
            raise TransientError(said)
        raise PermanentError(said, address_is_bad=about_address and code in BAD_ADDRESS_CODES)

    def _reset(self, code: int) -> None:
        """Make the session ready for the next message, or drop it when the server is leaving (421)."""
        try:
            if code == 421 or code < 0:
                self.close()
            elif self._backend.connection is not None:
                self._backend.connection.rset()
        except (smtplib.SMTPServerDisconnected, OSError):
            self.close()


def _backend(sender: Account) -> EmailBackend:
    """Raises ValueError for a server that is given by no SMTP address."""
    url = sender.setting("url")
    backend = get_connection(SMTP_BACKEND, **(_server(url) if url else {}))
    assert isinstance(backend, EmailBackend)
    return backend


def _server(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    if parts.scheme not in SCHEMES or not parts.hostname:
        raise ValueError(_("This is no mail server: smtp+tls://user:password@mail.example.com:587"))
    return {
        "host": parts.hostname,
        "port": parts.port or SCHEMES[parts.scheme],
        "username": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "use_tls": parts.scheme == "smtp+tls",
        "use_ssl": parts.scheme == "smtp+ssl",
    }


def message_id(message: Message) -> str:
    """The Message-ID (RFC 5322, 3.6.4): the same on every attempt, because it is made of the message's key."""
    domain = message.from_address.rpartition("@")[2] or "localhost"
    return f"<{message.key}@{domain}>"


def mime(message: Message) -> bytes:
    """The message as bytes: multipart/alternative of plain text and HTML."""
    root = MIMEMultipart("alternative")
    root["Message-ID"] = message_id(message)
    root["Date"] = formatdate()
    root["Subject"] = Header(_one_line(message.subject), "utf-8").encode()
    root["From"] = _mailbox(message.from_name, message.from_address)
    root["To"] = _mailbox(message.to_name, message.to_address)
    if message.reply_to:
        root["Reply-To"] = _one_line(message.reply_to)
    for name, value in message.headers.items():
        root[name] = value
    root.attach(MIMEText(message.text, "plain", "utf-8"))
    root.attach(MIMEText(message.html, "html", "utf-8"))
    return root.as_bytes()


def _mailbox(name: str, address: str) -> str:
    return formataddr((_one_line(name), _ascii(address)))


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _ascii(address: str) -> str:
    """The address as servers without SMTPUTF8 take it. Raises PermanentError for a non-ASCII mailbox name."""
    local, at, domain = address.strip().rpartition("@")
    try:
        local.encode("ascii")
        return f"{local}{at}{domain.encode('idna').decode()}"
    except UnicodeError as error:
        raise PermanentError(f"Not an address for mail: {address}", address_is_bad=True) from error


def _dot_stuffed(content: bytes) -> bytes:
    """The content as DATA wants it (RFC 5321, 4.5.2): CRLF ends, leading dots doubled, a dot alone at the end."""
    lines = BARE_LINE_END.sub(b"\r\n", content).replace(b"\r\n.", b"\r\n..")
    return lines.rstrip(b"\r\n") + b"\r\n.\r\n"
