"""The standard library parses every composed message back to its content."""

from __future__ import annotations

from dataclasses import replace
from email import message_from_bytes, policy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketing.channels.base import Message, PermanentError
from marketing.channels.mime import as_bytes

PLAIN = Message(
    key="msg_abc",
    to_address="ada@example.com",
    to_name="Ada Lovelace",
    from_address="hello@shop.example",
    from_name="The Shop",
    reply_to="",
    subject="Hello",
    html="<p>Hello</p>",
    text="Hello",
)
TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n\r\t"))


def lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n")


@given(html=TEXT, text=TEXT, subject=TEXT, name=TEXT)
def test_any_text_survives_a_round_trip(html: str, text: str, subject: str, name: str) -> None:
    sent = replace(PLAIN, html=html, text=text, subject=subject, to_name=name)
    raw = as_bytes(sent)
    assert max(len(line) for line in raw.split(b"\r\n")) <= 998
    assert b"\n" not in raw.replace(b"\r\n", b"")

    read = message_from_bytes(raw, policy=policy.default)
    plain, rich = read.iter_parts()
    assert lines(plain.get_content()) == lines(text)
    assert lines(rich.get_content()) == lines(html)
    assert str(read["Subject"] or "").split() == subject.split()
    assert [each.addr_spec for each in read["To"].addresses] == ["ada@example.com"]


def test_short_ascii_lines_stay_unencoded() -> None:
    raw = as_bytes(replace(PLAIN, html="<p>.Hello</p>\n" * 50))
    assert raw.count(b"<p>.Hello</p>\r\n") == 50


def test_international_domains_become_ascii() -> None:
    assert b"To: Ada Lovelace <ada@xn--mnchen-3ya.example>" in as_bytes(
        replace(PLAIN, to_address="ada@münchen.example")
    )
    with pytest.raises(PermanentError):
        as_bytes(replace(PLAIN, to_address="ädä@example.com"))
