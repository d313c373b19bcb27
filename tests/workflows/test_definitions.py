"""A definition is read whole, and each fault is named by its path."""

from __future__ import annotations

from typing import Any

import pytest

from marketing import workflows
from tests.factories.workflows import define

WAIT = {"type": "wait", "for": "1h"}
RULES = {"operator": "AND", "conditions": [{"field": "city", "operator": "~", "value": "x"}]}
EXAMPLE: dict[str, Any] = {
    "entry": {"on": "event", "event": "cart_updated", "where": [], "per": "cart_id",
              "audience": {"operator": "AND", "conditions": []}},
    "reentry": {"after_days": 7},
    "exit_when": [{"event": "order_placed"}, {"rules": {"operator": "AND", "conditions": []}}],
    "goal": {"event": "order_placed", "value": "amount", "window_days": 14},
    "holdout_percent": 10,
    "start": "wait_1h",
    "steps": {
        "wait_1h": {"type": "wait", "for": "1h", "next": "reminder"},
        "reminder": {"type": "send", "channel": "email", "template": "cart-reminder", "next": "bought"},
        "bought": {"type": "wait_for", "event": "order_placed", "timeout": "2d",
                   "next": {"happened": None, "timed_out": "split"}},
        "split": {"type": "split",
                  "branches": [{"name": "big", "rules": {"operator": "AND", "conditions": []}, "next": "offer"}],
                  "next": "sms"},
        "offer": {"type": "send", "template": "offer"},
        "sms": {"type": "send", "channel": "sms", "template": "sms-reminder"},
    },
}  # fmt: skip


def faults(definition: object) -> dict[str, str]:
    """Return the messages of a definition's faults by their path."""
    with pytest.raises(workflows.DefinitionError) as refused:
        workflows.read(definition)
    return {each["path"]: each["message"] for each in refused.value.errors}


@pytest.mark.django_db
def test_an_example_is_read_whole() -> None:
    found = workflows.read(EXAMPLE)
    assert found.start == "wait_1h"
    assert list(found.steps) == ["wait_1h", "reminder", "bought", "split", "offer", "sms"]
    assert found.steps["split"].next == {"big": "offer", "else": "sms"}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("definition", "path"),
    [
        (define({"a": WAIT}) | {"colour": "red"}, "colour"),
        (define({"a": {**WAIT, "until": "2027-01-01T00:00Z"}}), "steps.a"),
        (define({"a": {"type": "wait", "for": "soon"}}), "steps.a.for"),
        (define({"a": {**WAIT, "colour": "red"}}), "steps.a.colour"),
        (define({"a": {"type": "dance"}}), "steps.a.type"),
        (define({"a": {**WAIT, "next": "nowhere"}}), "steps.a.next"),
        (define({"a": WAIT, "b": WAIT}), "steps.b"),
        (define({"a": WAIT}) | {"start": "nowhere"}, "start"),
        (
            define({"a": {"type": "split", "branches": [{"name": "x", "rules": RULES}]}}),
            "steps.a.branches[0].rules.conditions[0].operator",
        ),
        (
            define(
                {
                    "a": {"type": "emit", "event": "went round", "next": "b"},
                    "b": {"type": "emit", "event": "went round", "next": "a"},
                }
            ),
            "steps.a",
        ),
        (define({"a": {"type": "wait_for", "event": "x"}}), "steps.a.timeout"),
        (define({"a": {"type": "emit", "event": "order_placed"}}), "steps.a.event"),
        (define({"a": {"type": "go_to"}}), "steps.a.step"),
        (define({"a": {"type": "start"}}), "steps.a.workflow"),
        (
            define(
                {"a": {"type": "wait", "for": "1h", "window": {"from": "09:00", "to": "17:00"}}}
            ),
            "steps.a",
        ),
        (define({"a": {"type": "send", "template": "x", "send_at": "noon"}}), "steps.a.send_at"),
        (define({"a": {"type": "send", "template": "x", "window": {}}}), "steps.a.window"),
        (define(entry={"on": "moon"}), "entry.on"),
        (define(entry={"on": "event", "event": 7}), "entry.event"),
        (define(entry={"on": "schedule", "every": "daily", "at": "25:00"}), "entry.at"),
        (define(holdout_percent=120), "holdout_percent"),
        (define(exit_when=[{}]), "exit_when[0]"),
        (define(goal={"event": "x", "window_days": -1}), "goal.window_days"),
        ({}, "entry"),
        ([], ""),
        (define({"a": []}), "steps.a"),  # type: ignore[dict-item]
    ],
)
def test_a_fault_is_named_by_its_path(definition: object, path: str) -> None:
    assert path in faults(definition)


@pytest.mark.django_db
def test_a_loop_with_a_wait_is_allowed() -> None:
    steps = {"a": {**WAIT, "next": "b"}, "b": {"type": "emit", "event": "round", "next": "a"}}
    assert workflows.read(define(steps)).steps.keys() == {"a", "b"}


@pytest.mark.django_db
def test_a_draft_without_its_templates_cannot_be_published() -> None:
    with pytest.raises(workflows.DefinitionError) as refused:
        workflows.check(EXAMPLE)
    assert "steps.reminder.template" in {each["path"] for each in refused.value.errors}
