"""Send e-mail over SMTP (RFC 5321), one session for a batch, by the sender's server or the EMAIL_* settings."""

from __future__ import annotations

import smtplib
import socket
import ssl
from collections.abc import Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import unquote, urlsplit

from django.core.mail.backends.smtp import EmailBackend
from django.utils.translation import gettext_lazy as _

from crm.outbound import guard
from customers.models import consent
from marketing.channels import mime
from marketing.channels.base import (
    Account,
    AccountError,
    Connection,
    Message,
    PermanentError,
    Provider,
    Receipt,
    Setting,
    TransientError,
    UncertainError,
)
from marketing.channels.receipts import ReceiptKind
from marketing.channels.refusals import kind_of_reply

SCHEMES = {"smtp": 25, "smtp+tls": 587, "smtp+ssl": 465}
"""How a server is written, with the port where none is given."""

DATA_WANTED = 354
GOOD = ({250}, {250, 251, 252}, {DATA_WANTED})
"""The codes that let go on, of MAIL, RCPT and DATA."""


class Smtp(Provider):
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
        if not sender.from_address:
            problems["from_address"] = str(_("Enter the address that recipients see."))
        try:
            if not problems:
                _backend(sender)
        except ValueError as error:
            problems["url"] = str(error)
        return problems

    def connect(self, sender: Account) -> SmtpConnection:
        return SmtpConnection(_backend(sender))


class SmtpConnection(Connection):
    """An SMTP session that knows at each failure whether the message may have been accepted.

    smtplib's own sendmail() does not tell a connection lost before DATA (try again) from one lost after it (never again), so the
    transaction is spoken here step by step.
    """

    def __init__(self, backend: EmailBackend) -> None:
        self._backend = backend
        self._open()

    def send(self, message: Message) -> Receipt:
        content = _dot_stuffed(mime.as_bytes(message))
        sender = mime.sender_address(message.from_address)
        recipient = mime.ascii_address(message.to_address)
        smtp = self._session()
        try:
            self._announce(smtp, sender, recipient)
        except (smtplib.SMTPServerDisconnected, OSError) as error:
            self.close()
            raise TransientError(f"Connection lost before the message was sent: {error}") from error
        try:
            smtp.send(content)
            code, reply = smtp.getreply()
        except (smtplib.SMTPServerDisconnected, OSError) as error:
            self.close()
            raise UncertainError(f"Connection lost after the message was sent: {error}") from error
        if code < 0:
            self.close()
            raise UncertainError("The server's answer to the message is no SMTP.")
        self._expect((code, reply), 250, sender=sender, recipient=recipient)
        return Receipt(provider_id=mime.message_id(message))

    def _announce(self, smtp: smtplib.SMTP, sender: str, recipient: str) -> None:
        """Sender, recipient and DATA, in one go where the server takes commands without waiting (RFC 2920). Raises SendError."""
        commands = [f"MAIL FROM:<{sender}>", f"RCPT TO:<{recipient}>", "DATA"]
        answers = self._ask(smtp, commands)
        if any(code < 0 for code, _reply in answers):
            self.close()
            raise TransientError("The server does not answer by SMTP.")
        refused = next((n for n, (code, _reply) in enumerate(answers) if code not in GOOD[n]), None)
        if refused is None:
            return
        if len(answers) == len(commands) and answers[-1][0] == DATA_WANTED:
            smtp.send(b".\r\n")  # to nobody: the server asked for content all the same
            smtp.getreply()
        if refused == 0:
            code, reply = answers[0]
            self._reset(code)
            raise AccountError(f"The sender was refused: {code} {reply.decode('utf-8', 'replace')}")
        self._expect(answers[refused], sender=sender, recipient=recipient)

    def _ask(self, smtp: smtplib.SMTP, commands: Sequence[str]) -> list[tuple[int, bytes]]:
        """Return the replies to the commands; without pipelining up to the first refusal."""
        if smtp.has_extn("pipelining"):
            smtp.send("".join(f"{command}\r\n" for command in commands))
            return [smtp.getreply() for _command in commands]
        answers = []
        for command, good in zip(commands, GOOD, strict=True):
            smtp.send(f"{command}\r\n")
            answers.append(smtp.getreply())
            if answers[-1][0] not in good:
                break
        return answers

    def close(self) -> None:
        self._backend.close()

    def _open(self) -> None:
        try:
            self._backend.open()
            self._session().ehlo_or_helo_if_needed()
        except (smtplib.SMTPException, guard.PrivateTarget, OSError) as error:
            with suppress(OSError):
                self.close()
            raise TransientError(f"The mail server cannot be reached: {_reason(error)}") from error

    def _session(self) -> smtplib.SMTP:
        if self._backend.connection is None:
            self._open()
        session = self._backend.connection
        assert session is not None
        return session

    def _expect(self, answer: tuple[int, bytes], *wanted: int, sender: str, recipient: str) -> None:
        """Raise the SendError of a refusal, which is the recipient's fault only where it proves that."""
        code, reply = answer
        if code in wanted:
            return
        text = reply.decode("utf-8", "replace")
        self._reset(code)
        kind = kind_of_reply(code, text, sender=sender, recipient=recipient)
        if kind == ReceiptKind.ACCOUNT:
            raise AccountError(f"{code} {text}")
        if 400 <= code < 500:
            raise TransientError(f"{code} {text}")
        raise PermanentError(f"{code} {text}", kind=kind)

    def _reset(self, code: int) -> None:
        """Make the session ready for the next message, or drop it when the server is leaving (421)."""
        try:
            if code == 421 or code < 0:
                self.close()
            elif self._backend.connection is not None:
                self._backend.connection.rset()
        except (smtplib.SMTPServerDisconnected, OSError):
            self.close()


