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


MERGE_TAGS = {
    "Mailchimp": "*|FNAME|*  *|MERGE1|*  *|IFNOT:ARCHIVE_PAGE|*  *|UNSUB|*",
    "Marketing Cloud": "%%FIRSTNAME%%  %%first_name%%  %%=v(@name)=%%  %%emailaddr%%",
    "Mailgun": "%recipient.name%  %recipient_email%  %unsubscribe_url%  %tag_unsubscribe_url%",
    "ActiveCampaign": "%FIRSTNAME%  %EMAIL%  %UNSUBSCRIBELINK%",
    "GetResponse": '[[first_name]]  [[firstname]]  [[FIRSTNAME OR "Friend"]]  [[contact.first_name]]  [[anything]]',
    "Campaign Monitor": "[firstname,fallback=friend]  [fullname]  <unsubscribe>leave</unsubscribe>  [email]",
    "MailPoet": "[subscriber:firstname | default:reader]  [subscriber:email]",
    "Mautic": "{contactfield=firstname}  {leadfield=email}",
    "MailerLite": "{$name}  {$unsubscribe}",
    "AWeber": "{!firstname_fix}  {!Contact.FirstName}",
    "Zoho": "$[FNAME]$  $[FNAME|there]$  ${Contacts.First Name}",
    "SendGrid": "<%asm_group_unsubscribe_url%>  <%body%>",
    "others": "{FIRST_NAME}  {firstname}  {FirstName}  {fname}  ~Contact.FirstName~  @FIRSTNAME@  #recipient:name#",
    "Brevo": "{{ contact.FIRSTNAME }}  {{ contact.EMAIL | default: 'x' }}",
    "Drip": "{{ subscriber.first_name }}  {% if lead.city %}x{% endif %}",
}
"""Merge tags as the help pages of the products write them, two spaces between them."""


@pytest.mark.parametrize("product", MERGE_TAGS)
def test_a_merge_tag_of_another_product_is_refused(product: str) -> None:
    for tag in MERGE_TAGS[product].split("  "):
        with pytest.raises(ContentError, match="merge tag") as caught:
            build(CampaignTemplate(subject="Hi", body=f"<p>\nHi {tag}!</p>"))
        assert caught.value.line == 2, tag
        build(CampaignTemplate(subject="Hi", body=f"<p>{{% raw %}}{tag}{{% endraw %}}</p>"))


def test_a_merge_tag_is_refused_in_every_part() -> None:
    for part in ("subject", "preheader", "plain_text"):
        with pytest.raises(ContentError, match=r"customer\.first_name") as caught:
            build(CampaignTemplate(**{"subject": "Hi", "body": "<p>Hi</p>", part: "*|FNAME|*"}))
        assert caught.value.part == part
    with pytest.raises(ContentError, match=r"customer\.email"):
        build(CampaignTemplate(subject="Hi", body="<a href='https://a.example/?e=*|EMAIL|*'>x</a>"))
    with pytest.raises(ContentError, match="unsubscribe_url"):
        build(CampaignTemplate(channel="sms", body="Bye: %unsubscribe_url%"))


@pytest.mark.parametrize(
    "text",
    [
        "Hi {first_name}, {unsubscribe_url} {{ first_name }} {{ customer.email }}",
        "<style>a{color:red}.name{margin:0}@media(max-width:600px){.email{width:100%}}</style>",
        "100%% off, 50%-70% off, 5 % name, https://a.example/?q=%C3%A9name%20city%20",
        "<!--[if mso]><table><![endif]--> [1] [a note] [name](https://a.example) [[ ]]",
        "[SMS] Hello, [State] and [City, Country] [First] <style>a[title]{margin:0} meta[name]{color:red}</style>",
        "*bold* |x| * | a@b.example, C|O, f{x}, {12}, {a: 1}",
        "a@NAME.example me@city.example #name @name",
        "{% for contact in customer.attributes.contacts %}{{ contact.name }}{% endfor %}",
        "{{ data.contact.name }} {{ event.name }} {{ customer.attributes.FIRSTNAME }}",
    ],
)
def test_a_text_with_the_same_marks_is_accepted(text: str) -> None:
    build(CampaignTemplate(subject="Hi", body=f"<p>{text}</p>"))


@pytest.mark.django_db
def test_the_api_refuses_merge_tags_when_saving(api: APIClient) -> None:
    given = {"name": "T", "body": "<p>Hello *|FNAME|*</p>"}
    response = api.post("/api/templates/", given)
    assert response.status_code == 400
    assert "customer.first_name" in str(response.json())
    snippet = {"name": "greeting", "body": "Hello %%FIRSTNAME%%"}
    assert api.post("/api/snippets/", snippet).status_code == 400
    takes_a_value = {**snippet, "body": "Hello {{ contact.name }}"}
    assert api.post("/api/snippets/", takes_a_value).status_code == 201


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
