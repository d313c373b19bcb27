"""Snippets are expanded with limits and frozen into versions."""

from __future__ import annotations

import pytest

from marketing.content import build, snippets, versions
from marketing.content.liquid import ContentError
from marketing.models import Snippet
from tests.factories.marketing import make_template

pytestmark = pytest.mark.django_db


def make_snippet(name: str, body: str) -> Snippet:
    return Snippet.objects.create(name=name, body=body)


def test_a_render_tag_becomes_the_snippet_with_its_values() -> None:
    make_snippet("greeting", "Hi {{ who }}, {{ mood }}!")
    expanded = snippets.expand(
        "<p>{% render 'greeting', who: customer.first_name, mood: \"nice\" %}</p>"
    )
    assert expanded == (
        '<p>{% assign who = customer.first_name %}{% assign mood = "nice" %}Hi {{ who }}, {{ mood }}!</p>'
    )


def test_snippets_contain_snippets_but_not_themselves() -> None:
    make_snippet("legal", "Shop Ltd.")
    make_snippet("footer", "{% include 'legal' %}")
    assert snippets.expand("{% render 'footer' %}") == "Shop Ltd."

    Snippet.objects.filter(name="legal").update(body="{% render 'footer' %}")
    with pytest.raises(ContentError, match="footer → legal → footer"):
        snippets.expand("{% render 'footer' %}")


def test_expanded_snippets_have_a_size_limit() -> None:
    make_snippet("s0", "x" * 1000)
    for number in range(1, 10):
        make_snippet(f"s{number}", f"{{% render 's{number - 1}' %}}" * 10)
    with pytest.raises(ContentError, match="million"):
        snippets.expand("{% render 's9' %}")


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("<p>\n{% render 'nothing' %}", "no snippet “nothing” (line 2)"),
        ("{% render customer.name %}", "is put in by"),
        ("{% render 'a' with b as c %}", "is put in by"),
        ("{% render 'a', b %}", "takes values as"),
    ],
)
def test_an_invalid_snippet_tag_is_reported_with_its_line(body: str, error: str) -> None:
    make_snippet("a", "A")
    with pytest.raises(ContentError) as caught:
        build.build(make_template(body=body))
    assert error in str(caught.value)


def test_an_error_after_a_snippet_has_its_source_line() -> None:
    make_snippet("long", "a\nb\nc\nd")
    with pytest.raises(ContentError, match="line 3"):
        build.build(make_template(body="{% render 'long' %}\n\n{% if %}"))


def test_a_version_freezes_its_snippets() -> None:
    footer = make_snippet("footer", "Old <a href='https://shop.example/'>shop</a>")
    template = make_template(body="<p>Hi</p>{% render 'footer' %}")
    first = versions.freeze(template)
    footer.body = "New"
    footer.save()

    second = versions.freeze(template)

    assert "Old" in first.html
    assert [link.url for link in first.links.all()] == ["https://shop.example/"]
    assert "New" in second.html
    assert second.number == first.number + 1


def test_a_snippet_in_use_cannot_be_deleted() -> None:
    footer = make_snippet("footer", "F")
    make_template(name="Spring", body="{% render 'footer' %}")
    with pytest.raises(snippets.SnippetInUse, match="Spring"):
        snippets.discard_snippet(footer)
