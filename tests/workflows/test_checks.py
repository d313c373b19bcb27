"""A draft is checked before it is published: errors prevent that, warnings come with the answer."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from crm.api import ids
from customers.models import Segment
from marketing import workflows
from marketing.models import FrequencyRule, Workflow
from tests.factories.customers import make_customer
from tests.factories.marketing import make_template
from tests.factories.workflows import BY_API, define, happen, make_workflow

pytestmark = pytest.mark.django_db

WAIT = {"type": "wait", "for": "1h"}
CART = {"on": "event", "event": "cart_updated"}
SCHEDULE = {"on": "schedule", "every": "daily"}


def refused(definition: dict[str, Any], workflow: Workflow | None = None) -> dict[str, str]:
    """Return the messages of the errors of a draft by their path."""
    with pytest.raises(workflows.DefinitionError) as found:
        workflows.check(definition, workflow)
    return {each["path"]: each["message"] for each in found.value.errors}


def warned(definition: dict[str, Any], workflow: Workflow | None = None) -> dict[str, str]:
    """Return the warnings of a draft that can be published, by their path."""
    found = workflows.warnings_of(workflows.check(definition, workflow), workflow)
    return {each["path"]: each["message"] for each in found}


def mail(**more: Any) -> dict[str, Any]:
    return {"type": "send", "template": "hello", **more}


@pytest.mark.parametrize(
    ("entry", "variable", "is_given"),
    [
        (SCHEDULE, "entry.cart_id", False),
        ({"on": "date", "date": "date_of_birth"}, "entry.cart.lines[0].title", False),
        ({"on": "date", "date": "date_of_birth"}, "entry.date", True),
        (CART, "entry.cart.lines[0].title", True),
        (BY_API, "entry.anything", True),
        (BY_API, "steps.nowhere.state", False),
    ],
)
def test_a_variable_comes_with_the_entry_or_from_a_step(
    entry: dict[str, Any], variable: str, is_given: bool
) -> None:
    make_template(name="hello", subject=f"{{{{ {variable} }}}}", body="{{ unsubscribe_url }}")
    text = f"Hello {{{{ {variable} }}}}"
    steps = {"mail": mail(next="say"), "say": {"type": "emit", "event": "x", "properties": {"a": text}}}  # fmt: skip
    definition = define(steps, entry=entry)
    if is_given:
        workflows.check(definition)
        return
    errors = refused(definition)
    assert errors.keys() == {"steps.mail.template", "steps.say.properties.a"}
    assert variable in errors["steps.mail.template"]


def test_a_property_that_no_event_had_is_warned_of() -> None:
    happen(make_customer(), "cart_updated", cart_id="c1", told=False)
    make_template(name="hello", body="{{ entry.cart_id }} {{ entry.cart }} {{ unsubscribe_url }}")
    found = warned(define({"mail": mail()}, entry=CART))
    assert "“cart”" in found["steps.mail.template"]


def test_a_wait_for_an_exit_event_cannot_be_published() -> None:
    steps = {"paid": {"type": "wait_for", "event": "order_placed", "timeout": "1d"}}
    definition = define(steps, exit_when=[{"event": "order_placed"}])
    assert refused(definition).keys() == {"steps.paid.event"}


def test_a_wait_for_an_event_that_never_was_is_warned_of() -> None:
    steps = {"seen": {"type": "wait_for", "event": "cart_udpated", "timeout": "1d"}}
    assert warned(define(steps)).keys() == {"steps.seen.event"}
    happen(make_customer(), "cart_udpated", told=False)
    assert not warned(define(steps))


@pytest.mark.parametrize(
    ("span", "warning"), [("1h", True), ("4d", False), ("3d", True), ("1w", False)]
)
def test_more_messages_than_a_cap_allows_are_warned_of(span: str, warning: bool) -> None:
    FrequencyRule.objects.create(messages=2, days=7, channel="email")
    make_template(name="hello", body="{{ unsubscribe_url }}")
    steps = {
        "first": mail(next="rest"),
        "rest": {"type": "wait", "for": span, "next": "second"},
        "second": mail(next="late"),
        "late": {"type": "wait_for", "event": "order_placed", "timeout": span,
                 "next": {"happened": None, "timed_out": "third"}},
        "third": mail(),
    }  # fmt: skip
    assert ("steps.third" in warned(define(steps))) == warning
    steps["third"] = mail(exempt_from_caps=True)
    assert not warned(define(steps))


def test_a_workflow_does_not_start_itself() -> None:
    draft = Workflow(slug="mine")
    for kind in ("start", "stop"):
        steps = {"again": {"type": kind, "workflow": "mine"}}
        assert "steps.again.workflow" in refused(define(steps), draft)
    make_workflow(define(), slug="theirs")
    theirs = {"end": {"type": "start", "workflow": "theirs"}}
    assert not warned(define(theirs), draft)
    other = make_workflow(define(), slug="mine")
    make_workflow(define({"end": {"type": "start", "workflow": "mine"}}), slug="third")
    back = {"end": {"type": "start", "workflow": "third"}}
    assert warned(define(back), other).keys() == {"steps.end.workflow"}


def test_publishing_answers_with_the_warnings(api: APIClient) -> None:
    steps = {"seen": {"type": "wait_for", "event": "never_seen", "timeout": "1d"}}
    created = api.post("/api/workflows/", {"name": "x", "definition": define(steps)}, format="json")
    url = f"/api/workflows/{created.json()['id']}/publish/"
    for body in ({"dry_run": True}, {}):
        answer = api.post(url, body, format="json").json()
        assert [each["path"] for each in answer["warnings"]] == ["steps.seen.event"]


def test_a_template_or_segment_in_use_says_where(api: APIClient) -> None:
    template = make_template(name="hello", body="{{ unsubscribe_url }}")
    segment = Segment.objects.create(name="Warm", slug="warm", kind="static")
    steps = {"put": {"type": "list", "segment": "warm", "next": "mail"}, "mail": mail()}
    make_workflow(define(steps), name="Welcome")
    for url in (
        f"/api/templates/{ids.encode('tpl', template.pk)}/",
        f"/api/segments/{ids.encode('seg', segment.pk)}/",
    ):
        response = api.delete(url)
        assert response.status_code == 409, response.content
        assert "Welcome" in response.json()["detail"]
