"""Workflows are written, published and watched over the API."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from crm.api import ids
from marketing.models import Enrollment, Workflow
from tests.factories.customers import make_customer
from tests.factories.marketing import make_template
from tests.factories.workflows import define, pass_time

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
