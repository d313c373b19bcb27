"""Links in HTML are tracked; other addresses stay unchanged."""

from __future__ import annotations

import pytest

from marketing.content import links
from tests.marketing.delivery import send_email
from tests.smtp_sink import Sink


@pytest.mark.parametrize(
    ("html", "address"),
    [
        ('<a data-mce-href="https://a.example/no" href="https://a.example/">x</a>', "https://a.example/"),
        ('<a title="5 > 3" href="https://a.example/gt">x</a>', "https://a.example/gt"),
        ("<a href=https://a.example/unquoted>x</a>", "https://a.example/unquoted"),
        ("<a href=https://a.example/?a=1&amp;b=2 target=_blank>x</a>", "https://a.example/?a=1&b=2"),
        ("<A HREF='https://a.example/Upper'>x</A>", "https://a.example/Upper"),
        ("<a\n\thref\n=\n'https://a.example/'>x</a>", "https://a.example/"),
        ("<a href=' https://a.example/\n  b '>x</a>", "https://a.example/  b"),
        ("<a class=''href='https://a.example/'>x</a>", "https://a.example/"),
        ("<a/href='https://a.example/'>x</a>", "https://a.example/"),
        ("<map><area shape=rect href='https://a.example/area'></map>", "https://a.example/area"),
        ("<a href='//a.example/b'>x</a>", "//a.example/b"),
        ("<a href='HTTPS://A.EXAMPLE/B'>x</a>", "HTTPS://A.EXAMPLE/B"),
        ("<a href='https://a.example/?id=1&region=eu&copy=2&param=3'>x</a>", "https://a.example/?id=1&region=eu&copy=2&param=3"),
        ("<a href='https://a.example/?a=1&#38;b=2&#x26;c=3&ampd=4'>x</a>", "https://a.example/?a=1&b=2&c=3&ampd=4"),
        ("<a href='https://a.example/?q=&quot;a&quot;&lt=1'>x</a>", 'https://a.example/?q="a"&lt=1'),
        ("<!--[if mso]><v:roundrect href='https://a.example/btn'></v:roundrect><![endif]-->", "https://a.example/btn"),
        ("<!--[if gte mso 9]><v:rect HREF=https://a.example/btn><![endif]-->", "https://a.example/btn"),
        ("<!--[if !mso]><!--><a href='https://a.example/b'>x</a><!--<![endif]-->", "https://a.example/b"),
        ("<![if !mso]><a href='https://a.example/b'>x</a><![endif]>", "https://a.example/b"),
        ("a < b <a href='https://a.example/lt'>x</a>", "https://a.example/lt"),
        ("<title><a href='https://a.example/no'></title><a href='https://a.example/b'>x</a>", "https://a.example/b"),
        ("<style>a::after{content:'<a href=https://a.example/no>'}</style><a href='https://a.example/b'>x</a>", "https://a.example/b"),
        ("<a [href]='x' href='https://a.example/amp'>x</a>", "https://a.example/amp"),
        ("<a href='https://a.example/' on='tap:a.open(url=\"https://a.example/no\")'>x</a>", "https://a.example/"),
        ("<p>{{ '<a href=\"https://a.example/no\">' }}<a href='https://a.example/b'>", "https://a.example/b"),
    ],
)  # fmt: skip
def test_one_link_is_found(html: str, address: str) -> None:
    assert links.in_html(html) == [address]


UNTRACKED = [
    '<a data-href="https://a.example/">x</a>',
    "<a href='mailto:a@a.example?body=https://a.example/'>x</a>",
    "<a href='tel:+491701234567'>x</a>",
    "<a href='#top'>x</a>",
    "<a href=''>x</a>",
    "<a href>x</a>",
    "<a name='https://a.example/'>x</a>",
    "<form action='https://a.example/'></form>",
    "<img src='https://a.example/a.png' srcset='https://a.example/b.png 2x, https://a.example/c.png 3x' alt='x'>",
    "<link rel='stylesheet' href='https://a.example/a.css'>",
    "<base href='https://a.example/'>",
    "<!-- <a href='https://a.example/'>x</a> -->",
    "<abbr href='https://a.example/'>x</abbr>",
    "<v:fill src='https://a.example/bg.png'>",
    "<td background='https://a.example/bg.png'></td>",
    "&lt;a href='https://a.example/'>",
    "<a title=\"href='https://a.example/'\">x</a>",
]


@pytest.mark.parametrize("html", UNTRACKED)
def test_other_addresses_are_not_tracked(html: str) -> None:
    assert links.in_html(html) == []
    assert links.mark_html(html) == html


@pytest.mark.django_db
def test_untracked_html_is_sent_unchanged(sink: Sink) -> None:
    sources = [html for html in UNTRACKED if html not in {"<a href=''>x</a>", "<a href>x</a>"}]
    arrived = send_email(sink, "\n".join(sources)).shown_html
    assert arrived.split("\n")[: len(sources) - 1] == sources[:-1]


@pytest.mark.django_db
def test_attributes_around_a_link_stay_unchanged(sink: Sink) -> None:
    body = (
        '<a data-mce-href="https://a.example/real" href="https://a.example/real">Real</a>'
        '<!--[if mso]><v:roundrect xmlns:v="urn:x" href="https://a.example/btn" style="height:40px"><![endif]-->'
    )
    message = send_email(sink, body)
    assert message.clicks() == ["https://a.example/real", "https://a.example/btn"]
    assert 'data-mce-href="https://a.example/real"' in message.html
    assert 'xmlns:v="urn:x" href="http://127.0.0.1:8000/t/c/' in message.html
