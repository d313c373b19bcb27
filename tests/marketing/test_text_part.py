"""The text part contains the readable content of the HTML in order."""

from __future__ import annotations

import pytest

from marketing.content import liquid, plain_text
from tests.marketing.delivery import CLICK, send_email
from tests.smtp_sink import Sink


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<table><tr><td>Qty</td><td>2</td></tr><tr><td>Total</td><td>10</td></tr></table>", "Qty 2\n\nTotal 10"),
        ("<a href='https://shop.example/s'><img src='b.png' alt='Shop now'></a>", "Shop now (https://shop.example/s)"),
        ("<html><head><title>T</title><body><p>Hello</p></body></html>", "Hello"),
        ("<head><meta charset=utf-8><style>p{}</style><p>Hello", "Hello"),
        ("<HEAD><TITLE>T</TITLE></HEAD><P>Hello", "Hello"),
        ("<p>a&nbsp;b&amp;c &copy;</p>", "a b&c ©"),
        ("<img alt=''><img src=x><img alt='Logo &amp; co'>", "Logo & co"),
        ("a<!-- no -->b<!--[if mso]>no<![endif]-->c<!--[if !mso]><!-->d<!--<![endif]-->", "abcd"),
        ("<div style='display:none'>no<br>no<div>no</div></div>yes", "yes"),
        ("<script>if (a < b) no()</script>yes", "yes"),
        ("<textarea><b>x</b></textarea>", "<b>x</b>"),
        ("a{% comment %}<b>no</b>{% endcomment %}b", "ab"),
        ("<p {% if x %}class=a{% endif %}>b</p>", "{% if x %}{% endif %}\nb"),
        ("<head>{% assign a = 1 %}<style>{{ no }}</style></head>{{ a }}", "{% assign a = 1 %}{{ a }}"),
        ("{% if a %}<!-- {% else %} -->b{% endif %}", "{% if a %}{% else %}b{% endif %}"),
        ("<a href='https://a.example/?n={{ x | default: \"a > b\" }}&amp;y'>Go</a>",
         'Go (https://a.example/?n={{ x | default: "a > b" }}&y)'),
        ("<a href='https://a.example/{% if x %}1{% endif %}'>Go</a>", "Go (https://a.example/{% if x %}1{% endif %})"),
        ("<a href=' https://a.example/a b '>Go</a>", "Go (https://a.example/a%20b)"),
        ("<a href='#top'>Top</a><a name=x>y</a>", "Topy"),
        ("&#123;{ x }}", "{% raw %}{{ x }}{% endraw %}"),
        ("{% raw %}{{ x }} &amp; y{% endraw %}", "{% raw %}{{ x }} & y{% endraw %}"),
        ("<th>a</th><td>b</td>\n<td> c </td>", "a b c"),
        ("{% tablerow i in a.b cols: 2 limit:4 %}{{ i }}<br>{% endtablerow %}", "{% for i in a.b  limit:4 %}{{ i }}\n{% endfor %}"),
        ("<a href='//shop.example/x'>Go</a>", "Go (https://shop.example/x)"),
    ],
)  # fmt: skip
def test_html_becomes_readable_text(html: str, text: str) -> None:
    made = plain_text.from_html(html)
    assert made == text
    liquid.compile_template(made, html=False)


@pytest.mark.django_db
def test_a_text_link_is_separated_from_other_characters(sink: Sink) -> None:
    message = send_email(sink, '<a href="https://shop.example/u?e={email}&amp;x=1">Hi</a>')
    assert CLICK.sub("{}", message.text).startswith("Hi ({})")
    assert message.clicks("text") == ["https://shop.example/u?e=ada@example.com&x=1"]


@pytest.mark.django_db
def test_a_name_with_spaces_is_part_of_the_link(sink: Sink) -> None:
    message = send_email(
        sink, "<a href='https://shop.example/u/{name}/x'>Hi</a>", person={"last_name": "van Dam"}
    )
    assert message.clicks("text") == ["https://shop.example/u/Ann%20van%20Dam/x"]
