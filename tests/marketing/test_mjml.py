"""MJML becomes HTML that preserves Liquid, and errors have their line."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from marketing.content import build, mjml
from marketing.content.liquid import ContentError
from marketing.content.starters import STARTERS, Starter
from marketing.models import CampaignTemplate

BODY = """<mjml>
  <mj-body>
    {% if customer.order_count > 3 %}
    <mj-section>
      <mj-column>
        <mj-text>Hi {{ customer.first_name | default: "friend" }} &amp; co</mj-text>
        {% for tag in customer.tags %}
        <mj-button href="https://shop.example/?a=1&amp;tag={{ tag | url_encode }}">{{ tag }}</mj-button>
        {% endfor %}
      </mj-column>
    </mj-section>
    {% endif %}
  </mj-body>
</mjml>"""


@pytest.mark.parametrize("starter", STARTERS, ids=lambda starter: starter.file)
def test_windows_line_ends_give_the_same_html(starter: Starter) -> None:
    sent = starter.body.replace("\n", "\r\n")
    assert mjml.to_html(sent) == mjml.to_html(starter.body)


def test_liquid_between_and_inside_elements_survives() -> None:
    html = mjml.to_html(BODY)
    assert "<table" in html
    assert "mj-" not in html.replace("mj-column-per-100", "").replace("mj-outlook-group-fix", "")
    for piece in (
        "{% if customer.order_count > 3 %}",
        '{{ customer.first_name | default: "friend" }} &amp; co',
        "{% for tag in customer.tags %}",
        "https://shop.example/?a=1&amp;tag={{ tag | url_encode }}",
    ):
        assert piece in html
    assert html.index("{% for") < html.index("{{ tag }}") < html.index("{% endfor %}")


@pytest.mark.parametrize(
    "words", ["a\u00a0b", "C:\\sale", "e\u0301", "👨\u200d👩", "Straße", "مرحبا"]
)
def test_attribute_values_stay_unchanged(words: str) -> None:
    image = f'<mj-image src="https://shop.example/a.png" alt="{words}" />'
    column = f"<mj-section><mj-column>{image}</mj-column></mj-section>"
    assert f'alt="{words}"' in mjml.to_html(f"<mjml><mj-body>{column}</mj-body></mjml>")


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("<p>Hi</p>", "begins with <mjml>, not with <p> (line 1)"),
        ("", "has an <mj-body>"),
        (
            "<mjml>\n<mj-body>\n<mj-section>\n</mj-body></mjml>",
            "<mj-section> is not closed (line 3)",
        ),
        (
            "<mjml>\n<mj-body>\n<mj-sektion></mj-sektion></mj-body></mjml>",
            "no <mj-sektion> (line 3)",
        ),
        (
            "<mjml><mj-body>\n<mj-text>Hi</mj-text></mj-body></mjml>",
            "<mj-text> stands in <mj-column> or <mj-hero>, not in <mj-body> (line 2)",
        ),
        (
            "<mjml><mj-body>\n<mj-section><mj-column>\n<mj-text>a<b>b</mj-text></mj-column></mj-section></mj-body></mjml>",
            "<b> is not closed (line 3)",
        ),
        ("<mjml><mj-body>\n<mj-include path='/etc/passwd' /></mj-body></mjml>", "use a snippet"),
    ],
)
def test_errors_have_their_line(source: str, error: str) -> None:
    with pytest.raises(ContentError) as caught:
        mjml.to_html(source)
    assert error in str(caught.value)


@pytest.mark.django_db
def test_a_message_names_its_language_and_its_subject_as_title(settings: Settings) -> None:
    settings.LANGUAGE_CODE = "de"
    template = CampaignTemplate(
        name="Offer",
        subject="5 < 6, {{ customer.first_name }}",
        body=STARTERS[2].body,
        body_format="mjml",
    )
    html = build.of(template).html
    assert html.startswith('<!doctype html><html lang="de" ')
    assert html.count("<title>") == 1
    assert "<title>5 &lt; 6, {{ customer.first_name }}</title>" in html

    own = STARTERS[2].body.replace("<mjml>", '<mjml lang="fr">')
    template.body = own.replace("<mj-head>", "<mj-head><mj-title>Mine</mj-title>")
    html = build.of(template).html
    assert '<html lang="fr"' in html
    assert "<title>Mine</title>" in html
