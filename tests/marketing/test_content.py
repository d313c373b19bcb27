"""A template becomes the tracked message of one customer."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketing.content import links, plain_text
from marketing.content.context import customer_context
from marketing.content.previews import preview, send_test
from marketing.content.render import Renderer, tracking_for
from marketing.content.versions import freeze
from tests.factories.customers import make_customer
from tests.factories.marketing import make_sender, make_template
from tests.smtp_sink import Sink

BODY = """<html><body><h1>Hi {name}</h1>
<a href="https://shop.example/a">A</a> <a href='https://shop.example/b?x=1&amp;y=2'>B</a>
<a href="https://shop.example/a">A again</a> <a href="mailto:x@shop.example">write</a>
<a href="#top">top</a> <a href="{{ unsubscribe_url }}">bye</a></body></html>"""


def test_each_web_address_is_tracked_once() -> None:
    assert links.in_html(BODY) == ["https://shop.example/a", "https://shop.example/b?x=1&y=2"]


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("See https://a.example/b, now", "https://a.example/b"),
        ("See (https://a.example/b)now", "https://a.example/b"),
        ("https://a.example/Foo_(bar)!", "https://a.example/Foo_(bar)"),
        ("https://a.example/?id={{ customer.id | append: 'x' }}&b=1.", "https://a.example/?id={{ customer.id | append: 'x' }}&b=1"),
        ("<https://a.example/b>", "https://a.example/b"),
    ],
)  # fmt: skip
def test_an_address_in_text_ends_before_punctuation(text: str, url: str) -> None:
    ((start, end),) = links.spans_in_text(text)
    assert text[start:end] == url


@given(st.text())
def test_any_body_yields_links_and_text(body: str) -> None:
    links.in_html(body)
    plain_text.from_html(body)


def test_plain_text_follows_the_reading_order() -> None:
    text = plain_text.from_html(
        "<style>p{}</style><h1>Sale</h1><p>Up to <b>20 %</b>: <a href='https://a.example'>see</a></p>"
        "<ul><li>one<li>two</ul>"
    )
    assert text == "Sale\n\nUp to 20 %: see (https://a.example)\n\n- one\n- two"


@pytest.mark.django_db
def test_the_same_content_is_frozen_once() -> None:
    template = make_template(body=BODY)
    first = freeze(template)
    assert freeze(template) == first
    assert [link.position for link in first.links.order_by("position")] == [1, 2]

    template.subject = "Other words"
    template.save()
    assert freeze(template).number == 2
    first.refresh_from_db()
    assert first.subject != "Other words"


@pytest.mark.django_db
def test_a_message_has_tracked_links_pixel_and_unsubscribe() -> None:
    version = freeze(make_template(subject="For {name}", body=BODY))
    tracked = links.in_html(BODY)
    message = Renderer(version, campaign_name="Sale", tracked=tracked).render(
        customer_context(make_customer(first_name="Ada", last_name="")), tracking_for(7)
    )
    assert message.subject == "For Ada"
    assert "https://shop.example" not in message.html
    assert (
        len(set(re.findall(r"/t/c/[\w-]+", message.html))) == 3
    )  # two links, and the trap of scanners
    assert len(re.findall(r"/t/c/[\w-]+", message.html)) == 4
    assert message.html.count("/t/o/") == message.html.count("/u/") == 1
    assert message.html.index("/t/o/") < message.html.index("</body>")
    assert "mailto:x@shop.example" in message.html


@pytest.mark.django_db
def test_a_body_without_an_unsubscribe_link_gets_one() -> None:
    version = freeze(make_template(body="<p>Hi</p>"))
    message = Renderer(version, campaign_name="Sale").render(
        customer_context(make_customer()), tracking_for(7)
    )
    assert "/u/" in message.html
    assert "/u/" in message.text


@pytest.mark.django_db
def test_a_preview_shows_the_message_without_tracking() -> None:
    seen = preview(
        make_template(subject="{{ customer.nick }}Hi", body=BODY), make_customer(first_name="Ada")
    )
    assert seen.unknown == ["customer.nick"]
    assert "Hi Ada" in seen.html
    assert "https://shop.example/a" in seen.html
    assert "/t/" not in seen.html


@pytest.mark.django_db
def test_a_preview_works_without_customers() -> None:
    assert preview(make_template(body="<p>Hi {name}</p>")).customer is None


@pytest.mark.django_db
def test_a_test_message_has_a_marked_subject(sink: Sink) -> None:
    send_test(
        make_template(subject="Hello", body=BODY),
        sender=make_sender(from_address="hello@shop.example"),
        to_address="me@shop.example",
        customer=make_customer(first_name="Ada"),
    )
    (arrived,) = sink.messages()
    assert arrived["Subject"] == "[Test] Hello"
    assert sink.recipients() == {"me@shop.example": 1}
