"""Likely duplicates are found by mailbox, or by name and phone, and stay dismissed."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from customers.identity import duplicates, merge
from customers.models import Customer, LikelyDuplicate, Merge
from tests.factories.customers import make_customer, make_order

pytestmark = pytest.mark.django_db


def found() -> set[tuple[int, int, str]]:
    duplicates.find_duplicates()
    return set(LikelyDuplicate.objects.values_list("customer_id", "other_id", "reason"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ada.lovelace@gmail.com", "adalovelace@gmail.com"),
        ("ada@gmail.com", "Ada+news@googlemail.com"),
        ("ada@example.com", "ada+shop@example.com"),
    ],
)
def test_two_spellings_of_one_mailbox_are_found(one: str, other: str) -> None:
    first, second = make_customer(email=one), make_customer(email=other)

    assert found() == {(first.pk, second.pk, "email")}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ada.lovelace@example.com", "adalovelace@example.com"),
        ("ada@gmail.com", "ada@example.com"),
        ("ada@gmail.com", "bob@gmail.com"),
    ],
)
def test_two_mailboxes_are_not_duplicates(one: str, other: str) -> None:
    make_customer(email=one), make_customer(email=other)

    assert not found()


@pytest.mark.parametrize(
    "name", [("ADA", "lovelace"), ("Lovelace", "Ada"), ("Áda", " Love-lace "), ("Ada", "Lovelace")]
)
def test_the_same_name_and_phone_is_found(name: tuple[str, str]) -> None:
    phone = "+49301234567"
    first = make_customer(first_name="Ada", last_name="Lovelace", phone=phone)
    second = make_customer(first_name=name[0], last_name=name[1], phone=phone)

    assert found() == {(first.pk, second.pk, "name_and_phone")}


def test_a_household_is_not_a_duplicate() -> None:
    for name in ("Ada", "William", "", ""):
        make_customer(first_name=name, phone="+49301234567")

    assert not found()


def test_many_alike_are_paired_with_the_oldest() -> None:
    people = [make_customer(email=f"ada+{number}@example.com") for number in range(4)]

    assert {pair[:2] for pair in found()} == {(people[0].pk, each.pk) for each in people[1:]}


def test_a_dismissed_pair_is_not_proposed_again() -> None:
    make_customer(email="ada@example.com"), make_customer(email="ada+1@example.com")
    duplicates.find_duplicates()

    duplicates.dismiss(LikelyDuplicate.objects.all())
    duplicates.find_duplicates()

    assert LikelyDuplicate.objects.get().dismissed_at is not None


def test_a_pair_that_no_longer_matches_is_removed() -> None:
    make_customer(email="ada@example.com")
    other = make_customer(email="ada+1@example.com")
    duplicates.find_duplicates()

    Customer.objects.filter(pk=other.pk).update(email="bob@example.com")

    assert not found()


def test_a_merged_pair_is_removed() -> None:
    first, second = make_customer(email="a@x.example"), make_customer(email="a+1@x.example")
    duplicates.find_duplicates()

    merge(first.pk, second.pk)

    assert not LikelyDuplicate.objects.exists()


def test_two_records_are_compared_and_merged_in_the_admin(staff_client: Client) -> None:
    first = make_customer(email="ada@example.com", city="Bonn")
    second = make_customer(email="ada+1@example.com", city="Köln", last_name="Lovelace")
    make_order(second)
    duplicates.find_duplicates()
    url = f"/admin/customers/likelyduplicate/compare/{first.pk}/{second.pk}/"

    listed = staff_client.get("/admin/customers/likelyduplicate/")
    page = staff_client.get(url)
    merged = staff_client.post(url, {"survivor": "a", "field-city": "b", "field-email": "a"})

    assert "Compare and merge" in listed.content.decode()
    assert "Köln" in page.content.decode()
    assert merged.status_code == 302
    first.refresh_from_db()
    assert (first.email, first.city, first.name) == ("ada@example.com", "Köln", "Ada Lovelace")
    assert first.orders.count() == 1
    assert Merge.objects.get().merged_by is not None


def test_a_merge_is_undone_in_the_admin_after_a_question(staff_client: Client) -> None:
    first, second = make_customer(email="a@x.example"), make_customer(email="a+1@x.example")
    done = merge(first.pk, second.pk)
    row = staff_client.get("/admin/customers/merge/").content.decode()
    url = f"/admin/customers/merge/{done.pk}/undo/"
    assert url in row

    asked = staff_client.get(url)
    undone = staff_client.post(url, {"confirmed": "yes"})

    assert "Undo this merge?" in asked.content.decode()
    assert undone.status_code == 302
    assert Customer.objects.count() == 2


def test_duplicates_are_found_and_dismissed_in_the_admin(staff_client: Client) -> None:
    make_customer(email="ada@example.com"), make_customer(email="ada+1@example.com")

    staff_client.get("/admin/customers/likelyduplicate/look_again/")
    pair = LikelyDuplicate.objects.get()
    action: dict[str, Any] = {"action": "dismiss", "_selected_action": [pair.pk]}
    staff_client.post("/admin/customers/likelyduplicate/", action)

    pair.refresh_from_db()
    assert pair.dismissed_at is not None
