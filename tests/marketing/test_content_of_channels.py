"""Each channel renders its own parts and links, and webhook JSON stays valid."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.models import Customer
from marketing.content import build
from marketing.content.context import customer_context
from marketing.content.liquid import ContentError
from marketing.content.render import Renderer, Tracking, tracking_for
from marketing.content.versions import freeze
from marketing.models import CampaignTemplate
from tests.factories.marketing import make_template

NOTHING = Tracking(unsubscribe="https://us.example/u/1")


def text(template: CampaignTemplate, customer: Customer) -> str:
    return Renderer(template, campaign_name="Sale").render(customer_context(customer), NOTHING).text


WORDS = st.text(st.characters(exclude_characters="\r", exclude_categories=["Cs"]))
"""Liquid normalises line ends to line feeds, so carriage returns are excluded."""


@given(WORDS, WORDS)
def test_any_customer_name_keeps_webhook_json_valid(first: str, last: str) -> None:
    body = """{"name": "{name}", "greeting": "Hi {{ customer.first_name | default: \\"you\\" }}!",
        "tags": ["{{ customer.tags[0] }}", 1, true, null], "deep": {"a \\"b\\"": "no Liquid"}}"""
    customer = Customer(first_name=first, last_name=last, tags=["x"])
    sent = json.loads(text(CampaignTemplate(channel="webhook", body=body), customer))
    assert sent["name"] == customer.name
    assert sent["tags"] == ["x", 1, True, None]
    assert sent["deep"] == {'a "b"': "no Liquid"}
    if first:
        assert sent["greeting"] == f"Hi {first}!"


def test_invalid_webhook_json_is_refused_with_its_line() -> None:
    with pytest.raises(ContentError, match="line 2"):
        build.build(CampaignTemplate(channel="webhook", body='{"a": 1,\n b}'))


def test_a_text_message_is_not_html_escaped() -> None:
    template = CampaignTemplate(channel="sms", body="Hi {name} & co")
    assert text(template, Customer(first_name="<Ada>")) == "Hi <Ada> & co"


@pytest.mark.django_db
def test_links_in_texts_and_push_messages_are_tracked() -> None:
    version = freeze(
        make_template(
            channel="push",
            subject="Sale",
            body="See https://shop.example/a, now.",
            link="https://shop.example/{{ customer.id }}",
        )
    )
    tracked = list(version.links.order_by("position").values_list("url", flat=True))
    assert tracked == ["https://shop.example/a"]
    sent = Renderer(version, campaign_name="Sale", tracked=tracked).render(
        customer_context(Customer(external_id="c1")), tracking_for(7)
    )
    assert sent.links == {2: "https://shop.example/c1"}
    assert "shop.example" not in sent.text + sent.link
    assert "/t/c/" in sent.text
    assert sent.text.endswith(", now.")
    assert "/t/c/" in sent.link
    assert sent.html == ""


@pytest.mark.django_db
def test_the_preheader_appears_only_in_html() -> None:
    parts = build.build(
        make_template(
            preheader="Hi {name} & all", body="<html><body class='a'><p>Body</p></body></html>"
        )
    )
    assert parts.html.index("Hi {{ name }} &amp; all") < parts.html.index("<p>Body")
    assert parts.html.index("<body class='a'>") < parts.html.index("Hi {{ name }}")
    assert "Hi" not in parts.text


@pytest.mark.django_db
def test_plain_text_becomes_equivalent_html() -> None:
    body = "Hi {name},\n\n1 < 2 & https://shop.example/?a=1&b=2.\nBye"
    parts = build.build(make_template(body_format="text", body=body))
    assert "<p>Hi {{ name }},</p>" in parts.html
    assert '1 &lt; 2 &amp; <a href="https://shop.example/?a=1&amp;b=2">' in parts.html
    assert parts.text.startswith(body.replace("{name}", "{{ name }}"))
    assert "{{ unsubscribe_url }}" in parts.text


@pytest.mark.django_db
def test_a_link_in_both_parts_is_tracked_once() -> None:
    body = "<a href='https://shop.example/?a=1&amp;b=2'>See</a>"
    version = freeze(make_template(body=body))
    assert version.links.count() == 1
    sent = Renderer(
        version, campaign_name="Sale", tracked=[link.url for link in version.links.all()]
    ).render(customer_context(Customer()), tracking_for(7))
    assert "shop.example" not in sent.html + sent.text
