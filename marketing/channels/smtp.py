"""Send e-mail over SMTP (RFC 5321), one session for a batch, by the sender's server or the EMAIL_* settings."""

from __future__ import annotations

import re
import smtplib
from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote, urlsplit

from django.core.mail import get_connection
from django.core.mail.backends.smtp import EmailBackend
from django.utils.translation import gettext_lazy as _

from customers.models import consent
from marketing.channels import mime
from marketing.channels.base import (
    Account,
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

SMTP_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
SCHEMES = {"smtp": 25, "smtp+tls": 587, "smtp+ssl": 465}
"""How a server is written, with the port where none is given."""

# 550 to 553 speak of the mailbox (RFC 5321, 4.2.3); 554 and 552 of the message or the server.
BAD_ADDRESS_CODES = {550, 551, 553}
MAILBOX_CLOSED = "5.2.1"
DATA_WANTED = 354
GOOD = ({250}, {250, 251, 252}, {DATA_WANTED})
"""The codes that let go on, of MAIL, RCPT and DATA."""
BREAKS = re.compile(r"[\x00-\x1f\x7f]|<.*[<>].*>")
"""What would make two commands of one, or another address."""
ENHANCED = re.compile(r"\b5\.(\d{1,3})\.(\d{1,3})\b")


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
        smtp = self._session()
        try:
            self._announce(smtp, message)
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
            raise UncertainError(f"The server's answer to the message is no SMTP: {reply!r}")
        self._expect((code, reply), 250)
        return Receipt(provider_id=mime.message_id(message))

    def _announce(self, smtp: smtplib.SMTP, message: Message) -> None:
        """Sender, recipient and DATA, in one go where the server takes commands without waiting (RFC 2920). Raises SendError."""
        commands = [
            f"MAIL FROM:<{mime.ascii_address(message.from_address)}>",
            f"RCPT TO:<{mime.ascii_address(message.to_address)}>",
            "DATA",
        ]
        if any(BREAKS.search(command) for command in commands):
            raise PermanentError("Not an address for mail.", address_is_bad=True)
        answers = self._ask(smtp, commands)
        refused = next((n for n, (code, _reply) in enumerate(answers) if code not in GOOD[n]), None)
        if refused is None:
            return
        if len(answers) == len(commands) and answers[-1][0] == DATA_WANTED:
            smtp.send(b".\r\n")  # to nobody: the server asked for content all the same
            smtp.getreply()
        if refused == 0:
            self._expect_sender(answers[0])
        self._expect(answers[refused], about_address=refused == 1)

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
        except (smtplib.SMTPException, OSError) as error:
            self.close()
            raise TransientError(f"The mail server cannot be reached: {error}") from error

    def _expect_sender(self, answer: tuple[int, bytes]) -> None:
        """Raise TransientError when the sender is refused: it is not the recipient's fault, and may be fixed."""
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
        raise PermanentError(said, kind=_fault(code, said) if about_address else ReceiptKind.FAILED)

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


def _fault(code: int, said: str) -> ReceiptKind:
    """Return the cause of a refused recipient, by the enhanced status code (RFC 3463) where there is one."""
    match ENHANCED.search(said):
        case None:
            return (
                ReceiptKind.BOUNCED_HARD if code in BAD_ADDRESS_CODES else ReceiptKind.BOUNCED_SOFT
            )
        case found if found[1] == "7":
            return ReceiptKind.BLOCKED
        case found if found[1] == "1" or found[0] == MAILBOX_CLOSED:
            return ReceiptKind.BOUNCED_HARD
        case _:
            return ReceiptKind.BOUNCED_SOFT


def _dot_stuffed(content: bytes) -> bytes:
    """Return the content for DATA (RFC 5321, 4.5.2): leading dots doubled, a dot alone at the end."""
    return content.replace(b"\r\n.", b"\r\n..") + b".\r\n"
