"""Write a message as MIME (RFC 5322, RFC 2045), without the standard library's classes, which take half a millisecond.

What is personal is encoded for each person, by C: text as it is where it is ASCII in short lines, else quoted-printable.
"""

from __future__ import annotations

import re
from binascii import b2a_base64, b2a_qp
from email.utils import formataddr, formatdate

from customers import clean
from marketing.channels.base import AccountError, Message, PermanentError

LONGEST_LINE = 900
"""Of the 998 that RFC 5322, 2.1.1 allows."""
LONGEST_PLAIN_HEADER = 60

BREAKS = re.compile(r"[\x00-\x1f\x7f<>]")
"""Would make two commands of one, or another address."""
LOCAL_PART = re.compile(r'"[^"]*"|[^\s,;:()\[\]\\"@]+')
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
LONGEST_ENCODED_LINE = 76
ENCODED_WORD = "=?utf-8?b?{}?="


def message_id(message: Message) -> str:
    """Return the Message-ID (RFC 5322, 3.6.4), made of the message's key and so the same on every attempt."""
    domain = sender_address(message.from_address).rpartition("@")[2]
    return f"<{message.key}@{domain}>"


def as_bytes(message: Message) -> bytes:
    """Return the message with CRLF line ends: multipart/alternative of plain text and HTML.

    Raises PermanentError for a recipient's address that mail cannot have, AccountError for the sender's or that of replies.
    """
    boundary = f"=_{message.key}"
    lines = [
        f"Message-ID: {message_id(message)}",
        f"Date: {formatdate()}",
        _header("Subject", message.subject),
        _mailbox("From", message.from_name, sender_address(message.from_address)),
        _mailbox("To", message.to_name, ascii_address(message.to_address)),
    ]
    if message.reply_to:
        lines.append(f"Reply-To: {sender_address(message.reply_to)}")
    lines += [_header(name, value) for name, value in message.headers.items()]
    lines += [
        "MIME-Version: 1.0",
        f'Content-Type: multipart/alternative; boundary="{boundary}"',
        "",
        "",
    ]
    return b"".join(
        (
            "\r\n".join(lines).encode("ascii"),
            _part("plain", message.text, boundary),
            _part("html", message.html, boundary),
            f"--{boundary}--\r\n".encode(),
        )
    )


def ascii_address(address: str) -> str:
    """Return the address for servers without SMTPUTF8. Raises PermanentError for a non-ASCII mailbox name."""
    try:
        return _ascii(address)
    except ValueError as error:
        raise PermanentError(f"Not an address for mail: {address}", address_is_bad=True) from error


def sender_address(address: str) -> str:
    """Return an address of the sender for servers without SMTPUTF8. Raises AccountError, which no recipient has to answer for."""
    try:
        return _ascii(address)
    except ValueError as error:
        raise AccountError(f"The sender's address is not an address for mail: {address}") from error


def _ascii(address: str) -> str:
    """Return an address in ASCII. Raises ValueError where it is none, so that one command could become two."""
    local, _at, domain = address.strip().rpartition("@")
    local.encode("ascii")
    if not domain.isascii():
        domain = clean.ascii_domain(domain)
    if not LOCAL_PART.fullmatch(local) or not domain or BREAKS.search(local + domain):
        raise ValueError(address)
    return f"{local}@{domain}"


def _part(subtype: str, text: str, boundary: str) -> bytes:
    text = _with_crlf(text)  # b2a_qp ends lines as the first of the text does
    is_plain = text.isascii() and boundary not in text
    if is_plain and max(map(len, text.split("\r\n"))) <= LONGEST_LINE:
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


def _mailbox(header: str, name: str, address: str) -> str:
    """Return a header with one mailbox; a name that is not plain becomes encoded words, on lines before the address."""
    name = _one_line(name)
    if _is_plain(name):
        return f"{header}: {formataddr((name, address))}"
    return f"{_encoded(header, name)}\r\n <{address}>"


def _header(name: str, value: str) -> str:
    """Return a header of text; an address in angle brackets stays whole, however long."""
    value = _one_line(value)
    if _is_plain(value) or (value.isascii() and value.startswith("<")):
        return f"{name}: {value}"
    return _encoded(name, value)


def _is_plain(text: str) -> bool:
    return text.isascii() and len(text) <= LONGEST_PLAIN_HEADER and "=?" not in text


def _encoded(name: str, text: str) -> str:
    """Return a header of encoded words of 75 characters at most, on lines of 76 (RFC 2047, 2), which email.header exceeds."""
    rest = text.encode("utf-8", "replace").decode()
    words = []
    room = LONGEST_ENCODED_LINE - len(f"{name}: ")
    while rest:
        piece = _beginning(rest, (room - len(ENCODED_WORD.format(""))) // 4 * 3)
        encoded = b2a_base64(piece.encode(), newline=False).decode()
        words.append(ENCODED_WORD.format(encoded))
        rest = rest[len(piece) :]
        room = LONGEST_ENCODED_LINE - 1
    return f"{name}: " + "\r\n ".join(words)


def _beginning(text: str, size: int) -> str:
    """Return the beginning of a text, of at most `size` bytes and up to a blank where it has one."""
    beginning = text.encode()[:size].decode(errors="ignore")
    blank = beginning.rfind(" ")
    return beginning[: blank + 1] if beginning != text and blank > 0 else beginning


def _one_line(text: str) -> str:
    return " ".join(_CONTROL.sub(" ", text).split())