class _Guarded(smtplib.SMTP):
    """Connects to public addresses alone; TLS still verifies the certificate of the name."""

    def _get_socket(self, host: str, port: int, timeout: float | None) -> socket.socket:
        return guard.connect(host, port, timeout)


class _GuardedTLS(smtplib.SMTP_SSL, _Guarded):
    pass


class _GuardedBackend(EmailBackend):
    @property
    def connection_class(self) -> type[smtplib.SMTP]:
        return _GuardedTLS if self.use_ssl else _Guarded


def _backend(sender: Account) -> EmailBackend:
    """Return the server of the sender, guarded, or that of EMAIL_URL, which may be private. Raises ValueError for an invalid one."""
    url = sender.setting("url")
    return _GuardedBackend(**_server(url)) if url else EmailBackend()


def _reason(error: Exception) -> str:
    """Return why no session began. The server's own words are left out, because they reveal services to users."""
    match error:
        case guard.PrivateTarget() | socket.gaierror():
            return str(_("it has no public address."))
        case smtplib.SMTPAuthenticationError(smtp_code=code):
            return str(_("it refused user and password (%sxx).")) % (code // 100)
        case smtplib.SMTPResponseException(smtp_code=code) if code > 0:
            return str(_("it refused the connection (%sxx).")) % (code // 100)
        case smtplib.SMTPNotSupportedError():
            return str(_("it does not support STARTTLS or the login."))
        case smtplib.SMTPException():
            return str(_("it does not answer by SMTP."))
        case ssl.SSLError():
            return str(_("TLS failed (%s).")) % (error.reason or "SSL")
        case TimeoutError():
            return str(_("it does not answer in time."))
        case _:
            return str(_("the connection was refused or broke."))


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


def _dot_stuffed(content: bytes) -> bytes:
    """Return the content for DATA (RFC 5321, 4.5.2): leading dots doubled, a dot alone at the end."""
    return content.replace(b"\r\n.", b"\r\n..") + b".\r\n"
