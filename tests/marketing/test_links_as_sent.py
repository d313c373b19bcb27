"""A tracked link leads to the address rendered in the sent message."""

from __future__ import annotations

from typing import Any

import pytest

from marketing.models import Snippet
from tests.marketing.delivery import CLICK, click, send_email
from tests.smtp_sink import Sink

pytestmark = pytest.mark.django_db

SHOP = "https://shop.example"
CART = [{"name": "One", "url": f"{SHOP}/p/1"}, {"name": "Two", "url": f"{SHOP}/p/2"}]
PERSON = {
    "first_name": "",
    "attributes": {
        "home": f"{SHOP}/home",
        "sku": "s1",
        "cart": CART,
        "odd": f'{SHOP}/?q="a b"&copy=1',
    },
}


@pytest.mark.parametrize(
    ("body", "addresses"),
    [
        ("{% for item in customer.attributes.cart %}<a href='{{ item.url }}'>x</a>{% endfor %}", ["/p/1", "/p/2"]),
        ("{% assign home = customer.attributes.home %}<a href='{{ home }}'>x</a>", ["/home"]),
        ("{% capture page %}https://shop.example/p/{{ customer.attributes.sku }}{% endcapture %}<a href='{{ page }}'>x</a>", ["/p/s1"]),
        ("{% capture all %}<a href='https://shop.example/a'>x</a>{% endcapture %}{{ all }}{{ all }}", ["/a", "/a"]),
        ("{% render 'button', url: customer.attributes.home %}", ["/home"]),
        ('<a href="https://shop.example/?n={{ customer.first_name | default: "you" }}&amp;x=1">x</a>', ["/?n=you&x=1"]),
        ("""<a href='https://shop.example/?n={{ customer.first_name | default: "a'b" }}'>x</a>""", ["/?n=a'b"]),
        ("""<a href='{{ customer.first_name | default: "https://shop.example/x>y" }}'>x</a>""", ["/x%3Ey"]),
        ("<a href=https://shop.example/{{ customer.attributes.sku }}>x</a>", ["/s1"]),
        ("<a href={{ customer.attributes.home }} class=b>x</a>", ["/home"]),
        ("<a {% if customer.email %}href='https://shop.example/1'{% else %}href='https://shop.example/2'{% endif %}>x</a>", ["/1"]),
        ("<a href='https://shop.example/{% if customer.city != '' %}{{ customer.city }}{% else %}all{% endif %}'>x</a>", ["/all"]),
        ("{% if customer.email %}<a href='https://shop.example/1'>{% else %}<a href='https://shop.example/2'>{% endif %}x</a>", ["/1"]),
        ("{% raw %}<a href='https://shop.example/1'>{{ x }}</a>{% endraw %}", ["/1"]),
        ("{% comment %}<a href='https://shop.example/1'>{% endcomment %}<a href='https://shop.example/2'>x</a>", ["/2"]),
        ("<a href='{{ customer.attributes.odd }}'>x</a>", ["/?q=%22a%20b%22&copy=1"]),
        ("<a href='https://shop.example/u?n={{ customer.attributes.odd | url_encode }}'>x</a>",
         ["/u?n=https%3A%2F%2Fshop.example%2F%3Fq%3D%22a+b%22%26copy%3D1"]),
        ("{% assign u = unsubscribe_url %}<a href='{{ u }}'>bye</a><a href='https://shop.example/1'>x</a>", ["/1"]),
        ("<a href='{{ customer.attributes.nothing }}'>x</a><a href='mailto:{{ customer.email }}'>x</a>", []),
        ("{% for i in (1..3) %}<a href='https://shop.example/{{ i }}'>x</a>{% endfor %}", ["/1", "/2", "/3"]),
        ("{% case customer.id %}{% when 'a' %}<a href='https://a.example/'>{% else %}<a href={{ customer.attributes.home }}>{% endcase %}",
         ["/home"]),
    ],
)  # fmt: skip
def test_html_links_lead_to_their_rendered_address(
    sink: Sink, body: str, addresses: list[str]
) -> None:
    Snippet.objects.create(name="button", body='<a href="{{ url }}">Go</a>')
    message = send_email(sink, body, person=PERSON)
    assert message.clicks() == [SHOP + address for address in addresses]
    assert "\x02" not in message.html + message.text


def test_a_sent_link_ignores_later_customer_changes(sink: Sink) -> None:
    body = (
        '<a href="{{ customer.attributes.home }}">Home</a> '
        '<a href="https://shop.example/?code={{ customer.attributes.coupon }}">Coupon</a>'
    )
    attributes: dict[str, Any] = {"home": f"{SHOP}/home", "coupon": "AAA"}
    message = send_email(sink, body, person={"attributes": attributes})
    customer = message.execution.customer
    customer.attributes = {"home": None, "coupon": "BBB"}
    customer.save()
    assert message.clicks() == [f"{SHOP}/home", f"{SHOP}/?code=AAA"]


def test_both_parts_share_one_link(sink: Sink) -> None:
    body = "<a href='https://shop.example/?e={{ customer.email }}&amp;x=1'>Hi</a> <a href='https://shop.example/a?b=1&amp;c=2'>A</a>"
    message = send_email(sink, body)
    assert set(CLICK.findall(message.shown_html)) == set(CLICK.findall(message.text))
    assert message.clicks("text") == [f"{SHOP}/?e=ada@example.com&x=1", f"{SHOP}/a?b=1&c=2"]


def test_links_in_mjml_keep_quotes_inside_liquid(sink: Sink) -> None:
    button = """<mj-button href='https://shop.example/?n={{ customer.first_name | default: "you" }}'>Go</mj-button>"""
    body = (
        f"<mjml><mj-body><mj-section><mj-column>{button}</mj-column></mj-section></mj-body></mjml>"
    )
    message = send_email(sink, body, person=PERSON, body_format="mjml")
    assert message.clicks() == [f"{SHOP}/?n=you"]
    assert "}}" not in message.html


def test_a_message_stores_its_rendered_links(sink: Sink) -> None:
    message = send_email(sink, "<a href='{{ customer.attributes.home }}'>x</a>", person=PERSON)
    (path,) = CLICK.findall(message.shown_html)
    assert click(path) == f"{SHOP}/home"
    assert message.execution.links == {"1": f"{SHOP}/home"}
