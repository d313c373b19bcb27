"""Celery tasks of one line each. A task is only a nudge: the rows in the database say which work there is."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings

from crm.queues import Queue, one_at_a_time, recurring, task
from marketing import campaigns, sending, tracking, workflows

NUDGE_SECONDS = 10
"""A nudge that no worker has taken by then is not worth keeping: the next sweep nudges anew."""


@task(Queue.SENDING)
def launch_scheduled(campaign_id: int) -> None:
    campaigns.launch_if_due(campaign_id)


@recurring(
    "Resume campaign sending",
    every=timedelta(seconds=settings.SENDING_SWEEP_SECONDS),
    queue=Queue.SENDING,
)
def sweep_runs() -> None:
    campaigns.launch_overdue()
    for run_id in sending.unattended_batches():
        send_run.apply_async((run_id,), expires=NUDGE_SECONDS)


@task(Queue.SENDING, goes_first=True)
def send_run(run_id: int) -> None:
    if sending.work_on(run_id):
        send_run.delay(run_id)


@task(Queue.SENDING)
def send_confirmations(customer_ids: list[int]) -> None:
    tracking.send_requests(customer_ids)


@recurring("Choose A/B test winners", every=timedelta(seconds=10), queue=Queue.DEFAULT)
def choose_winners() -> None:
    campaigns.decide_tests()


@recurring("Process clicks and receipts", every=timedelta(seconds=2), queue=Queue.FEEDS, turn=1)
def process_clicks_and_receipts() -> int:
    return tracking.process_hits() + tracking.match_late()


@recurring("Simulate engagement", every=timedelta(seconds=2), queue=Queue.DEFAULT)
def simulate_engagement() -> None:
    tracking.simulate_engagement()


@recurring("Advance workflows", every=timedelta(seconds=1), queue=Queue.FEEDS, turn=2)
def advance_workflows() -> bool:
    return workflows.advance()


@recurring("Start calls of workflows", every=timedelta(seconds=1), queue=Queue.DEFAULT)
def start_workflow_calls() -> None:
    """Start a task for each endpoint, so that a slow endpoint delays no other."""
    for endpoint_id in workflows.endpoints_with_calls():
        make_workflow_calls.delay(endpoint_id)


@one_at_a_time(queue=Queue.DEFAULT, turn=4)
def make_workflow_calls(endpoint_id: int) -> bool:
    return workflows.make_calls(endpoint_id) > 0


@recurring("Fold figures of workflows", every=timedelta(minutes=1), queue=Queue.DEFAULT)
def fold_figures_of_workflows() -> None:
    workflows.fold_figures()


@recurring("Start workflows by date and schedule", every=timedelta(seconds=20), queue=Queue.FEEDS)
def enter_workflows_by_clock() -> bool:
    return workflows.enter_by_clock()
