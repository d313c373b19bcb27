"""Segments and previews over the API."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from crm.accounts.models import User
from crm.api import ids, places
from crm.api.places import Places
from customers.models import Segment, SegmentMembership
from tests.factories.customers import make_customer

pytestmark = pytest.mark.django_db

SPENT_MUCH = {
    "operator": "and",
    "conditions": [
        {"field": "totalSpends", "operator": ">", "value": "2000"},
        {"field": "orders", "operator": ">=", "value": 50},
    ],
}


def test_a_new_segment_gets_a_slug_and_canonical_rules(
    api: APIClient,
) -> None:
    answer = api.post(
        "/api/segments/", {"name": "Big Spenders", "rules": SPENT_MUCH}, format="json"
    )

    assert answer.status_code == 201, answer.data
    assert answer.data["slug"] == "big-spenders"
    assert answer.data["rules"] == {
        "operator": "AND",
        "conditions": [
            {"field": "total_spend", "operator": ">", "value": 2000},
            {"field": "order_count", "operator": ">=", "value": 50},
        ],
    }


def test_a_second_segment_of_a_name_gets_its_own_slug(api: APIClient) -> None:
    slugs = [
        api.post("/api/segments/", {"name": "VIP"}, format="json").data["slug"] for _ in range(2)
    ]

    assert slugs == ["vip", "vip-2"]


def test_invalid_rules_are_refused_at_their_paths(api: APIClient) -> None:
    rules = {
        "operator": "AND",
        "conditions": [
            {"field": "total_spend", "operator": ">", "value": 1},
            {"field": "city", "operator": "between", "value": [1, 2]},
            {"field": "sity", "operator": "=", "value": "x"},
        ],
    }
    answer = api.post("/api/segments/", {"name": "Wrong", "rules": rules}, format="json")

    assert answer.status_code == 400
    assert [error["path"] for error in answer.data["errors"]] == [
        "rules.conditions[1].operator",
        "rules.conditions[2].field",
    ]
    assert (
        '"between" does not apply to text field "city"; use one of'
        in answer.data["errors"][0]["message"]
    )
    assert "Did you mean city?" in answer.data["errors"][1]["message"]


def test_a_refresh_counts_changes_and_members_are_listed(api: APIClient) -> None:
    rich = make_customer(total_spend=2001, order_count=50)
    make_customer(total_spend=2000, order_count=50)
    api.post("/api/segments/", {"name": "Big Spenders", "rules": SPENT_MUCH}, format="json")

    refreshed = api.post("/api/segments/big-spenders/refresh/")
    listed = api.get("/api/segments/big-spenders/customers/")

    assert {**refreshed.data, "ms": 0} == {"added": 1, "removed": 0, "size": 1, "ms": 0}
    assert [row["customer"]["id"] for row in listed.data["results"]] == [ids.encode("cus", rich.pk)]


def test_a_segment_is_found_by_public_id_and_by_slug(api: APIClient) -> None:
    segment = Segment.objects.create(name="VIP", slug="vip")

    for name in ("vip", ids.encode("seg", segment.pk)):
        assert api.get(f"/api/segments/{name}/").data["name"] == "VIP"
    assert api.get("/api/segments/nobody/").status_code == 404


def test_static_members_are_added_removed_or_unknown(
    api: APIClient,
) -> None:
    ada, eve = make_customer(external_id="ada"), make_customer()
    segment = Segment.objects.create(name="List", slug="list", kind=Segment.Kind.STATIC)
    given = {"customers": ["ada", ids.encode("cus", eve.pk), "nobody"]}

    added = api.post("/api/segments/list/customers/", given, format="json")
    removed = api.delete("/api/segments/list/customers/", {"customers": ["ada"]}, format="json")

    assert added.data == {
        "changed": 2,
        "size": 2,
        "unknown": ["nobody"],
        "errors": [{"index": 2, "message": "No customer has this id or address."}],
    }
    assert removed.data == {"changed": 1, "size": 1, "unknown": [], "errors": []}
    assert list(segment.memberships.values_list("customer_id", flat=True)) == [eve.pk]
    assert ada.memberships.count() == 0


def test_a_comparison_shows_both_segments(api: APIClient) -> None:
    one, both = make_customer(email="one@example.com"), make_customer(external_id="both")
    for slug in ("a", "b"):
        Segment.objects.create(name=slug, slug=slug, kind=Segment.Kind.STATIC)
    names = {"customers": ["ONE@example.com", "both"]}
    assert api.post("/api/segments/a/customers/", names, format="json").data["changed"] == 2
    api.post("/api/segments/b/customers/", {"customers": ["both"]}, format="json")

    answer = api.get("/api/segments/a/overlap/?with=b")

    assert answer.data == {"only_first": 1, "both": 1, "only_second": 0}
    assert api.get("/api/segments/a/overlap/?with=nobody").status_code == 404
    assert {one, both} == set(Segment.objects.get(slug="a").members.all())


def test_members_of_a_dynamic_segment_cannot_be_changed(api: APIClient) -> None:
    make_customer(external_id="ada")
    Segment.objects.create(name="VIP", slug="vip")

    answer = api.post("/api/segments/vip/customers/", {"customers": ["ada"]}, format="json")

    assert answer.status_code == 409
    assert not SegmentMembership.objects.exists()


def test_a_used_segment_keeps_its_slug_and_cannot_be_deleted(api: APIClient) -> None:
    Segment.objects.create(name="VIP", slug="vip")
    speaks = {
        "operator": "AND",
        "conditions": [{"field": "segment", "operator": "contains", "value": "vip"}],
    }
    Segment.objects.create(name="VIP in Berlin", slug="vip-berlin", rules=speaks)

    assert api.delete("/api/segments/vip/").status_code == 409
    answer = api.patch("/api/segments/vip/", {"slug": "very-important"}, format="json")
    assert answer.status_code == 400
    assert "VIP in Berlin" in answer.data["errors"][0]["message"]


def test_a_cycle_of_segments_is_refused(api: APIClient) -> None:
    Segment.objects.create(name="A", slug="a")
    to_a = {
        "operator": "AND",
        "conditions": [{"field": "segment", "operator": "contains", "value": "a"}],
    }
    Segment.objects.create(name="B", slug="b", rules=to_a)
    to_b = {
        "operator": "AND",
        "conditions": [{"field": "segment", "operator": "contains_any", "value": ["b"]}],
    }

    answer = api.patch("/api/segments/a/", {"rules": to_b}, format="json")

    assert answer.status_code == 400
    assert answer.data["errors"][0]["path"] == "rules.conditions[0].value[0]"


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_preview_returns_a_count_and_a_sample(api: APIClient, method: str) -> None:
    make_customer(total_spend=5000, order_count=51, first_name="Grace")
    make_customer()
    given: dict[str, Any] = {"rules": json.dumps(SPENT_MUCH) if method == "get" else SPENT_MUCH}

    answer = getattr(api, method)(
        "/api/customers/preview/", given, **({"format": "json"} if method == "post" else {})
    )

    assert answer.status_code == 200, answer.data
    assert (answer.data["count"], answer.data["count_estimated"], answer.data["percentage"]) == (
        1,
        False,
        50.0,
    )
    assert [person["name"] for person in answer.data["sample"]] == ["Grace"]
    assert answer.data["sql_ms"] >= 0


@pytest.mark.parametrize("rules", ["", "nonsense", "[]", '{"operator": "AND"}', "[" * 100_000])
def test_a_preview_of_invalid_json_returns_400(api: APIClient, rules: str) -> None:
    answer = api.get("/api/customers/preview/", {"rules": rules})

    assert answer.status_code == 400
    assert answer.data["errors"][0]["path"].startswith("rules")


def test_segments_are_searched_filtered_ordered_and_exported(api: APIClient) -> None:
    Segment.objects.create(name="Small", slug="small", size=1)
    Segment.objects.create(name="Large", slug="large", size=9, kind=Segment.Kind.STATIC)

    def names(**query: str) -> list[str]:
        return [each["name"] for each in api.get("/api/segments/", query).data["results"]]

    assert names(ordering="-size") == ["Large", "Small"]
    assert names(kind="static") == ["Large"]
    assert names(size_max="5") == ["Small"]
    assert names(search="mall") == ["Small"]
    exported = b"".join(api.get("/api/segments/", {"format": "csv"}).streaming_content).decode()
    assert exported.splitlines()[0].startswith("id,name,slug")


def test_a_preview_accepts_rules_as_the_body(api: APIClient) -> None:
    rich = make_customer(total_spend=10_001)
    make_customer(total_spend=10_000)
    rules = {
        "operator": "AND",
        "conditions": [{"field": "totalSpends", "operator": ">", "value": "10000"}],
    }

    bare = api.post("/api/customers/preview", rules, format="json")
    wrapped = api.post("/api/customers/preview", {"rules": rules}, format="json")
    asked = api.get("/api/customers/preview", {"rules": json.dumps(rules)})

    for answer in (bare, wrapped, asked):
        assert answer.status_code == 200, answer.data
        assert answer.data["count"] == 1
        assert [person["id"] for person in answer.data["sample"]] == [ids.encode("cus", rich.pk)]


def test_put_replaces_and_delete_removes_a_segment(api: APIClient) -> None:
    Segment.objects.create(name="VIP", slug="vip")

    put = api.put(
        "/api/segments/vip", {"name": "V.I.P.", "slug": "vip", "rules": SPENT_MUCH}, format="json"
    )

    assert put.status_code == 200, put.data
    assert (put.data["name"], len(put.data["rules"]["conditions"])) == ("V.I.P.", 2)
    assert api.delete("/api/segments/vip").status_code == 204
    assert api.get("/api/segments/vip").status_code == 404


def test_counts_leave_threads_to_others(
    api: APIClient, staff: User, staff_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Forty counts of one user held all threads, and /healthz waited for them."""
    monkeypatch.setattr(places, "COUNTS", Places(most=2, most_a_user=1))
    rules = {"operator": "AND", "conditions": []}
    asked: dict[str, Callable[[], Any]] = {
        "preview": lambda: api.post("/api/customers/preview", {"rules": rules}, format="json"),
        "words": lambda: api.post("/api/ai/segment-from-text", {"description": "in Rome"}),
    }
    builder = reverse("admin:customers_segment_preview")
    with places.COUNTS.taken_by(staff.pk):
        for ask in asked.values():
            refused = ask()
            assert (refused.status_code, refused["Retry-After"]) == (429, "1")
        page = staff_client.post(builder, {"rules": json.dumps(rules)}).content.decode()
        assert "Too many counts" in page
    assert {ask().status_code for ask in asked.values()} == {200}
    assert (
        "Too many counts"
        not in staff_client.post(builder, {"rules": json.dumps(rules)}).content.decode()
    )
