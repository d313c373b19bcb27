"""The tokenizer splits HTML and Liquid without losing a character."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketing.content.tokenizer import Kind, tokenize, tokenize_text, unescape_attribute

PIECES = [
    "<a href=\"", "'", '"', ">", "<", "/", "=", " ", "\n", "x", "<p", "</", "</style>", "<style>", "<title>", "&amp;",
    "{{", "}}", "{%", "%}",
    "{{ x }}", '{{ x | default: ">" }}', "{% if a > b %}", "{% endif %}", "{% raw %}", "{% endraw %}", "{% comment %}", "{% endcomment %}",
    "{% # %}", "{%- doc -%}", "{% enddoc %}", "<!--", "-->", "<!--[if mso]>", "<![endif]-->", "<!--[if !mso]><!-->", "<!--<![endif]-->",
    "<![if !mso]>", "<![endif]>", "<!doctype html>", "\ue000", "\ue001", "\x00", "\x02", "<A HREF=x>", "{name}",
]  # fmt: skip
SOURCES = st.lists(st.sampled_from(PIECES)).map("".join) | st.text()


@given(SOURCES)
def test_tokens_of_html_joined_are_the_source(source: str) -> None:
    assert "".join(token.source for token in tokenize(source)) == source


@given(SOURCES)
def test_tokens_of_text_joined_are_the_source(source: str) -> None:
    assert "".join(token.source for token in tokenize_text(source)) == source


@given(SOURCES)
def test_positions_match_tokens_and_values(source: str) -> None:
    for token in tokenize(source):
        assert source.startswith(token.source, token.start)
        assert all(source.startswith(inside.source, inside.start) for inside in token.liquid)
        assert all(token.source[each.start : each.end] == each.value for each in token.attributes)


@pytest.mark.parametrize(
    ("source", "kinds"),
    [
        ("a{{ x }}b", "TEXT OUTPUT TEXT"),
        ("{% if a > b %}<b>", "TAG START"),
        ("<p {% if x %}class='y'{% endif %}>", "START"),
        ("<p{% if x %} class='y'{% endif %}>", "START"),
        ("<!-- {{ '-->' }} <a href=x> -->z", "COMMENT TEXT"),
        ("{% comment %}{{ x }}<b>{% endcomment %}", "NOTE"),
        ("{% # a <b> %}<i>", "NOTE START"),
        ("{% raw %}{{ x }}<b>{% endraw %}", "TAG TEXT START TAG"),
        ("<!--[if mso]><b><![endif]-->", "CONDITION START CONDITION_END"),
        ("<!--[if mso]><b>-->x<![endif]-->", "COMMENT TEXT CONDITION_END"),
        ("<!--[IF !MSO]><!-- --><b><!--<![EndIf]-->", "CONDITION START CONDITION_END"),
        ("<![if !mso]><b><![endif]>", "CONDITION START CONDITION_END"),
        ("<style>a > b {{ x }} <b></style>", "START TEXT OUTPUT TEXT END"),
        ("<STYLE></x></STYLE >", "START TEXT END"),
        ("1 < 2 > 1", "TEXT"),
        ("<a href='x", "TEXT"),
        ("{{ x", "TEXT"),
        ("<!-->a-->", "COMMENT TEXT"),
        ("<!doctype html><?xml?></>", "DECLARATION DECLARATION TEXT"),
    ],
)
def test_tokens_have_the_expected_kinds(source: str, kinds: str) -> None:
    assert " ".join(token.kind.name for token in tokenize(source)) == kinds


@pytest.mark.parametrize(
    ("source", "attributes"),
    [
        ("<a href=x>", [("href", "x")]),
        ("<a HREF = 'x' b>", [("href", "x"), ("b", "")]),
        ('<a href="{{ a | default: "x>y" }}" c=d>', [("href", '{{ a | default: "x>y" }}'), ("c", "d")]),
        ("<a href={{ a | b: 1 }}/c d>", [("href", "{{ a | b: 1 }}/c"), ("d", "")]),
        ("<a {{ x }}=y href=z>", [("{{ x }}", "y"), ("href", "z")]),
        ("<a {% if x %}href=1{% else %}href=2{% endif %}>", [("href", "1{% else %}href=2{% endif %}")]),
        ("<a {% if x %}href='1'{% else %}href='2'{% endif %}>", [("href", "1"), ("href", "2")]),
        ("<a\nhref='a\nb'/>", [("href", "a\nb")]),
    ],
)  # fmt: skip
def test_attributes_are_parsed(source: str, attributes: list[tuple[str, str]]) -> None:
    (token,) = tokenize(source)
    assert token.kind is Kind.START
    assert [(each.name, each.value) for each in token.attributes] == attributes


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("?id=1&region=eu&copy=2&param=3", "?id=1&region=eu&copy=2&param=3"),
        ("a&amp;b&#38;c&#x26;d", "a&b&c&d"),
        ("&copy;&copy&copyx", "©©&copyx"),
        ("&amp=1&lt", "&amp=1<"),
        ("&notit;&nonsense;&", "&notit;&nonsense;&"),
    ],
)
def test_ambiguous_ampersands_stay_unchanged(source: str, expected: str) -> None:
    assert unescape_attribute(source) == expected
