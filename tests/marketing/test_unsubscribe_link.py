"""Every recipient sees an unsubscribe link; a missing link is added."""

from __future__ import annotations

import re

import pytest

from marketing.content import unsubscribe_link
from marketing.content.checks import check
from tests.factories.marketing import make_template
from tests.marketing.delivery import send_email
from tests.smtp_sink import Sink

LINK = "<a href='{{ unsubscribe_url }}'>Leave</a>"
BUTTON = "<v:rect href='{{ unsubscribe_url }}'></v:rect>"


@pytest.mark.parametrize(
    "html",
    [
        LINK,
        "<a href={{unsubscribe_url}}>x</a>",
        "<a href='{{- unsubscribe_url | escape -}}#now'>x</a>",
        "<p>{{ unsubscribe_url }}</p>",
        f"{{% if customer.city %}}{LINK}{{% else %}}<p>{LINK}</p>{{% endif %}}",
        f"{{% unless customer.city %}}{LINK}{{% else %}}{LINK}{{% endunless %}}",
        f"{{% case customer.city %}} {{% when 'a' %}}{LINK}{{% when 'b' %}}{LINK}{{% else %}}{LINK}{{% endcase %}}",
        f"{{% if a %}}{{% if b %}}{LINK}{{% else %}}{LINK}{{% endif %}}{{% else %}}{LINK}{{% endif %}}",
        f"{{% if a %}}x{{% endif %}}{LINK}",
        f"{{% if unsubscribe_url %}}{LINK}{{% endif %}}",
        "{% assign u = unsubscribe_url %}<a href='{{ u }}'>x</a>",
        f"{{% capture footer %}}{LINK}{{% endcapture %}}{{{{ footer }}}}",
        "{% capture u %}{{ unsubscribe_url }}{% endcapture %}<a href='{{ u }}'>x</a>",
        f"<!--[if mso]>{LINK}<![endif]--><!--[if !mso]><!-->{LINK}<!--<![endif]-->",
        f"<!--[if gte mso 9]><!-->{LINK}<!--<![endif]-->",
        "<a href='{% if a %}{{ unsubscribe_url }}{% else %}{{ unsubscribe_url }}?x{% endif %}'>x</a>",
        f"<head><title>T</title><body>{LINK}",
    ],
)  # fmt: skip
def test_every_recipient_sees_the_link(html: str) -> None:
    assert unsubscribe_link.in_html(html)


@pytest.mark.parametrize(
    "html",
    [
        "<p>Hello</p>",
        f"<!-- {LINK} -->",
        f"{{% comment %}}{LINK}{{% endcomment %}}",
        f"{{% raw %}}{LINK}{{% endraw %}}",
        f"{{% if customer.country == 'US' %}}{LINK}{{% endif %}}",
        f"{{% if a %}}{LINK}{{% elsif b %}}{LINK}{{% endif %}}",
        f"{{% if a %}}{LINK}{{% else %}}x{{% endif %}}",
        f"{{% if a %}}{{% if b %}}{LINK}{{% endif %}}{{% else %}}{LINK}{{% endif %}}",
        f"{{% case a %}}{{% when 'a' %}}{LINK}{{% endcase %}}",
        f"{{% for tag in customer.tags %}}{LINK}{{% endfor %}}",
        f"{{% unless a %}}{LINK}{{% endunless %}}",
        f"{{% capture footer %}}{LINK}{{% endcapture %}}",
        f"<!--[if mso]>{LINK}<![endif]-->",
        f"<!--[if !mso]><!-->{LINK}<!--<![endif]-->",
        f"<!--[if !mso]>{LINK}<![endif]-->",
        f"<div style='Display : None'>{LINK}</div>",
        f"<head>{LINK.replace('a', 'style', 1)}</style></head>",
        "<img alt='{{ unsubscribe_url }}'>",
        "<a title='{{ unsubscribe_url }}' href='https://shop.example/'>x</a>",
        "<a href='{% if a %}{{ unsubscribe_url }}{% endif %}'>x</a>",
        "{{ 'unsubscribe_url' }}",
        "{% assign u = unsubscribe_url %}",
    ],
)
def test_some_recipients_see_no_link(html: str) -> None:
    assert not unsubscribe_link.in_html(html)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "html",
    [
        f"<html><body><p>Hello</p><!-- {LINK} --></body></html>",
        f"<html><body><p>Hello</p>{{% if customer.country == 'US' %}}{LINK}{{% endif %}}</body></html>",
    ],
)
def test_a_missing_unsubscribe_link_is_added(sink: Sink, html: str) -> None:
    message = send_email(sink, html, person={"country": "DE"})
    visible = re.sub(r"<!--.*?-->", "", message.html)
    assert re.search(r"<a href=\"[^\"]+/u/[\w-]+\"", visible)
    assert "/u/" in message.text
    assert "no_unsubscribe" in {each.code for each in check(make_template(body=html))}


@pytest.mark.django_db
def test_the_text_part_gets_its_own_link(sink: Sink) -> None:
    text = "Hi{% if customer.country == 'US' %} {{ unsubscribe_url }}{% endif %}"
    message = send_email(sink, LINK, plain_text=text, person={"country": "DE"})
    assert message.text.startswith("Hi\n\nUnsubscribe: http")
