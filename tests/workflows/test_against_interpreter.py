"""The engine takes customers where a plain interpreter of their definition takes them, whatever happens in what order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.db import transaction
from django.db.models import Min
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm.accounts.models import User
from crm.events.models import WebhookEndpoint
from customers.models import Customer, Interaction, Segment
from customers.timeline import Row
from marketing import workflows
from marketing.campaigns import bucket
from marketing.models import Enrollment, EnrollmentEvent, Workflow
from tests.factories.customers import make_customer
from tests.factories.marketing import make_template
from tests.factories.workflows import define, make_workflow

pytestmark = pytest.mark.django_db

EVENTS = ("a", "b")
EXIT = "x"
SPANS = ("10m", "1h", "3h", "1d")
CITIES = ("Berlin", "Rome")
SIMPLE: dict[str, dict[str, Any]] = {
    "emit": {"event": "told"},
    "update": {"attributes": {"n": "{{ customer.attributes.n | plus: 1 }}"}, "add_tags": ["x"]},
    "list": {"segment": "drawn"},
    "notify": {"to": ["staff@example.com"], "subject": "{{ customer.city }}", "text": "Hi"},
    "start": {"workflow": "other"},
    "stop": {"workflow": "other"},
}
"""Steps that lead to the next one at once, with their settings."""
Happened = Sequence[tuple[int, str]]
"""Minutes after entering, and the event."""


@st.composite
def definitions(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a definition: steps lead onwards, and back by go_to alone."""
    number = draw(st.integers(1, 6))
    steps: dict[str, Any] = {}
    for place in range(number):
        later = st.sampled_from([None, *(f"s{each}" for each in range(place + 1, number))])
        kinds = ["wait", "wait_for", "split", "experiment", "send", "http", *SIMPLE]
        kinds += ["go_to"] if place else []
        match draw(st.sampled_from(kinds)):
            case "wait":
                step = {"for": draw(st.sampled_from(SPANS)), "next": draw(later), "type": "wait"}
            case "wait_for":
                step = {
                    "type": "wait_for",
                    "event": draw(st.sampled_from(EVENTS)),
                    "timeout": draw(st.sampled_from(SPANS)),
                    "next": {"happened": draw(later), "timed_out": draw(later)},
                }
            case "split":
                rules = {"field": "city", "operator": "=", "value": "Berlin"}
                named = {"operator": "AND", "conditions": [rules]}
                branch = {"name": "berlin", "rules": named, "next": draw(later)}
                step = {"type": "split", "branches": [branch], "next": draw(later)}
            case "experiment":
                branches = [
                    {"name": name, "weight": draw(st.integers(1, 3)), "next": draw(later)}
                    for name in "xy"
                ]
                step = {"type": "experiment", "branches": branches}
            case "send":
                step = {
                    "type": "send",
                    "template": "hello",
                    "next": {"sent": draw(later), "skipped": draw(later)},
                }
            case "http":
                step = {
                    "type": "http", "webhook": "Closed", "timeout": draw(st.sampled_from(SPANS)),
                    "next": {"success": draw(later), "failure": draw(later)},
                }  # fmt: skip
            case str(kind) if kind in SIMPLE:
                step = {**SIMPLE[kind], "type": kind, "next": draw(later)}
            case _:
                back = draw(st.integers(0, place - 1))
                rounds = draw(st.integers(1, 2))
                step = {"type": "go_to", "step": f"s{back}", "rounds": rounds, "next": draw(later)}
        steps[f"s{place}"] = step
    exits = {"exit_when": [{"event": EXIT}]} if draw(st.booleans()) else {}
    return define(_reachable(steps), **exits)


def _reachable(steps: Mapping[str, Any]) -> dict[str, Any]:
    found: set[str] = set()
    ahead = ["s0"]
    while ahead:
        key = ahead.pop()
        if key not in found:
            found.add(key)
            ahead += [each for each in _targets(steps[key]).values() if each]
    return {key: step for key, step in steps.items() if key in found}


def _targets(step: Mapping[str, Any]) -> dict[str, str | None]:
    match step["type"]:
        case "wait_for" | "send" | "http":
            return dict(step["next"])
        case "experiment":
            return {each["name"]: each["next"] for each in step["branches"]}
        case "split":
            return {"berlin": step["branches"][0]["next"], "else": step["next"]}
        case "go_to":
            return {"again": step["step"], "done": step["next"]}
    return {"": step["next"]}


