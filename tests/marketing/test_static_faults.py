"""Errors that affect every recipient are refused on saving, with their line."""

from __future__ import annotations

import pytest
from rest_framework.test import APIClient

from marketing.campaigns import moves
from marketing.campaigns.states import NotReady
from marketing.content.build import build
from marketing.content.liquid import ContentError
from marketing.models import CampaignTemplate, CampaignVariant
from tests.factories.customers import make_customer
from tests.factories.marketing import make_campaign, make_template


@pytest.mark.parametrize(
    ("part", "source", "line"),
    [
        ("body", "<p>\n{{ customer.total_spend | money }}</p>", 2),
        ("body", "a\n\n{% assign x = 1 | nofilter %}", 3),
        ("body", "{% if a %}\n{{ a | upcase | nofilter: 1 }}{% endif %}", 2),
        ("body", "{% for a in b %}{% else %}\n{{ 'x' | nofilter }}{% endfor %}", 2),
        ("body", "<a href='{{ x | nofilter }}'>", 1),
        ("body", "\n{% nosuchtag %}", 2),
        ("body", "\n{{ name | replace }}", 2),
        ("body", "{{ name | upcase: 1 }}", 1),
        ("body", "{% assign when = 'now' | date %}", 1),
        ("body", "{{ name | default: 'x', allow_false: true, other: 1 }}", 1),
        ("body", "{% if a %}\n", None),
        ("subject", "{{ name | nofilter }}", 1),
        ("preheader", "{{ name | nofilter }}", 1),
        ("plain_text", "x\n{{ name | nofilter }}", 2),
    ],
)
def test_the_error_names_part_and_line(part: str, source: str, line: int | None) -> None:
    template = CampaignTemplate(**{"subject": "Hi", "body": "<p>Hi</p>", part: source})
    with pytest.raises(ContentError) as caught:
        build(template)
    assert caught.value.part == part
    assert line is None or caught.value.line == line


def test_known_filters_are_accepted() -> None:
    build(
        CampaignTemplate(
            subject="Hi",
            body="{{ a | date: '%Y' | default: 'x', allow_false: true | slice: 1 | json }}{% raw %}{{ x | nofilter }}{% endraw %}",
        )
    )


@pytest.mark.django_db
@pytest.mark.parametrize("channel", ["email", "sms"])
def test_the_api_refuses_an_unknown_filter(api: APIClient, channel: str) -> None:
    given = {"name": "T", "channel": channel, "body": "<p>{{ customer.total_spend | money }}</p>"}
    response = api.post("/api/templates/", given)
    assert response.status_code == 400
    assert "money" in str(response.json())
    assert "line 1" in str(response.json())


@pytest.mark.django_db
@pytest.mark.parametrize("variants", [False, True])
def test_a_campaign_that_fails_for_everybody_does_not_start(*, variants: bool) -> None:
    for number in range(3):
        make_customer(attributes={"parts": 0 if number else "none"})
    broken = make_template(body="{{ 10 | divided_by: customer.attributes.parts }}")
    campaign = make_campaign(template=make_template() if variants else broken)
    if variants:
        CampaignVariant.objects.create(campaign=campaign, name="B", weight=1, template=broken)

    with pytest.raises(NotReady, match="cannot be rendered for any customer"):
        moves.launch(campaign)

    assert not campaign.runs.exists()
    make_customer(attributes={"parts": 2})
    assert moves.launch(campaign)
