"""One-line entries for Celery. A task is only a nudge: the rows in the database say what is to be done."""

from __future__ import annotations

from celery import shared_task

from marketing import campaigns
from marketing.sending import sweep, turn
from marketing.tracking import (
    click_filter,
    conversions,
    double_opt_in,
    receipts,
    simulated_engagement,
)

NUDGE_SECONDS = 10
"""A nudge that no worker has taken by then is not worth keeping: the next sweep nudges anew."""


@shared_task
def launch_scheduled(campaign_id: int) -> None:
    campaigns.launch_if_due(campaign_id)


@shared_task
def send_run(run_id: int) -> None:
    if turn.work_on(run_id):
        send_run.delay(run_id)


@shared_task
def sweep_runs() -> None:
    campaigns.launch_overdue()
    for run_id in sweep.unattended_runs():
        send_run.apply_async((run_id,), expires=NUDGE_SECONDS)


@shared_task
def decide_tests() -> None:
    campaigns.decide_tests()


@shared_task
def simulate_reactions() -> None:
    simulated_engagement.let_recipients_react()


@shared_task
def settle_tracking() -> None:
    click_filter.judge()
    receipts.match_late()
    conversions.count_events()


@shared_task
def send_confirmations(customer_ids: list[int]) -> None:
    double_opt_in.send_requests(customer_ids)
