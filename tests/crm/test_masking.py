"""Personal data is masked for roles without the right: on pages, in responses and files, and in searches."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpResponseBase
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from crm import masking
from crm.accounts import tokens
from crm.api import ids
from crm.roles import Role
from customers import consent
from customers.ingest import clean_service, record_service
from customers.models import BulkJob, Customer, Segment, Visit
from customers.segments.membership.refresh import refresh
from customers.timeline import NewInteraction, record_interactions
from marketing.models import CampaignExecution
from tests.crm import endpoints
from tests.factories.accounts import in_role
from tests.factories.customers import make_customer, make_order, make_product
from tests.factories.marketing import make_campaign, make_execution, make_run

pytestmark = pytest.mark.django_db

EMAIL, PHONE, STREET = "zephyrine.quux@example.com", "+493012345678", "Quokka Lane 7"
SECRETS = (
    *(EMAIL, "zephyrine", "Zephyrine", PHONE, PHONE[1:], "Quuxington", STREET, "1985-04-03"),
    *("Apr 3, 1985", "April 3, 1985", "3 Apr 1985", "my knee hurts", "form-said-so"),
)
GERMAN = {"field": "country", "operator": "=", "value": "DE"}


@pytest.fixture
def person() -> Customer:
    """Create a customer with data in every table."""
    customer = make_customer(
        email=EMAIL,
        phone=PHONE,
        first_name="Zephyrine",
        last_name="Quuxington",
        date_of_birth=date(1985, 4, 3),
        attributes={"street": STREET},
        total_spend=42,
        order_count=1,
        country="DE",
    )
    make_order(customer, 42, products=[make_product()], attributes={"ship_to": STREET})
    now = datetime.fromisoformat("2026-01-01T10:00:00+00:00")
    record_interactions(
        [
            NewInteraction(customer.pk, "form_sent", now, {"mail": EMAIL, "text": STREET}),
            NewInteraction(customer.pk, "order_placed", now, {"amount": "42", "to": "Zephyrine"}),
        ]
    )
    complaint = {"customer_id": ids.encode("cus", customer.pk), "occurred_at": now.isoformat()}
    record_service([clean_service({**complaint, "subject": "my knee hurts", "message": STREET})])
    Visit.objects.create(
        customer=customer, occurred_at=now, external_id="v1", url=f"https://x.test/?mail={EMAIL}"
    )
    consent.opt_in(customer.pk, "email", "form-said-so")
    consent.suppress("sms", PHONE, "manual", "Zephyrine called")
    segment = Segment.objects.create(
        name="Germans", slug="germans", rules={"operator": "and", "conditions": [GERMAN]}
    )
    refresh(segment)
    run = make_run(make_campaign(segments=[segment]))
    make_execution(run, customer, error=f"550 {EMAIL} unknown", state="failed")
    return customer


@pytest.fixture
def analyst() -> Client:
    client = Client()
    client.force_login(in_role(Role.ANALYST))
    return client


@pytest.fixture
def analyst_api() -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {tokens.issue(in_role(Role.ANALYST))[1]}")
    return client


def revealed(response: HttpResponseBase | Any) -> list[str]:
    """Return the personal data that a response reveals."""
    body = response.getvalue() if response.streaming else response.content
    return [each for each in SECRETS if each in body.decode(errors="replace")]


def test_every_page_of_the_admin_masks_personal_data(person: Customer, analyst: Client) -> None:
    shown = 0
    for model in admin.site._registry:
        base = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        pages = [reverse(f"{base}_changelist")]
        if first := model._default_manager.first():
            pages += [reverse(f"{base}_{each}", args=[first.pk]) for each in ("change", "history")]
        for page in pages:
            response = analyst.get(page)
            shown += response.status_code == 200
            assert revealed(response) == [], page
    assert shown > 30


def test_customer_and_campaign_pages_mask_personal_data(person: Customer, analyst: Client) -> None:
    run = CampaignExecution.objects.get().run
    pages = [
        reverse("admin:index"),
        reverse("admin:customers_customer_timeline", args=[person.pk]),
        reverse("admin:customers_segment_explain") + f"?customer={person.pk}",
        reverse("admin:marketing_campaign_audience", args=[run.campaign_id]),
        reverse("admin:marketing_campaign_live", args=[run.campaign_id]) + "?state=draft",
        reverse("admin:analytics_customers"),
        reverse("admin:analytics_marketing"),
        reverse("admin:analytics_experiment", args=[run.campaign_id]),
    ]
    for page in pages:
        response = analyst.get(page)
        assert response.status_code == 200, page
        assert revealed(response) == [], page


def paths(person: Customer) -> list[str]:
    execution = CampaignExecution.objects.get()
    named = {
        "customers": ids.encode("cus", person.pk),
        "segments": "germans",
        "campaigns": ids.encode("cmp", execution.run.campaign_id),
        "executions": ids.encode("msg", execution.pk),
        "orders": person.orders.get().external_id,
    }
    found = []
    for endpoint in endpoints.every():
        area = endpoint.path.split("/")[2]
        area = endpoint.path.split("/")[3] if area == "analytics" else area
        if endpoint.method == "GET" and ("{" not in endpoint.path or area in named):
            path = endpoint.path
            for name in ("{id}", "{segment_id}"):
                path = path.replace(name, named.get(area, ""), 1)
            found.append(path.replace("{status}", "draft"))
    return [each for each in found if "{" not in each and "realtime" not in each]


def test_every_response_of_the_api_masks_personal_data(
    person: Customer, analyst_api: APIClient
) -> None:
    answered = 0
    for path in paths(person):
        for query in ("", "?format=csv"):
            response = analyst_api.get(path + query)
            answered += response.status_code == 200
            assert response.status_code in {200, 400, 403, 404, 406}, path
            assert revealed(response) == [], path + query
    assert answered > 60


def test_the_browsable_api_masks_personal_data(person: Customer, analyst: Client) -> None:
    response = analyst.get(
        f"/api/customers/{ids.encode('cus', person.pk)}", HTTP_ACCEPT="text/html"
    )
    assert response.status_code == 200
    assert revealed(response) == []


def test_permitted_users_see_personal_data(person: Customer) -> None:
    client = Client()
    client.force_login(in_role(Role.SUPPORT))
    assert EMAIL in revealed(
        client.get(reverse("admin:customers_customer_change", args=[person.pk]))
    )
    assert EMAIL in revealed(client.get("/api/customers"))


def test_masking_ends_with_its_request(person: Customer, analyst: Client) -> None:
    analyst.get("/api/customers")
    analyst.get("/api/customers?format=csv").getvalue()
    assert Customer.objects.get().email == EMAIL


def test_files_of_an_analyst_have_no_personal_data(person: Customer, analyst: Client) -> None:
    chosen = {"_selected_action": [person.pk], "action": "export_csv"}
    response = analyst.post(reverse("admin:customers_customer_changelist"), chosen)
    assert ids.encode("cus", person.pk) in response.getvalue().decode()
    assert revealed(response) == []
    analyst.post(
        reverse("admin:customers_customer_changelist"), {**chosen, "action": "export_xlsx"}
    )
    job = BulkJob.objects.get()
    assert job.options["masked"]
    assert analyst.get(reverse("admin:customers_bulkjob_file", args=[job.pk])).status_code == 200


def test_an_analyst_cannot_download_files_of_other_users(
    person: Customer, analyst: Client, staff_client: Client
) -> None:
    chosen = {"_selected_action": [person.pk], "action": "export_xlsx"}
    staff_client.post(reverse("admin:customers_customer_changelist"), chosen)
    page = reverse("admin:customers_bulkjob_file", args=[BulkJob.objects.get().pk])
    assert staff_client.get(page).status_code == 200
    assert analyst.get(page).status_code == 403


@pytest.mark.parametrize("text", [EMAIL, "zephyrine", "Quux", PHONE, "3012345678"])
def test_a_search_for_personal_data_returns_no_customer(
    person: Customer, analyst: Client, analyst_api: APIClient, text: str
) -> None:
    public = ids.encode("cus", person.pk)
    for model in ("customer", "order", "serviceinteraction", "visit"):
        page = reverse(f"admin:customers_{model}_changelist")
        found, nobody = (
            analyst.get(page, {"q": term}).context["cl"].result_count for term in (text, "nobody")
        )
        assert found == nobody, model
    page = reverse("admin:marketing_campaignexecution_changelist")
    assert analyst.get(page, {"q": text}).context["cl"].result_count == 0
    assert analyst_api.get("/api/customers", {"search": text}).json()["count"] == 0
    contacts = "/api/service-interactions"
    revealed, nothing = (
        analyst_api.get(contacts, {"search": term}) for term in ("my knee", "nobody")
    )
    assert revealed.json() == nothing.json()
    assert analyst_api.get("/api/customers", {"search": public}).json()["count"] == 1


def test_no_other_query_reveals_personal_data(
    person: Customer, analyst: Client, analyst_api: APIClient
) -> None:
    condition = {"field": "email", "operator": "=", "value": EMAIL}
    rules = {"operator": "and", "conditions": [condition]}
    assert analyst_api.get("/api/customers", {"email": EMAIL}).status_code == 403
    assert analyst_api.get(f"/api/customers/{EMAIL}").status_code == 404
    assert analyst_api.get(f"/api/suppressions/{PHONE}").status_code == 403
    assert (
        analyst_api.post("/api/customers/preview", {"rules": rules}, format="json").status_code
        == 400
    )
    nested = {"operator": "and", "conditions": [{"operator": "or", "conditions": [condition]}]}
    assert (
        analyst_api.post("/api/customers/preview", {"rules": nested}, format="json").status_code
        == 400
    )
    listed = analyst.get(reverse("admin:customers_customer_changelist"), {"email": EMAIL})
    assert listed.status_code == 400
    suggested = analyst.get(
        reverse("admin:customers_segment_suggest"), {"field": "attributes.street", "q": "Quo"}
    )
    assert suggested.json()["results"] == []


def test_masked_fields_are_not_overwritten(person: Customer) -> None:
    with masking.hidden():
        seen = Customer.objects.get(pk=person.pk)
        seen.city = "Berlin"
        with pytest.raises(PermissionDenied):
            seen.save()
        seen.save(update_fields=["city"])
    person.refresh_from_db()
    assert (person.city, person.email) == ("Berlin", EMAIL)


def test_a_deferred_field_is_masked_when_loaded(person: Customer) -> None:
    with masking.hidden():
        assert Customer.objects.defer("email").get(pk=person.pk).email == "z•••@•••"


@pytest.mark.parametrize(
    ("mask", "value", "looks"),
    [
        (masking.name, "Ada Lovelace", "A••• L•••"),
        (masking.address, "ada@example.com", "a•••@•••"),
        (masking.address, "+4930123456", "•••56"),
        (masking.identifier, "C-17", "C-17"),
        (masking.identifier, "ada@example.com", "a•••@•••"),
        (masking.prose, "550 <ada@example.com> no such user", "550 <•••> no such user"),
        (masking.prose, "+49 30 1234567 is busy", "••• is busy"),
        (masking.url, "https://x.test/a?mail=b#c", "https://x.test/a"),
        (
            masking.payload,
            {"a": ["b", {"c": 1}], "d": None},
            {"a": ["•••", {"c": "•••"}], "d": None},
        ),
        (masking.payload_but("amount"), {"amount": "4", "to": "Ada"}, {"amount": "4", "to": "•••"}),
        (masking.text, "", ""),
        (masking.name, "", ""),
    ],
)
def test_a_mask_keeps_a_recognizable_part(mask: masking.Mask, value: Any, looks: Any) -> None:
    assert mask(value) == looks