def interpreted(
    definition: Mapping[str, Any], city: str, happened: Happened, lot: Callable[[str], float]
) -> list[str]:
    """Return the way of a customer through a definition, followed step by step; `lot` is from 0 to 1 for each experiment."""
    way, key, minute, came = [], definition["start"], 0, 0
    exits = [at for at, event in happened if event == EXIT] if "exit_when" in definition else []
    rounds: Counter[str] = Counter()
    while key is not None:
        step, before, came = definition["steps"][key], came, minute
        branch = ""
        match step["type"]:
            case "wait":
                minute += _minutes(step["for"])
            case "wait_for":
                over = minute + _minutes(step["timeout"])
                first = min(
                    (
                        at
                        for at, event in happened
                        if event == step["event"] and before <= at <= over
                    ),
                    default=None,
                )
                branch = "timed_out" if first is None else "happened"
                minute = over if first is None else max(minute, first)
            case "split":
                branch = "berlin" if city == "Berlin" else "else"
            case "experiment":
                weights = [each["weight"] for each in step["branches"]]
                branch = "x" if lot(key) * sum(weights) < weights[0] else "y"
            case "send":
                branch = "sent" if city == "Rome" else "skipped"
            case "http":
                minute += _minutes(step["timeout"])
                branch = "failure"
            case "go_to":
                branch = "again" if rounds[key] < step["rounds"] else "done"
                rounds[key] += 1
        if any(at <= minute for at in exits):
            return [*way, "exited"]
        way.append(f"{key}>{branch}")
        key = _targets(step)[branch]
    return [*way, "completed"]


def _minutes(span: str) -> int:
    return int(span[:-1]) * {"m": 1, "h": 60, "d": 24 * 60}[span[-1]]


moments = st.lists(
    st.tuples(st.integers(1, 2_000), st.sampled_from([*EVENTS, EXIT])), max_size=5, unique_by=lambda each: each[0]
)  # fmt: skip


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    definition=definitions(),
    people=st.lists(st.tuples(st.sampled_from(CITIES), moments), min_size=4, max_size=4),
)
def test_the_engine_goes_the_way_of_an_interpreter(
    world: None, definition: dict[str, Any], people: list[tuple[str, list[tuple[int, str]]]]
) -> None:
    with transaction.atomic():
        workflow = make_workflow(definition)
        start = timezone.now()
        customers = [
            make_customer(city=city, email=f"{n}@example.com" if city == "Rome" else None, external_id=f"p{n}")
            for n, (city, _happened) in enumerate(people)
        ]  # fmt: skip
        workflows.enroll(workflow, [each.pk for each in customers], context={})
        Enrollment.objects.filter(workflow=workflow).update(
            entered_at=start, came_at=start, wake_at=start
        )
        future = sorted(
            (start + timedelta(minutes=at), customer.pk, event)
            for customer, (_city, happened) in zip(customers, people, strict=True)
            for at, event in happened
        )
        _live(workflow, start, future)
        ways = {
            each.pk: interpreted(definition, city, happened, partial(_lot, workflow, each))
            for each, (city, happened) in zip(customers, people, strict=True)
        }
        assert {each.customer_id: _way(each) for each in workflow.enrollments.all()} == ways
        transaction.set_rollback(True)


@pytest.fixture
def world() -> None:
    """Make what the definitions name."""
    make_template(name="hello", body="{{ unsubscribe_url }}")
    User.objects.create_user("staff@example.com", is_staff=True)
    Segment.objects.create(name="Drawn", slug="drawn", kind="static")
    WebhookEndpoint.objects.create(name="Closed", url="https://example.com", is_active=False)
    make_workflow(define({"rest": {"type": "wait", "for": "90d"}}), slug="other")


def _lot(workflow: Workflow, customer: Customer, key: str) -> float:
    return bucket(f"workflow {workflow.pk} {key}:", customer.pk)


def _live(workflow: Workflow, now: datetime, future: list[tuple[datetime, int, str]]) -> None:
    """Let time pass from one event or due passage to the next."""
    while True:
        while workflows.advance_workflow(workflow, now=now):
            pass
        due = workflow.enrollments.aggregate(at=Min("wake_at"))["at"]
        if due is None:
            return
        if future and future[0][0] <= due:
            now, customer, event = future.pop(0)
            row = Interaction.objects.create(customer_id=customer, type=event, occurred_at=now)
            workflows.react_to_events([Row(row.pk, customer, event, now, {})])
        else:
            now = due


def _way(passage: Enrollment) -> list[str]:
    events = EnrollmentEvent.objects.filter(enrollment_id=passage.pk).order_by("pk")
    told = {"left": "{step}>{branch}", "completed": "completed", "exited": "exited"}
    return [
        told[each.kind].format(step=each.step, branch=each.branch)
        for each in events
        if each.kind in told
    ]
