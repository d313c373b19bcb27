"""A write repeated with its idempotency key happens once and returns its first response."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from rest_framework.test import APIClient

from crm.accounts.models import User
from crm.events.models import MarketingEvent
from customers.models import Customer, ImportJob

pytestmark = pytest.mark.django_db

ADA = {"email": "ada@example.com"}


def post(api: APIClient, body: dict[str, str], key: str, path: str = "/api/customers") -> Any:
    return api.post(path, body, format="json", HTTP_IDEMPOTENCY_KEY=key)


def test_the_first_response_is_repeated(api: APIClient) -> None:
    first = post(api, ADA, "one")
    again = post(api, ADA, "one")
    assert first.status_code == again.status_code == 201
    assert first.json() == again.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    assert Customer.objects.count() == 1


def test_the_same_key_with_another_body_is_a_conflict(api: APIClient) -> None:
    post(api, ADA, "one")
    assert post(api, {"email": "bob@example.com"}, "one").status_code == 409
    assert Customer.objects.count() == 1


def test_another_key_repeats_the_write(api: APIClient) -> None:
    assert post(api, ADA, "one").status_code == 201
    assert post(api, ADA, "two").status_code == 200


def test_a_refusal_is_stored_too(api: APIClient) -> None:
    broken = {"email": "no address"}
    assert post(api, broken, "one").status_code == post(api, broken, "one").status_code == 400


def test_the_query_string_is_part_of_the_request(api: APIClient) -> None:
    body, key = {"customers": [ADA]}, {"HTTP_IDEMPOTENCY_KEY": "one"}
    assert api.post("/api/customers/batch", body, format="json", **key).status_code == 200
    later = api.post("/api/customers/batch?mode=async", body, format="json", **key)
    assert later.status_code == 409


def test_files_of_one_name_are_compared_by_content(api: APIClient) -> None:
    def send(line: str) -> int:
        file = SimpleUploadedFile("people.csv", f"email\n{line}\n".encode())
        sent = {"kind": "customers", "file": file}
        answer = api.post("/api/imports", sent, format="multipart", HTTP_IDEMPOTENCY_KEY="one")
        return int(answer.status_code)

    assert send("ada@example.com") == send("ada@example.com") == 202
    assert send("bob@example.com") == 409
    assert ImportJob.objects.count() == 1


def test_a_repeated_refusal_is_the_same_problem(api: APIClient) -> None:
    broken = {"email": "no address"}
    post(api, broken, "one")
    again = post(api, broken, "one")
    assert again.headers["Content-Type"] == "application/problem+json"
    assert again.headers["Idempotency-Replayed"] == "true"


def test_a_long_key_is_refused_and_not_truncated(api: APIClient) -> None:
    assert post(api, ADA, "k" * 256).status_code == 400


def test_responses_are_stored_encrypted(api: APIClient) -> None:
    made = api.post(
        "/api/webhooks",
        {"name": "Shop", "url": "https://shop.example/hook"},
        format="json",
        HTTP_IDEMPOTENCY_KEY="one",
    )
    assert made.status_code == 201
    redis = cache._cache.get_client()
    kept = b"".join(redis.get(key) or b"" for key in redis.scan_iter("*idempotency*"))
    assert kept
    assert made.json()["secret"].encode() not in kept


@pytest.mark.django_db(transaction=True)
def test_one_of_many_concurrent_writes_is_executed(staff: User) -> None:
    start, answers = threading.Barrier(5), []

    def write() -> None:
        client = APIClient()
        client.force_authenticate(staff)
        start.wait()
        answers.append(post(client, {"type": "shop.opened"}, "one", "/api/events/publish"))
        connection.close()

    writers = [threading.Thread(target=write) for _ in range(5)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert MarketingEvent.objects.filter(type="shop.opened").count() == 1
    assert len({answer.json()["id"] for answer in answers if answer.status_code == 201}) == 1
