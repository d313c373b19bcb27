"""Checks before sending report errors and warnings, each with a code."""

from __future__ import annotations

import pytest

from marketing.content.checks import check
from marketing.content.previews import preview
from marketing.models import CampaignTemplate
from tests.factories.customers import make_customer
from tests.factories.marketing import make_template

pytestmark = pytest.mark.django_db

WORDS = "<p>" + "Our spring collection is here. " * 20 + "</p>"
GOOD = (
    f"<html><body>{WORDS}<a href='https://shop.example/'>See it</a>"
    "<img src='https://shop.example/a.png' alt='Shoes'>"
    "<a href='{{ unsubscribe_url }}'>Leave</a></body></html>"
)


def codes(**fields: str) -> set[str]:
    given = {"subject": "Spring is here", "preheader": "See what is new", "body": GOOD, **fields}
    return {each.code for each in check(make_template(**given))}


def test_a_good_message_has_no_findings() -> None:
    assert codes() == set()


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"subject": ""}, "no_subject"),
        ({"preheader": ""}, "no_preheader"),
        ({"body": WORDS}, "no_unsubscribe"),
        ({"body": GOOD + "{{ customer.frist_name }}"}, "unknown_variable"),
        ({"body": GOOD + "Hi {frist_name}"}, "unknown_variable"),
        ({"preheader": "{{ customer.nick }}"}, "unknown_variable"),
        ({"body": GOOD + "<a href=''>x</a>"}, "broken_link"),
        ({"body": GOOD + "<a href='htps://shop.example'>x</a>"}, "broken_link"),
        ({"body": GOOD + "<a href='https://shop'>x</a>"}, "broken_link"),
        ({"body": GOOD + "<a href='https://shop.example/a b'>x</a>"}, "broken_link"),
        ({"body": GOOD + "<a href='/sale'>x</a>"}, "broken_link"),
        ({"body": GOOD + "<a href='javascript:alert(1)'>x</a>"}, "broken_link"),
        ({"body": GOOD + "<a href='https://[::1'>x</a>"}, "broken_link"),
        ({"body": GOOD + "<a href='http://shop.example'>x</a>"}, "http_link"),
        ({"body": GOOD + "<img src='https://shop.example/a.png'>"}, "no_alt"),
        ({"body": GOOD + "<img alt='' src='a.png'>"}, "broken_image"),
        ({"body": GOOD + "x" * 105_000}, "oversize"),
        ({"body": GOOD + "<script>1</script>"}, "removed_element"),
        ({"subject": "BUY THIS NOW"}, "spam_trait"),
        ({"subject": "Really?!"}, "spam_trait"),
        ({"body": "<img alt='' src='https://a.example/b.png'>{unsubscribe_url}"}, "spam_trait"),
        ({"body": GOOD + "<a href='https://bit.ly/x'>x</a>"}, "spam_trait"),
        ({"body": GOOD + "<a href='https://10.0.0.1/x'>x</a>"}, "spam_trait"),
        ({"body": GOOD + "<a href='https://evil.example/'>www.bank.example</a>"}, "spam_trait"),
        ({"body": GOOD + "{% if %}"}, "unreadable"),
    ],
)
def test_each_problem_has_its_code(fields: dict[str, str], code: str) -> None:
    assert codes(**fields) == {code}


@pytest.mark.parametrize(
    "href",
    [
        "mailto:a@shop.example",
        "tel:+49301234",
        "#top",
        "https://shop.example:8080/a?b=c#d",
        "https://münchen.example/straße",
        "//shop.example/a",
        "{{ customer.attributes.page }}",
        "https://shop.example/{{ customer.id }}",
    ],
)
def test_valid_addresses_cause_no_finding(href: str) -> None:
    assert codes(body=GOOD + f"<a href='{href}'>x</a>") == set()


def test_the_preview_shows_a_link_broken_for_its_customer() -> None:
    template = make_template(body=GOOD + "<a href='{{ customer.attributes.page }}'>x</a>")
    good = make_customer(attributes={"page": "https://shop.example/ada"})
    bad = make_customer(attributes={"page": "nowhere"})
    assert "broken_link" not in {each.code for each in preview(template, good).findings}
    assert "broken_link" in {each.code for each in preview(template, bad).findings}


def test_a_finding_names_characters_that_force_ucs2() -> None:
    template = CampaignTemplate(channel="sms", body="Don’t miss it")
    (found,) = check(template)
    assert (found.code, "’" in found.message) == ("ucs2", True)


def test_event_variables_are_known_with_an_event_context() -> None:
    template = make_template(body=GOOD + "{{ event.total }} {{ data.code }} {{ events.x }}")
    unknown = [each.message for each in check(template) if each.code == "unknown_variable"]
    assert unknown == ["No recipient has “events.x”; it stays empty."]
    of_an_event = check(template, context=("event",))
    assert [each.message for each in of_an_event if "data.code" in each.message]
    assert not [each for each in of_an_event if "event.total" in each.message]
