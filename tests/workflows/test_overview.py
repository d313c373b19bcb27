"""The list of workflows shows the figures of their own pages."""

from __future__ import annotations

import pytest

from marketing import workflows
from tests.factories.customers import make_customer
from tests.factories.workflows import define, enroll, happen, make_workflow

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_overview_agrees_with_the_figures() -> None:
    steps = {"pause": {"type": "wait", "for": "1h"}}
    goal = {"event": "checked_out", "window_days": 7}
    workflow = make_workflow(define(steps, goal=goal, holdout_percent=30))
    make_workflow(define(steps))
    people = [make_customer() for _ in range(12)]
    enroll(workflow, *people)
    for each in people[:4]:
        happen(each, "checked_out")
    figures = workflows.figures_of(workflow)
    overview = workflows.overview_of([workflow.pk])[workflow.pk]
    assert (overview.entered, overview.goals) == (figures.entered, figures.goals)
    assert 0 < overview.goals <= overview.entered < len(people)
    assert overview.under_way == figures.under_way
    assert overview.entered_in_week == sum(overview.by_day) == figures.entered
