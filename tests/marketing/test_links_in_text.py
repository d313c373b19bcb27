"""Addresses in plain text end correctly and lead to their rendered target."""

from __future__ import annotations

import json

import pytest

from marketing.content import links
from tests.marketing.delivery import CLICK, send_email, send_text
from tests.smtp_sink import Sink

SHOP = "https://shop.example"


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ('See "https://shop.example/sale" or <https://shop.example/faq> or \'https://shop.example/x\'.', ["/sale", "/faq", "/x"]),
        ("詳細はhttps://shop.example/saleをご覧ください。", ["/sale"]),
        ("詳細は、https://shop.example/sale。", ["/sale"]),
        ("（https://shop.example/sale）", ["/sale"]),
        ("「https://shop.example/sale」", ["/sale"]),
        ("点击https://shop.example/sale查看", ["/sale"]),
        ("https://shop.example/sale에서", ["/sale"]),
        ("See “https://shop.example/sale” now", ["/sale"]),
        ("See «https://shop.example/sale», ‘https://shop.example/x’, „https://shop.example/y“", ["/sale", "/x", "/y"]),
        ("https://shop.example/a…", ["/a"]),
        ("https://shop.example/a—then", ["/a"]),
        ("https://shop.example/a\u00a0now", ["/a"]),
        ("https://shop.example/a\u200bnow", ["/a"]),
        ("Is it https://shop.example/a?", ["/a"]),
        ("https://shop.example/a!!! https://shop.example/b?!", ["/a", "/b"]),
        ("https://shop.example/a?b=c&d=e%20f#g.", ["/a?b=c&d=e%20f#g"]),
        ("[shop](https://shop.example/a)", ["/a"]),
        ("[https://shop.example/a]", ["/a"]),
        ("https://shop.example/Foo_(bar)", ["/Foo_(bar)"]),
        ("(see https://shop.example/Foo_(bar))", ["/Foo_(bar)"]),
        ("https://shop.example/?f[a]=1&f[b]=2", ["/?f[a]=1&f[b]=2"]),
        ("*https://shop.example/bold*", ["/bold"]),
        ("https://shop.example/Schrödinger's_cat, yes", ["/Schrödinger's_cat"]),
        ("https://shop.example/straße https://shop.example/путь https://shop.example/ελ", ["/straße", "/путь", "/ελ"]),
        ("a=https://shop.example/a;b=https://shop.example/b", ["/a;b=https://shop.example/b"]),
        ("https://shop.example/a,\nhttps://shop.example/b", ["/a", "/b"]),
        ("https://shop.example/a<br>", ["/a"]),
        ("https://shop.example/a|b", ["/a|b"]),
        ("xhttps://shop.example/a", ["/a"]),
        ("http://", []),
        ("ftp://shop.example/a", []),
        ("mailto:a@shop.example", []),
    ],
)  # fmt: skip
def test_an_address_ends_before_punctuation(text: str, addresses: list[str]) -> None:
    assert links.in_text(text) == [SHOP + address for address in addresses]


