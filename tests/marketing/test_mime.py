"""The standard library parses every composed message back to its content."""

from __future__ import annotations

import re
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


ENCODED_WORD = re.compile(r"=\?[^?\s]+\?[bqBQ]\?[^?\s]*\?=")
NAMES = [
    "Анна-Мария Александровна Константинопольская-Преображенская",
    "山田太郎株式会社営業部第一課長代理補佐心得見習い研修生候補",
    "👩\u200d👩\u200d👧\u200d👦 The Weavers, Tea & Co. " * 3,
    "Gräfin von und zu Hohenlohe-Waldenburg-Schillingsfürst (geb. Öttingen)",
    "A plain name that is longer than a header line can be without a single letter outside of ASCII",
    "Ada =?utf-8?q?Lovelace?=",
    'The "First", <second> & third: company; of (many) names',
    "x" * 300,
    "é" * 300,
]


def assert_folded(raw: bytes) -> None:
    """Assert that encoded words and their lines are as short as RFC 2047, 2 allows."""
    head = raw.partition(b"\r\n\r\n")[0].decode("ascii")
    for line in head.split("\r\n"):
        assert len(line) <= 998
        words = ENCODED_WORD.findall(line)
        assert all(len(word) <= 75 for word in words), line
        assert not words or len(line) <= 76, line


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("part", ["to_name", "from_name", "subject"])
def test_long_and_foreign_names_are_folded(part: str, name: str) -> None:
    raw = as_bytes(replace(PLAIN, **{part: name}))

    assert_folded(raw)
    read = message_from_bytes(raw, policy=policy.default)
    header = {"to_name": "To", "from_name": "From", "subject": "Subject"}[part]
    shown = read[header] if part == "subject" else read[header].addresses[0].display_name
    # the parser of the standard library puts a blank between the encoded words of a name
    assert "".join(str(shown).split()) == "".join(name.split())
    assert read["To"].addresses[0].addr_spec == "ada@example.com"


@given(name=TEXT, subject=TEXT)
def test_any_header_is_folded(name: str, subject: str) -> None:
    assert_folded(as_bytes(replace(PLAIN, to_name=name, from_name=name, subject=subject)))


def test_a_message_id_has_the_ascii_domain() -> None:
    raw = as_bytes(replace(PLAIN, from_address="hello@münchen.example"))
    assert b"Message-ID: <msg_abc@xn--mnchen-3ya.example>" in raw


BODIES = {
    "lines that begin with dots": ".\n..\n.hello\n",
    "a line of mbox": "From here on\n>From there",
    "a long word": "x" * 5_000,
    "a long line of words": "word " * 400,
    "blanks at the ends of lines": "one  \ntwo\t\n\n three ",
    "old line ends": "one\rtwo\r\nthree\n\rfour",
    "equals signs": "a=b =3D =\nhttps://a.example/?x=1&y==",
    "marks of boundaries": "--=_msg_abc\n--=_msg_abc--\n--",
    "separators of Unicode": "one\u2028two\u2029three\x85four",
    "half a character": "half \ud83d of an emoji",
    "right to left": "\u0634\u0643\u0631\u0627 \u200f!\n\u05ea\u05d5\u05d3\u05d4",
    "composed": "e\u0301 \u1112\u1161\u11ab \U0001f468\u200d\U0001f469\u200d\U0001f467" * 30,
    "a mark of byte order": "\ufeffhello",
    "nothing": "",
}


@pytest.mark.parametrize("name", BODIES)
def test_a_body_arrives_as_it_is(name: str) -> None:
    body = BODIES[name]
    raw = as_bytes(replace(PLAIN, html=body, text=body))
    assert max(len(line) for line in raw.split(b"\r\n")) <= 998
    read = message_from_bytes(raw, policy=policy.default)
    parts = list(read.iter_parts())
    meant = lines(body.encode("utf-8", "replace").decode())
    assert [lines(part.get_content()) for part in parts] == [meant, meant]
    assert [part.get_content_type() for part in parts] == ["text/plain", "text/html"]


HEADERS = {
    "List-Unsubscribe": f"<https://crm.example/u/{'x' * 200}>, <mailto:leave@shop.example?subject=leave>",
    "X-Campaign": "Fr\u00fchling \u2013 20 % auf alles, was nicht ausverkauft ist, und noch ein wenig mehr f\u00fcr dich",
    "X-Break": "one\r\nBcc: all@example.com\r\n\r\nbody",
    "Feedback-ID": "cmp_1:run_2:kindling:" + "y" * 80,
}


def test_headers_are_one_line_each_for_who_reads_them() -> None:
    raw = as_bytes(
        replace(
            PLAIN,
            headers=HEADERS,
            subject="a\r\nBcc: x@example.com",
            to_name="Ada\n<x@example.com>",
        )
    )
    read = message_from_bytes(raw, policy=policy.default)
    assert read["Bcc"] is None
    assert read["List-Unsubscribe"] == HEADERS["List-Unsubscribe"]
    assert str(read["X-Campaign"]) == HEADERS["X-Campaign"]
    assert str(read["X-Break"]).split() == HEADERS["X-Break"].split()
    assert read["Feedback-ID"].replace(" ", "") == HEADERS["Feedback-ID"]
    assert [each.addr_spec for each in read["To"].addresses] == ["ada@example.com"]
    assert len(list(read.iter_parts())) == 2
