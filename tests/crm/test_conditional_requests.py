"""ETags avoid repeated responses and prevent lost updates."""

from __future__ import annotations

import threading

import pytest
from django.db import connection
from rest_framework.test import APIClient

from crm.accounts.models import User
from customers.models import Customer, Segment
from marketing.models import Sender
from tests.factories.customers import make_customer

pytestmark = pytest.mark.django_db


@pytest.fixture
def segment() -> Segment:
    return Segment.objects.create(name="VIPs", slug="vips", kind="static")


def tag_of(api: APIClient, path: str) -> str:
    return str(api.get(path).headers["ETag"])


def test_an_unchanged_response_returns_304(api: APIClient, segment: Segment) -> None:
    tag = tag_of(api, "/api/segments/vips")
    again = api.get("/api/segments/vips", HTTP_IF_NONE_MATCH=tag)
    assert again.status_code == 304
    assert again.content == b""
    assert again.headers["ETag"] == tag


def test_a_changed_object_has_another_etag(api: APIClient, segment: Segment) -> None:
    tag = tag_of(api, "/api/segments/vips")
    api.patch("/api/segments/vips", {"description": "Big spenders"})
    again = api.get("/api/segments/vips", HTTP_IF_NONE_MATCH=tag)
    assert again.status_code == 200
    assert again.headers["ETag"] != tag


def test_a_write_with_the_current_etag_succeeds(api: APIClient, segment: Segment) -> None:
    tag = tag_of(api, "/api/segments/vips")
    changed = api.patch("/api/segments/vips", {"description": "new"}, HTTP_IF_MATCH=tag)
    assert changed.status_code == 200


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_a_write_with_an_old_etag_is_refused(api: APIClient, segment: Segment, method: str) -> None:
    tag = tag_of(api, "/api/segments/vips")
    Segment.objects.update(description="of somebody else")
    body = {"name": "Mine", "slug": "vips", "kind": "static"}
    refused = getattr(api, method)("/api/segments/vips", body, HTTP_IF_MATCH=tag)
    assert refused.status_code == 412
    assert refused.json()["type"] == "precondition-failed"
    assert Segment.objects.get().description == "of somebody else"


def test_a_star_matches_any_etag(api: APIClient, segment: Segment) -> None:
    assert api.delete("/api/segments/vips", HTTP_IF_MATCH="*").status_code == 204
    assert api.delete("/api/segments/vips", HTTP_IF_MATCH="*").status_code == 404


def test_an_etag_from_a_read_is_valid_for_a_write(api: APIClient) -> None:
    sender = Sender.objects.create(name="Shop", channel="email", from_address="shop@example.com")
    path = next(row["id"] for row in api.get("/api/senders").json()["results"])
    tag = tag_of(api, f"/api/senders/{path}")
    changed = api.patch(f"/api/senders/{path}", {"name": "Store"}, HTTP_IF_MATCH=tag)
    assert changed.status_code == 200
    sender.refresh_from_db()
    assert sender.name == "Store"


def test_a_customer_has_conditional_writes_too(api: APIClient) -> None:
    customer = make_customer(external_id="c1", first_name="Ada")
    tag = tag_of(api, "/api/customers/c1")
    Customer.objects.filter(pk=customer.pk).update(first_name="Augusta")
    refused = api.patch("/api/customers/c1", {"first_name": "Eve"}, HTTP_IF_MATCH=tag)
    assert refused.status_code == 412


@pytest.mark.django_db(transaction=True)
def test_one_of_two_concurrent_writers_is_refused(staff: User, segment: Segment) -> None:
    api = APIClient()
    api.force_authenticate(staff)
    tag = tag_of(api, "/api/segments/vips")
    start, statuses = threading.Barrier(2), []

    def write(words: str) -> None:
        client = APIClient()
        client.force_authenticate(staff)
        start.wait()
        answer = client.patch("/api/segments/vips", {"description": words}, HTTP_IF_MATCH=tag)
        statuses.append(answer.status_code)
        connection.close()

    writers = [threading.Thread(target=write, args=(words,)) for words in ("one", "two")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert sorted(statuses) == [200, 412]
