"""Figures of workflows are counted with each move, and counting again gives the same."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone
from rest_framework.test import APIClient

from crm.api import ids
from customers import identity, privacy
from marketing import statistics, workflows
from marketing.models import Enrollment, WorkflowTally
from marketing.statistics import Rate
from tests.factories.customers import make_customer
from tests.factories.workflows import (
    after,
    define,
    enroll,
    happen,
    make_workflow,
    pass_time,
)

pytestmark = pytest.mark.django_db(transaction=True)

GOAL = {"event": "subscribed", "value": "price", "window_days": 7}
LOT: dict[str, Any] = {
    "lot": {"type": "experiment", "branches": [{"name": "a", "next": "pause"}, {"name": "b"}]},
    "pause": {"type": "wait", "for": "1h"},
}


def sums() -> list[tuple[Any, ...]]:
    """Return all tallies, folded."""
    workflows.fold_figures()
    columns = ("kind", "step", "branch", "number", "value")
    return sorted(WorkflowTally.objects.values_list(*columns))


def test_figures_are_those_of_the_passages() -> None:
    people = [make_customer() for _ in range(60)]
    workflow = make_workflow(define(LOT, goal=GOAL, holdout_percent=30))
    enroll(workflow, *people)
    pass_time(after(hours=2))
    passages = list(workflow.enrollments.all())
    for each in passages[::3]:
        each.refresh_from_db()
        happen(each.customer, "subscribed", price="10.50")

    found = workflows.figures_of(workflow)
    held = workflow.enrollments.filter(exit_reason="holdout")
    others = workflow.enrollments.exclude(exit_reason="holdout")
    met = others.filter(goal_at__isnull=False)
    assert (found.entered, found.holdout) == (others.count(), held.count())
    assert (found.completed, found.under_way) == (others.count(), 0)
    assert (found.goals, found.revenue) == (met.count(), met.count() * Decimal("10.50"))
    assert found.holdout_goal_rate == held.filter(goal_at__isnull=False).count() / held.count()
    rates = (
        Rate(found.entered, found.goals),
        Rate(held.count(), held.filter(goal_at__isnull=False).count()),
    )
    assert found.lift == statistics.difference(*rates)
    assert found.seconds_to_goal
    assert 0 <= found.seconds_to_goal < 60
    assert [each.branch for each in found.experiments] == ["a", "b"]
    assert sum(each.entered for each in found.experiments) == found.entered
    assert sum(each.goals for each in found.experiments) == found.goals
    assert found.experiments[0].difference is None
    assert (found.versions[0].version, found.versions[0].goals) == (1, found.goals)


def test_counting_again_gives_the_same() -> None:
    people = [make_customer() for _ in range(12)]
    workflow = make_workflow(define(LOT, goal=GOAL, holdout_percent=20, reentry={"after_days": 0}))
    enroll(workflow, *people)
    for each in people[:5]:
        happen(each, "subscribed", price=3)
    identity.merge(people[0].pk, people[1].pk)
    privacy.erase(people[2], by=None)
    workflows.end_by_hand(workflow, list(workflow.enrollments.values_list("pk", flat=True)[:3]))
    pass_time(after(hours=2))
    before = sums()
    call_command("workflow", "recount", workflow.slug)
    assert sums() == before
    entered = sum(number for kind, _step, _branch, number, _value in before if kind == "entered")
    ended = sum(
        number
        for kind, _step, branch, number, _value in before
        if kind in ("completed", "exited") and branch != "holdout"
    )
    assert entered == ended == workflow.enrollments.exclude(exit_reason="holdout").count()


def test_figures_of_versions_stay_apart(api: APIClient) -> None:
    workflow = make_workflow(define({"pause": {"type": "wait", "for": "1h"}}))
    ada, bob = make_customer(), make_customer()
    enroll(workflow, ada)
    workflows.save_draft(workflow, define({"pause": {"type": "wait", "for": "2h"}}), by=None)
    workflows.publish(workflow, by=None, plan={"pause": "stay"})
    enroll(workflow, bob)
    pass_time(after(hours=3))
    found = api.get(f"/api/workflows/{ids.encode('wfl', workflow.pk)}/metrics/").json()
    assert [each["completed"] for each in found["versions"]] == [1, 1]
    assert found["lift"] is None


def test_an_old_goal_does_not_count_twice() -> None:
    ada = make_customer()
    workflow = make_workflow(define({"pause": {"type": "wait", "for": "1h"}}, goal=GOAL))
    enroll(workflow, ada)
    Enrollment.objects.update(entered_at=timezone.now() - timedelta(days=1))
    for _again in range(2):
        happen(ada, "subscribed", price=4)
    found = workflows.figures_of(workflow)
    assert (found.goals, found.revenue) == (1, 4)
    assert found.seconds_to_goal == pytest.approx(86_400, abs=60)
