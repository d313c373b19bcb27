"""Workflows are written, published and watched over the API."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from crm.accounts import tokens
from crm.accounts.models import User
from crm.api import ids
from crm.roles import Role
from marketing.models import Enrollment, Workflow
from tests.crm.test_hidden_data import everything_but_personal_data
from tests.factories.accounts import in_role
from tests.factories.customers import make_customer
from tests.factories.marketing import make_template
from tests.factories.workflows import define, enroll, make_workflow, pass_time

pytestmark = pytest.mark.django_db

URL = "/api/workflows/"
WAIT = {"type": "wait", "for": "1h"}


def post(api: APIClient, path: str, body: Any = None, *, expect: int = 200) -> Any:
    response = api.post(path, body or {}, format="json")
    assert response.status_code == expect, response.content
    return response.json()


def create(api: APIClient, definition: Any = None) -> str:
    body = {"name": "Welcome series", "definition": definition or define({"pause": WAIT})}
    return f"{URL}{post(api, URL, body, expect=201)['id']}/"


def test_a_workflow_is_written_published_and_activated(api: APIClient) -> None:
    url = create(api)
    assert api.get(url).json()["state"] == "draft"
    post(api, f"{url}activate/", expect=409)
    assert post(api, f"{url}publish/")["version"] == 1
    assert post(api, f"{url}activate/")["state"] == "active"
    assert api.get(URL, {"state": "active"}).json()["results"][0]["slug"] == "welcome-series"
    assert post(api, f"{url}pause/")["state"] == "paused"
    assert post(api, f"{url}resume/")["state"] == "active"
    assert post(api, f"{url}archive/")["state"] == "archived"


def test_a_faulty_definition_is_refused_by_path(api: APIClient) -> None:
    definition = define({"pause": {**WAIT, "next": "nowhere"}})
    body = post(api, URL, {"name": "x", "definition": definition}, expect=400)
    assert "steps.pause.next" in str(body)


def test_customers_are_enrolled_and_their_way_can_be_read(api: APIClient) -> None:
    ada = make_customer(email="ada@example.com", external_id="a1")
    url = create(api)
    post(api, f"{url}publish/")
    post(api, f"{url}activate/")
    body = {"customers": ["ada@example.com", "nobody@example.com"]}
    assert [each["result"] for each in post(api, f"{url}enroll/", body, expect=202)] == [
        "enrolled",
        "unknown",
    ]
    again = post(api, f"{url}enroll/", {"customers": ["a1"]}, expect=202)
    assert again == [{"customer": "a1", "result": "not_enrolled"}]
    pass_time()

    listed = api.get(f"{url}enrollments/", {"state": "waiting"}).json()["results"]
    assert [each["customer"] for each in listed] == [ids.encode("cus", ada.pk)]
    passage = f"/api/enrollments/{listed[0]['id']}/"
    assert [each["kind"] for each in api.get(passage).json()["path"]] == ["entered"]
    assert post(api, passage, {"action": "exit"})["exit_reason"] == "manual"
    post(api, passage, {"action": "exit"}, expect=409)
    metrics = api.get(f"{url}metrics/").json()
    assert (metrics["entered"], metrics["exits"]) == (1, {"manual": 1})


def test_publishing_says_what_becomes_of_customers_under_way(api: APIClient) -> None:
    people = [make_customer() for _ in range(3)]
    url = create(api, define({"pause": WAIT}))
    post(api, f"{url}publish/")
    post(api, f"{url}activate/")
    names = [ids.encode("cus", each.pk) for each in people]
    post(api, f"{url}enroll/", {"customers": names}, expect=202)
    pass_time()

    api.patch(url, {"definition": define({"rest": WAIT})}, format="json")
    planned = post(api, f"{url}publish/", {"dry_run": True})
    assert planned["unmapped"] == {"pause": 3}
    post(api, f"{url}publish/", expect=409)
    post(api, f"{url}publish/", {"plan": {"pause": "nowhere"}}, expect=400)
    moved = post(api, f"{url}publish/", {"plan": {"pause": "rest"}})
    assert (moved["version"], moved["moved"]) == (2, {"rest": 3})
    pass_time()
    workflow = Workflow.objects.get()
    assert set(Enrollment.objects.values_list("step", "version", "state")) == {
        ("rest", workflow.version_id, "waiting")
    }
    assert '-    "pause": {' in api.get(f"{url}versions/1/diff/2/").json()["diff"]


@pytest.mark.parametrize(("fate", "ended"), [("stay", 0), ("exit", 2)])
def test_customers_stay_or_exit_as_the_plan_says(api: APIClient, fate: str, ended: int) -> None:
    people = [make_customer() for _ in range(2)]
    url = create(api, define({"pause": WAIT}))
    post(api, f"{url}publish/")
    post(api, f"{url}activate/")
    names = [ids.encode("cus", each.pk) for each in people]
    post(api, f"{url}enroll/", {"customers": names}, expect=202)
    pass_time()
    api.patch(url, {"definition": define({"rest": WAIT})}, format="json")
    planned = post(api, f"{url}publish/", {"dry_run": True, "plan": {"pause": fate}})
    done = post(api, f"{url}publish/", {"plan": {"pause": fate}})
    assert planned[fate] == done[fate] == 2
    assert Enrollment.objects.filter(exit_reason="published").count() == ended


def test_a_workflow_with_passages_cannot_be_deleted(api: APIClient) -> None:
    make_template(name="hello", body="{{ unsubscribe_url }}")
    url = create(api, define({"mail": {"type": "send", "template": "hello"}}))
    post(api, f"{url}publish/")
    post(api, f"{url}activate/")
    customer = ids.encode("cus", make_customer().pk)
    post(api, f"{url}enroll/", {"customers": [customer]}, expect=202)
    assert api.delete(url).status_code == 409
    other = create(api)
    assert api.delete(other).status_code == 204


# masked personal data

SENT = {"event": "form_sent"}
WAIT_FOR = {"type": "wait_for", **SENT, "timeout": "1d"}
ON_BIRTHDAY = {"type": "wait", "until": {"date_of": "date_of_birth", "every_year": True}}
PROBES = {
    "entry.per": define({"pause": WAIT}, entry={"on": "event", **SENT, "per": "answer"}),
    "entry.date": define({"pause": WAIT}, entry={"on": "date", "date": "date_of_birth"}),
    "entry.where[0].field": define(
        {"pause": WAIT},
        entry={
            "on": "event",
            **SENT,
            "where": [{"field": "answer", "operator": "=", "value": "x"}],
        },
    ),
    "entry.audience.conditions[0].field": define(
        {"pause": WAIT},
        entry={
            "on": "api",
            "audience": {
                "operator": "AND",
                "conditions": [{"field": "email", "operator": "=", "value": "a@example.com"}],
            },
        },
    ),
    "goal.value": define({"pause": WAIT}, goal={**SENT, "value": "salary"}),
    "exit_when[0].match.answer": define(
        {"pause": WAIT}, exit_when=[{**SENT, "match": {"answer": "x"}}]
    ),
    "steps.s.match.answer": define({"s": {**WAIT_FOR, "match": {"answer": "x"}}}),
    "steps.s.until.date_of": define({"s": ON_BIRTHDAY}),
    "steps.s.properties.product": define(
        {"s": {"type": "emit", **SENT, "properties": {"product": "{{ customer.email }}"}}}
    ),
    "steps.s.text": define(
        {
            "s": {
                "type": "notify",
                "to": ["a@example.com"],
                "subject": "x",
                "text": "{{ customer.email }}",
            }
        }
    ),
}


def api_of(user: User) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {tokens.issue(user)[1]}")
    return client


def test_masked_authors_probe_no_personal_data(api: APIClient) -> None:
    masked = api_of(everything_but_personal_data())
    for path, definition in PROBES.items():
        body = {"name": "Probe", "definition": definition}
        errors = post(masked, URL, body, expect=400)["errors"]
        assert path in str([each["path"] for each in errors])
        post(api, URL, body, expect=201)


def test_a_way_shows_masked_users_no_personal_data(api: APIClient) -> None:
    ada = make_customer(date_of_birth="1987-11-23")
    enroll(make_workflow(define({"s": ON_BIRTHDAY})), ada, key="a-secret")
    path = f"/api/enrollments/{ids.encode('enr', Enrollment.objects.get().pk)}/"
    assert "-11-23T" in api.get(path).json()["wakes_at"]
    seen = api_of(in_role(Role.ANALYST)).get(path).json()
    assert (seen["wakes_at"], seen["entry_key"]) == (None, "•••")


def test_masked_users_see_no_values_to_match(api: APIClient) -> None:
    match = {"answer": "secret", "product": "shoes"}
    create(api, define({"s": {**WAIT_FOR, "match": match}}))
    [seen] = api_of(in_role(Role.ANALYST)).get(URL).json()["results"]
    assert seen["definition"]["steps"]["s"]["match"]["answer"] == "•••"
