"""Lookalikes find similar customers, explain their drivers, and refuse unsuitable segments."""

from __future__ import annotations

import random
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from customers.models import Customer, CustomerInterest, Segment
from customers.segments import lookalike
from customers.segments.membership import members

pytestmark = pytest.mark.django_db


def make_people(number: int, *, prefix: str, spend: int, interest: str, city: str) -> list[int]:
    """Create customers of one kind with randomly varied spend."""
    chance = random.Random(prefix)
    now = timezone.now()
    made = Customer.objects.bulk_create(
        Customer(
            email=f"{prefix}-{at}@example.com",
            city=city if chance.random() < 0.8 else "Elsewhere",
            country="FR",
            total_spend=Decimal(round(chance.lognormvariate(0, 0.5) * spend, 2)),
            order_count=chance.randint(1, 2 + spend // 100),
            last_order_at=now - timedelta(days=chance.randint(1, 60)),
            visit_count=chance.randint(0, 20),
        )
        for at in range(number)
    )
    CustomerInterest.objects.bulk_create(
        CustomerInterest(customer=person, category=interest)
        for person in made
        if chance.random() < 0.7
    )
    return [person.pk for person in made]


def make_segment(name: str, customer_ids: list[int]) -> Segment:
    segment = Segment.objects.create(name=name, slug=name.lower(), kind=Segment.Kind.STATIC)
    members.add(segment, customer_ids)
    return segment


def test_similar_customers_outside_are_found() -> None:
    hikers = make_people(200, prefix="in", spend=900, interest="hiking", city="Lyon")
    hidden = make_people(60, prefix="like", spend=900, interest="hiking", city="Lyon")
    make_people(600, prefix="other", spend=80, interest="opera", city="Paris")
    base = make_segment("Hikers", hikers)

    found = lookalike.find_lookalikes(base, size=60)

    inside = set(found.segment.memberships.values_list("customer_id", flat=True))
    assert found.segment.kind == Segment.Kind.STATIC
    assert found.segment.size == len(inside) == 60
    assert not inside & set(hikers)
    assert len(inside & set(hidden)) >= 50
    assert found.auc > 0.85


def test_drivers_have_labels_and_means() -> None:
    base = make_segment(
        "Hikers", make_people(150, prefix="in", spend=900, interest="hiking", city="Lyon")
    )
    make_people(500, prefix="other", spend=80, interest="opera", city="Paris")

    found = lookalike.find_lookalikes(base, percent=10)

    drivers = {driver.feature: driver for driver in found.drivers}
    assert found.segment.size == 50
    assert drivers["total spend"].weight > 0
    assert drivers["total spend"].members > 500 > 200 > drivers["total spend"].others
    assert drivers["interest: opera"].weight < 0
    assert drivers["interest: opera"].members == 0
    assert "total spend" in found.segment.description
    assert "AUC" in found.segment.description


def test_the_same_segment_gives_the_same_lookalike() -> None:
    base = make_segment(
        "Hikers", make_people(150, prefix="in", spend=900, interest="hiking", city="Lyon")
    )
    make_people(500, prefix="other", spend=300, interest="opera", city="Paris")

    first, second = (lookalike.find_lookalikes(base, size=40) for _ in range(2))

    assert (first.auc, first.drivers) == (second.auc, second.drivers)
    assert first.segment.slug == "like-hikers"
    assert second.segment.slug == "like-hikers-2"
    assert set(first.segment.members.values_list("pk", flat=True)) == set(
        second.segment.members.values_list("pk", flat=True)
    )


def test_a_small_segment_is_refused() -> None:
    base = make_segment(
        "Few", make_people(12, prefix="in", spend=900, interest="hiking", city="Lyon")
    )
    make_people(100, prefix="other", spend=80, interest="opera", city="Paris")

    with pytest.raises(lookalike.NoLookalike, match=r"has 12 members; .* takes at least 50"):
        lookalike.find_lookalikes(base, size=10)

    assert Segment.objects.count() == 1


def test_a_segment_of_nearly_everyone_is_refused() -> None:
    base = make_segment(
        "All", make_people(80, prefix="in", spend=900, interest="hiking", city="Lyon")
    )

    with pytest.raises(lookalike.NoLookalike, match="Only 0 customers are outside"):
        lookalike.find_lookalikes(base, size=10)


def test_members_without_a_difference_are_refused() -> None:
    people = make_people(800, prefix="all", spend=300, interest="opera", city="Paris")
    base = make_segment("Chance", people[::4])

    with pytest.raises(lookalike.NoLookalike, match=r"do not differ .*AUC 0\.[45]"):
        lookalike.find_lookalikes(base, size=10)


def test_both_api_paths_return_the_new_segment(api: APIClient) -> None:
    base = make_segment(
        "Hikers", make_people(150, prefix="in", spend=900, interest="hiking", city="Lyon")
    )
    make_people(400, prefix="other", spend=80, interest="opera", city="Paris")

    by_segment = api.post(f"/api/segments/{base.slug}/lookalike", {"size": 25}, format="json")
    by_helper = api.post(
        "/api/ai/lookalike-audience",
        {"baseSegmentId": base.slug, "percent": 5, "name": "Twins"},
        format="json",
    )

    assert by_segment.status_code == by_helper.status_code == 201, by_segment.data
    assert by_segment.data["segment"]["size"] == 25
    assert by_segment.data["auc"] > 0.8
    assert {"feature", "weight", "members", "others"} == by_segment.data["drivers"][0].keys()
    assert by_helper.data["segment"]["name"] == "Twins"
    assert by_helper.data["segment"]["size"] == 20


def test_a_refusal_returns_409_with_the_reason(api: APIClient) -> None:
    base = make_segment("Few", [])

    answer = api.post(f"/api/segments/{base.slug}/lookalike", {"size": 25}, format="json")

    assert answer.status_code == 409
    assert "takes at least 50" in answer.data["detail"]


def test_size_and_percentage_together_are_refused(api: APIClient) -> None:
    base = make_segment("Few", [])

    answer = api.post(
        "/api/ai/lookalike-audience",
        {"base_segment_id": base.slug, "size": 5, "percent": 5},
        format="json",
    )

    assert answer.status_code == 400
