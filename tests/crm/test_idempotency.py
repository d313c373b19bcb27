"""A write that is repeated with its key gets its first answer again, and happens once."""

from __future__ import annotations

import pytest
from rest_framework.test import APIClient

from customers.models import Customer

pytestmark = pytest.mark.django_db

ADA = {"email": "ada@example.com"}


def post(api: APIClient, body: dict[str, str], key: str) -> object:
    return api.post("/api/customers", body, format="json", HTTP_IDEMPOTENCY_KEY=key)


def test_the_first_answer_comes_again(api: APIClient) -> None:
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


def test_another_key_is_another_write(api: APIClient) -> None:
    assert post(api, ADA, "one").status_code == 201
    assert post(api, ADA, "two").status_code == 200


def test_a_refusal_is_kept_too(api: APIClient) -> None:
    broken = {"email": "no address"}
    assert post(api, broken, "one").status_code == post(api, broken, "one").status_code == 400
