"""Write a message as MIME (RFC 5322, RFC 2045), without the standard library's classes, which take half a millisecond.

What is personal is encoded for each person, by C: text as it is where it is ASCII in short lines, else quoted-printable.
"""

from __future__ import annotations

import re
from binascii import b2a_qp
from email.header import Header
from email.utils import formataddr, formatdate

from marketing.channels.base import Message, PermanentError

LONGEST_LINE = 900
"""Of the 998 that RFC 5322, 2.1.1 allows."""
LONGEST_PLAIN_HEADER = 60

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_ENCODED_WORD = "=?"


def message_id(message: Message) -> str:
    """Return the Message-ID (RFC 5322, 3.6.4), made of the message's key and so the same on every attempt."""
    domain = message.from_address.rpartition("@")[2] or "localhost"
    return f"<{message.key}@{domain}>"


def as_bytes(message: Message) -> bytes:
    """Return the message with CRLF line ends: multipart/alternative of plain text and HTML.

    Raises PermanentError for an address that mail cannot have.
    """
    boundary = f"=_{message.key}"
    lines = [
        f"Message-ID: {message_id(message)}",
        f"Date: {formatdate()}",
        f"Subject: {_text(message.subject)}",
        f"From: {_mailbox(message.from_name, message.from_address)}",
        f"To: {_mailbox(message.to_name, message.to_address)}",
    ]
    if message.reply_to:
        lines.append(f"Reply-To: {ascii_address(_one_line(message.reply_to))}")
    lines += [f"{name}: {_one_line(value)}" for name, value in message.headers.items()]
    lines += [
        "MIME-Version: 1.0",
        f'Content-Type: multipart/alternative; boundary="{boundary}"',
        "",
        "",
    ]
    return b"".join(
        (
            "\r\n".join(lines).encode("ascii", "replace"),
            _part("plain", message.text, boundary),
            _part("html", message.html, boundary),
            f"--{boundary}--\r\n".encode(),
        )
    )


def ascii_address(address: str) -> str:
    """Return the address for servers without SMTPUTF8. Raises PermanentError for a non-ASCII mailbox name."""
    local, at, domain = address.strip().rpartition("@")
    try:
        local.encode("ascii")
        if not domain.isascii():
            domain = domain.encode("idna").decode()
    except UnicodeError as error:
        raise PermanentError(f"Not an address for mail: {address}", address_is_bad=True) from error
    return f"{local}{at}{domain}"


def _part(subtype: str, text: str, boundary: str) -> bytes:
    text = _with_crlf(text)  # b2a_qp ends lines as the first of the text does
    if text.isascii() and max(map(len, text.split("\r\n"))) <= LONGEST_LINE:
        encoding, body = "7bit", text.encode()
    else:
        encoding, body = "quoted-printable", b2a_qp(text.encode("utf-8", "replace"), istext=True)
    head = (
        f'--{boundary}\r\nContent-Type: text/{subtype}; charset="utf-8"\r\n'
        f"Content-Transfer-Encoding: {encoding}\r\n\r\n"
    )
    return head.encode() + body


def _with_crlf(text: str) -> str:
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return lines.replace("\n", "\r\n") + "\r\n"


def _mailbox(name: str, address: str) -> str:
    return formataddr((_one_line(name), ascii_address(address)))


def _text(text: str) -> str:
    """Return a header's text: plain ASCII as it is, else as encoded words (RFC 2047), folded."""
    text = _one_line(text)
    if text.isascii() and len(text) <= LONGEST_PLAIN_HEADER and _ENCODED_WORD not in text:
        return text
    return Header(text, "utf-8").encode(linesep="\r\n")


def _one_line(text: str) -> str:
    return " ".join(_CONTROL.sub(" ", text).split())
