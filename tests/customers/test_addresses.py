"""An address with an international domain is one customer, one suppression and one mailbox, however it is spelled (RFC 5891)."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from hypothesis import assume, given
from hypothesis import strategies as st
from rest_framework.test import APIClient

from customers import clean, consent
from customers.clean.cells import is_placeholder_email
from customers.identity import find
from customers.ingest import clean_customer, upsert_customers
from customers.models import Customer, Suppression
from marketing.channels.mime import ascii_address
from tests.factories.marketing import make_sender

BOOKS = "ann@xn--bcher-kva.example"
SPELLINGS = (
    *("ann@bücher.example", "Ann@BÜCHER.example", "ann@bu\u0308cher.example", "ann@xn--bcher-kva.example"),
    *("ann@XN--BCHER-KVA.EXAMPLE", "ann@bücher。example", "ann＠bücher.example", "ann@ｂüｃher.example"),
)  # fmt: skip


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_spellings_of_a_domain_are_one_address(spelling: str) -> None:
    assert clean.email(spelling) == BOOKS


def test_invisible_characters_around_a_copied_address_are_removed() -> None:
    for address in ("\u200bann@example.com\u00a0", "\ufeffAnn@bücher.example\u200e"):
        assert clean.email(address) in {"ann@example.com", BOOKS}


@pytest.mark.parametrize(
    ("address", "stored"),
    [
        ("ann@straße.example", "ann@xn--strae-oqa.example"),
        ("ann@STRASSE.example", "ann@strasse.example"),
        ("ann@faß.example", "ann@xn--fa-hia.example"),
        ("ann@βόλος.example", "ann@xn--nxasmm1c.example"),
        ("ann@例え.テスト", "ann@xn--r8jz45g.xn--zckzah"),
        ("ann@пример.рф", "ann@xn--e1afmkfd.xn--p1ai"),
        ("ann@ex--ample.com", "ann@ex--ample.com"),
        ("o'neil@bücher.example", "o'neil@xn--bcher-kva.example"),
        ("ann@[192.0.2.1]", "ann@[192.0.2.1]"),
    ],
)
def test_a_domain_is_stored_by_idna_2008(address: str, stored: str) -> None:
    assert clean.email(address) == stored
    assert ascii_address(address).lower() == stored


@pytest.mark.parametrize(
    "address", ["jörg@example.com", "ann@xn--a.example", "ann@i❤.example", "ann@-bü.example", "ann@bü..example"]
)  # fmt: skip
def test_an_impossible_address_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match=address):
        clean.email(address)


@given(st.from_regex(r"\A[a-z0-9]{1,10}@[a-zäöüßéñøł]{1,20}\.[a-z]{2,5}\Z"))
def test_a_stored_address_is_stored_again_as_it_is(address: str) -> None:
    assume(not is_placeholder_email(address))
    stored = clean.email(address)
    assert stored.isascii()
    assert clean.email(stored) == stored
    assert (
        clean.comparable(address.upper().replace("SS", "ß") if "ß" in address else address.upper())
        == stored
    )


@pytest.mark.django_db
def test_one_customer_has_one_address_by_any_door(api: APIClient, staff_client: Client) -> None:
    rows = [clean_customer({"email": spelling}) for spelling in SPELLINGS]
    upsert_customers(rows, evidence="import: people.csv")
    ann = Customer.objects.get()
    assert ann.email == BOOKS
    for spelling in SPELLINGS:
        assert api.post("/api/customers", {"email": spelling}).status_code == 200
        assert api.get("/api/customers", {"email": spelling}).data["count"] == 1
        assert find([spelling]) == {spelling: ann.pk}
        assert Customer.objects.search(spelling).get() == ann

    form = {"email": "bob@BÜCHER.example", "lifecycle_status": "lead", "attributes": "{}"}
    staff_client.post(reverse("admin:customers_customer_add"), form)
    assert Customer.objects.latest("pk").email == "bob@xn--bcher-kva.example"


@pytest.mark.django_db
def test_a_suppression_holds_for_every_spelling(api: APIClient) -> None:
    consent.suppress_many("email", ["ann@bücher.example"], evidence="a letter")
    assert Suppression.objects.get().address == BOOKS
    for spelling in SPELLINGS:
        assert consent.blocks("email", spelling)
        assert api.get(f"/api/suppressions/{spelling}").status_code == 200
    assert not consent.blocks("email", "ann@bucher.example")


@pytest.mark.django_db
def test_a_sender_is_stored_with_its_domain_in_ascii() -> None:
    sender = make_sender(from_address="Shop@faß.example", reply_to="help@bücher.example")
    assert sender.from_address == "Shop@xn--fa-hia.example"
    assert sender.reply_to == "help@xn--bcher-kva.example"
