"""An opt-out holds: no file, call, merge or new record undoes it, only a newer consent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from crm.accounts.models import User
from crm.api import ids
from customers import consent
from customers.identity import merge, undo
from customers.ingest import clean_customer, upsert_customers
from customers.models import AddressOptOut, Consent, Customer
from customers.privacy import erase
from tests.factories.customers import make_customer

pytestmark = pytest.mark.django_db

UNA = "una@example.com"
PHONE = "+14155550123"


def closed(customer: Customer) -> list[str]:
    customer.refresh_from_db()
    return customer.opted_out_channels


def stated(**fields: object) -> list[bool]:
    """Upsert one row; returns whether it was told that an opt-out stays."""
    results = upsert_customers([clean_customer(fields)], evidence="import: nightly.csv")
    return [result.kept_out for result in results]


@pytest.fixture
def una() -> Customer:
    stated(email=UNA, subscribed=True)
    una = Customer.objects.get()
    consent.opt_out_addresses("email", [UNA], "unsubscribe link", customer_ids=[una.pk])
    return una


def test_a_restated_opt_in_leaves_an_opt_out(una: Customer) -> None:
    for _night in range(3):
        assert stated(email=UNA, subscribed=True) == [True]
        assert stated(email=UNA, consent="email, sms") == [True]
        assert stated(email=UNA, subscribed=False) == [False]
        assert stated(email=UNA, subscribed=True) == [True]
    assert closed(una) == ["email"]


def test_a_later_decision_of_the_customer_wins(una: Customer) -> None:
    consent.opt_in(una.pk, "email", "preference centre")
    assert closed(una) == []
    assert not AddressOptOut.objects.exists()
    assert stated(email=UNA, subscribed=True) == [False]
    assert closed(una) == []


def test_a_source_corrects_itself_but_no_other_source() -> None:
    stated(email=UNA, subscribed=False)
    una = Customer.objects.get()
    assert stated(email=UNA, consent="email") == [True]
    assert closed(una) == ["email"]
    assert stated(email=UNA, subscribed=True) == [False]
    assert closed(una) == []


def test_an_old_report_does_not_undo_a_later_opt_in() -> None:
    stated(email=UNA, email_opt_out=True)
    una = Customer.objects.get()
    assert closed(una) == ["email"]
    assert stated(email=UNA, email_opt_out=False, subscribed=True) == [True]
    consent.opt_in(una.pk, "email", "preference centre")
    stated(email=UNA, email_opt_out=True)
    assert closed(una) == []


def test_two_rows_about_one_customer_opt_out_together() -> None:
    rows = [clean_customer({"email": UNA, "subscribed": wanted}) for wanted in ("no", "yes", "yes")]
    upsert_customers(rows, evidence="import: people.csv")
    assert closed(Customer.objects.get()) == ["email"]


def test_a_reply_opts_out_every_customer_with_the_number() -> None:
    both = [make_customer(phone=PHONE), make_customer(phone=PHONE)]
    consent.opt_out_addresses("sms", [PHONE], "Replied STOP")
    later = stated(email="c@example.com", phone=PHONE, consent="sms")
    assert later == [True]
    third = Customer.objects.get(email="c@example.com")
    assert [closed(each) for each in (*both, third)] == [["sms"]] * 3

    consent.opt_in_addresses("sms", [PHONE], "Replied START")
    assert [closed(each) for each in (*both, third)] == [[]] * 3
    stated(email="d@example.com", phone=PHONE)
    assert closed(Customer.objects.get(email="d@example.com")) == []


def test_an_opt_out_survives_the_record(una: Customer, staff: User) -> None:
    una.delete()
    stated(email=UNA, subscribed=True)
    again = Customer.objects.get()
    assert closed(again) == ["email"]

    erase(again, by=staff)
    assert not AddressOptOut.objects.exists()
    back = make_customer(email=UNA)
    consent.forget_erased([UNA])
    consent.hold_opt_outs([back.pk])
    assert closed(back) == ["email"]


def test_a_customer_who_gets_the_address_is_opted_out(una: Customer, api: APIClient) -> None:
    other = make_customer(email=None, external_id="c-2")
    consent.opt_in(other.pk, "email", "a form")
    una.delete()
    answer = api.patch("/api/customers/c-2", {"email": UNA, "subscribed": True})
    assert answer.status_code == 200
    assert answer.data["opt_out_kept"] is True
    assert closed(other) == ["email"]


def test_a_merge_and_its_undoing_keep_the_opt_out(una: Customer) -> None:
    stated(external_id="c-2", email="una@work.example", subscribed=True)
    other = Customer.objects.get(external_id="c-2")
    consent.opt_in(other.pk, "email", "a form")
    done = merge(other.pk, una.pk, chosen=["email"])
    assert closed(other) == ["email"]
    undo(done.pk)
    assert closed(Customer.objects.get(email=UNA)) == ["email"]


@pytest.mark.parametrize("path", ["/api/customers", "/api/customers/batch"])
def test_the_api_says_that_an_opt_out_stays(una: Customer, api: APIClient, path: str) -> None:
    body = {"email": UNA, "subscribed": True}
    if path.endswith("batch"):
        (result,) = api.post(path, {"customers": [body]}).data["results"]
    else:
        result = api.post(path, body).data
    assert result["opt_out_kept"] is True
    assert closed(una) == ["email"]


def test_the_consents_api_takes_a_new_consent_alone(una: Customer, api: APIClient) -> None:
    url, opt_in = (
        f"/api/customers/{ids.encode('cus', una.pk)}/consents",
        {"channel": "email", "decision": "opted_in"},
    )
    assert api.post(url, {**opt_in, "evidence": "nightly"}).status_code == 409
    assert api.post(url, {**opt_in, "new_consent": True}).status_code == 400
    old = {**opt_in, "new_consent": True, "evidence": "a card", "given_at": "2020-01-01T00:00:00Z"}
    assert api.post(url, old).status_code == 409
    assert closed(una) == ["email"]

    answer = api.post(url, {**opt_in, "new_consent": True, "evidence": "signed card of the fair"})
    assert answer.status_code == 201
    assert "signed card of the fair" in answer.data["results"][0]["evidence"]
    assert closed(una) == []


def test_a_dated_statement_counts_at_its_date() -> None:
    una = make_customer(email=UNA)
    email = ("email", "")

    def record(wanted: bool, year: int) -> bool:
        wish = consent.Wish(wanted, "status", at=datetime(year, 1, 1, tzinfo=UTC))
        return bool(consent.record_wishes([(una.pk, {email: wish})], "file").kept_out)

    record(True, 2020)
    record(False, 2022)
    assert closed(una) == ["email"]
    assert record(True, 2021)
    assert closed(una) == ["email"]
    assert not record(True, 2023)
    assert closed(una) == []
    record(False, 2022)
    assert closed(una) == []
    assert Consent.objects.count() == 3


def test_an_opt_out_reported_late_leaves_a_later_opt_in() -> None:
    una = make_customer(email=UNA)
    consent.opt_in(una.pk, "email", "preference centre")
    before, after = timezone.now() - timedelta(days=365), timezone.now() + timedelta(seconds=1)
    consent.opt_out_addresses("email", [UNA], "an old campaign", customer_ids=[una.pk], at=before)
    assert closed(una) == []
    assert not AddressOptOut.objects.exists()
    consent.opt_out_addresses("email", [UNA], "a link", customer_ids=[una.pk], at=after)
    assert closed(una) == ["email"]