def test_hosts_in_other_scripts_are_addresses() -> None:
    assert links.in_text("https://日本語.jp/x と http://10.0.0.1:8000/a, https://пример.рф") == [
        "https://日本語.jp/x",
        "http://10.0.0.1:8000/a",
        "https://пример.рф",
    ]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("body", "left", "addresses"),
    [
        ("Hi https://shop.example/u/{first_name}", "Hi {}", ["/u/Ann"]),
        ("Go https://shop.example/{% if customer.first_name %}vip{% else %}all{% endif %} now", "Go {} now", ["/vip"]),
        ("{% if customer.email %}https://shop.example/a{% else %}https://shop.example/b{% endif %}.", "{}.", ["/a"]),
        ("See https://shop.example/{first_name}. Bye", "See {}. Bye", ["/Ann"]),
        ("https://shop.example/?n={{ customer.last_name }}&x=1 ok", "{} ok", ["/?n=van%20Dam&x=1"]),
        ('https://shop.example/?n={{ customer.nick | default: "a b" }} ok', "{} ok", ["/?n=a%20b"]),
        ("{{ customer.attributes.home }}をご覧", "{}をご覧", ["/home"]),
        ("({{ customer.attributes.home }}).", "({}).", ["/home"]),
        ("{% for i in (1..2) %}https://shop.example/{{ i }} {% endfor %}", "{} {} ", ["/1", "/2"]),
        ("{% capture p %}https://shop.example/{{ customer.id }}{% endcapture %}Go {{ p }}, now", "Go {}, now", ["/c1"]),
        ("{% assign p = 'https://shop.example/a' %}{{ p }}?s={{ customer.id }}", "{}", ["/a?s=c1"]),
        ("{% capture p %}https://shop.example/{% endcapture %}https://x.example/?u={{ p | url_encode }}", "{}", []),
        ("{% raw %}https://shop.example/{{ x }}{% endraw %}", "{}{{{{ x }}}}", ["/"]),
        ("詳細はhttps://shop.example/saleをご覧ください。", "詳細は{}をご覧ください。", ["/sale"]),
        ("See “https://shop.example/sale” now", "See “{}” now", ["/sale"]),
        ("Leave: {unsubscribe_url}", None, []),
        ("Hi {first_name}, {{ customer.attributes.nothing }} bye", "Hi Ann,  bye", []),
        ("Buy {{ 'at https://shop.example/a' }}", "Buy at https://shop.example/a", []),
    ],
)  # fmt: skip
def test_text_links_lead_to_their_rendered_address(
    monkeypatch: pytest.MonkeyPatch, body: str, left: str | None, addresses: list[str]
) -> None:
    person = {"external_id": "c1", "last_name": "van Dam", "attributes": {"home": f"{SHOP}/home"}}
    message = send_text(monkeypatch, "sms", body, person=person)
    if "x.example" not in body:
        assert message.clicks("text") == [SHOP + address for address in addresses]
    if left is not None:
        assert CLICK.sub("{}", message.text) == left.replace("{{{{ x }}}}", "{{ x }}")


@pytest.mark.django_db
def test_a_link_encoded_in_another_stays_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    body = "{% capture p %}https://shop.example/a{% endcapture %}https://x.example/?u={{ p | url_encode }}"
    message = send_text(monkeypatch, "sms", body)
    assert message.clicks("text") == ["https://x.example/?u=https%3A%2F%2Fshop.example%2Fa"]


@pytest.mark.django_db
def test_both_parts_of_a_text_mail_link_the_same_addresses(sink: Sink) -> None:
    body = "See \"https://shop.example/sale\" or <https://shop.example/faq> or 'https://shop.example/x'."
    message = send_email(sink, body, body_format="text")
    addresses = [f"{SHOP}/{path}" for path in ("sale", "faq", "x")]
    assert message.clicks() == message.clicks("text") == addresses
    assert CLICK.sub("{}", message.text).startswith("See \"{}\" or <{}> or '{}'.")


@pytest.mark.django_db
def test_a_push_link_is_not_html_escaped(monkeypatch: pytest.MonkeyPatch) -> None:
    address = f"{SHOP}/?id=1&region=eu&copy=2"
    message = send_text(monkeypatch, "push", "Go", subject="Sale", link=address)
    assert message.clicks("link") == [address]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("link", "address"),
    [
        (f"{SHOP}/u/{{first_name}}?a=1&amp;b=2", f"{SHOP}/u/Ann?a=1&amp;b=2"),
        ("{{ customer.attributes.home }}", f"{SHOP}/home"),
        (f"{SHOP}/{{% if customer.email %}}a{{% endif %}}", f"{SHOP}/a"),
    ],
)
def test_a_push_link_may_contain_liquid(
    monkeypatch: pytest.MonkeyPatch, link: str, address: str
) -> None:
    person = {"attributes": {"home": f"{SHOP}/home"}}
    message = send_text(monkeypatch, "push", "Go", subject="Sale", link=link, person=person)
    assert message.clicks("link") == [address]


@pytest.mark.django_db
def test_links_in_webhook_json_are_tracked(monkeypatch: pytest.MonkeyPatch) -> None:
    body = {
        "plain": f"See {SHOP}/größe, now",
        "liquid": f'{{{{ customer.last_name }}}} {SHOP}/ü?n={{{{ customer.first_name }}}}, "now"',
        "variable": "{{ customer.attributes.home }}",
    }
    person = {"last_name": 'O"Neil', "attributes": {"home": f"{SHOP}/home"}}
    message = send_text(monkeypatch, "webhook", json.dumps(body), person=person)
    sent = json.loads(message.text)
    assert CLICK.sub("{}", sent["plain"]) == "See {}, now"
    assert CLICK.sub("{}", sent["liquid"]) == 'O"Neil {}, "now"'
    assert message.clicks("text") == [
        f"{SHOP}/gr%C3%B6%C3%9Fe",
        f"{SHOP}/%C3%BC?n=Ann",
        f"{SHOP}/home",
    ]
