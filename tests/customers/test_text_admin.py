"""The description box above the builder, and the button for similar customers."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from customers.models import Segment
from customers.segments.membership import members
from tests.customers.text_world import line
from tests.factories.customers import make_customer

pytestmark = pytest.mark.django_db


def test_the_description_box_is_above_the_builder(staff_client: Client) -> None:
    page = staff_client.get(reverse("admin:customers_segment_add")).content.decode()

    assert "Audience description" in page
    assert "kindling/segment-text.js" in page


def test_a_description_returns_rules_and_unparsed_words(staff_client: Client) -> None:
    make_customer(city="Paris")

    answer = staff_client.post(
        reverse("admin:customers_segment_describe"),
        {"description": "kind people in Paris with 3+ orders"},
    ).json()

    assert line(answer["rules"]) == "city = Paris AND order_count >= 3"
    assert answer["unparsed"] == ["kind"]
    assert "live in Paris" in answer["explanation"]


def test_a_description_without_meaning_leaves_the_rules(staff_client: Client) -> None:
    answer = staff_client.post(
        reverse("admin:customers_segment_describe"), {"description": "blorf"}
    ).json()

    assert answer["rules"] is None
    assert answer["explanation"].startswith(
        "Nothing of this was understood. The rules stay as they are."
    )


def test_a_long_description_shows_an_error(staff_client: Client) -> None:
    answer = staff_client.post(
        reverse("admin:customers_segment_describe"), {"description": "x" * 3_000}
    )

    assert answer.status_code == 400
    assert "longer than 2,000 characters" in answer.json()["explanation"]


def test_describing_needs_the_right_to_view_segments(client: Client) -> None:
    answer = client.post(reverse("admin:customers_segment_describe"), {"description": "everyone"})

    assert answer.status_code in {302, 403}


def test_similar_customers_need_confirmation_and_reasons(staff_client: Client) -> None:
    base = Segment.objects.create(name="Few", slug="few", kind=Segment.Kind.STATIC)
    members.add(base, [make_customer().pk])
    url = reverse("admin:customers_segment_find_lookalikes", args=[base.pk])

    asked = staff_client.get(url)
    refused = staff_client.post(url, {"confirmed": "yes"}, follow=True)

    assert "Find customers similar to “Few”?" in asked.content.decode()
    assert "has 1 members; a lookalike takes at least" in refused.content.decode()
    assert Segment.objects.count() == 1
