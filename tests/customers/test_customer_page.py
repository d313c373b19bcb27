"""The customer page of the admin charts spend, and its form reads values as imports do."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import QueryDict
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from customers.admin.customer_form import AttributesField
from customers.models import Consent, Customer
from tests.factories.customers import make_customer, make_order

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
NAMES = TEXTS.map(str.strip).filter(bool)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS
    | st.dates().map(str),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


@given(st.dictionaries(NAMES, VALUES, max_size=4))
def test_attributes_saved_unchanged_stay_as_they_are(attributes: dict[str, Any]) -> None:
    field = AttributesField(required=False)
    rows = field.prepare_value(attributes)
    posted = QueryDict(mutable=True)
    for part in ("name", "type", "value"):
        posted.setlist(
            f"attributes-{part}", [getattr(row, part) for row in rows] + ["text" * (part == "type")]
        )
    read = field.widget.value_from_datadict(posted, {}, "attributes")
    assert not field.has_changed(attributes, read)
    assert field.clean(read) == attributes


pytestmark = pytest.mark.django_db


def page(client: Client, customer: Customer) -> str:
    url = reverse("admin:customers_customer_change", args=[customer.pk])
    return client.get(url).content.decode()


def test_the_page_charts_spend_by_month(staff_client: Client) -> None:
    ada = make_customer(last_order_at=timezone.now())
    make_order(ada, "12.50")
    assert '<figure id="spend-by-month" data-chart>' in page(staff_client, ada)


def test_a_customer_without_orders_has_no_chart(staff_client: Client) -> None:
    assert "spend-by-month" not in page(staff_client, make_customer())


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ({"phone": "0701740605", "country": "Sweden"}, {"phone": "+46701740605", "country": "SE"}),
        ({"country": "deutschland"}, {"country": "DE"}),
        ({"timezone": "europe/berlin"}, {"timezone": "Europe/Berlin"}),
    ],
)
def test_the_form_reads_as_an_import_does(
    staff_client: Client, typed: dict[str, str], stored: dict[str, str]
) -> None:
    form = {"email": "ada@example.com", "lifecycle_status": "lead", "attributes-name": ""}
    staff_client.post(reverse("admin:customers_customer_add"), form | typed)
    ada = Customer.objects.get()
    assert {name: getattr(ada, name) for name in stored} == stored


@pytest.mark.parametrize(
    "typed",
    [{"phone": "12"}, {"country": "Atlantis"}, {"external_id": "undefined"}, {"timezone": "Mars"}],
)
def test_the_form_refuses_what_no_import_takes(staff_client: Client, typed: dict[str, str]) -> None:
    form = {"email": "ada@example.com", "lifecycle_status": "lead", "attributes-name": ""}
    page = staff_client.post(reverse("admin:customers_customer_add"), form | typed)
    assert page.context["errors"]
    assert not Customer.objects.exists()


def test_tags_and_attributes_are_edited_as_what_they_are(staff_client: Client) -> None:
    ada = make_customer(tags=["vip", "old"], attributes={"size": 44, "notes": "a\nb"})
    url = reverse("admin:customers_customer_change", args=[ada.pk])
    form = {
        "email": ada.email or "",
        "lifecycle_status": "lead",
        "tags": ["vip", "spring, summer"],
        "attributes-name": ["size", "notes", "member", "since", "colours", ""],
        "attributes-type": ["number", "json", "boolean", "date", "list", "text"],
        "attributes-value": ["45.5", '"a\\nb"', "Yes", "2024-02-29", "red, blue", ""],
    }
    assert staff_client.post(url, form).status_code == 302
    ada.refresh_from_db()
    assert ada.tags == ["vip", "spring, summer"]
    assert ada.attributes == {
        "size": 45.5, "notes": "a\nb", "member": True, "since": "2024-02-29", "colours": ["red", "blue"],
    }  # fmt: skip

    wrong = form | {"attributes-value": ["many", "{", "perhaps", "30.2.", "", ""]}
    errors = staff_client.post(url, wrong).context["adminform"].form.errors["attributes"]
    assert len(errors) == 4


def test_a_decision_of_consent_is_recorded_with_its_evidence(staff_client: Client) -> None:
    ada = make_customer(email="ada@example.com")
    url = reverse("admin:customers_customer_decide", args=[ada.pk])
    given = {"confirmed": "yes", "channel": "email", "topic": ""}
    assert not staff_client.post(url, given | {"decision": "opted_out"}).context["form"].is_valid()
    for decision in ("opted_out", "opted_in"):
        staff_client.post(url, given | {"decision": decision, "evidence": "by phone on 3 May"})
        newest = Consent.objects.order_by("-pk").first()
        assert newest is not None
        assert (newest.decision, "by phone on 3 May" in newest.evidence) == (decision, True)
    ada.refresh_from_db()
    assert ada.opted_out_channels == []
