"""Celery tasks of one line each."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from celery.schedules import crontab
from django.conf import settings

from analytics import background_cache, metrics, people, weekly_report
from analytics.dashboards import customers_dashboard
from analytics.days import USUAL_DAYS, as_of
from analytics.headlines import PERIOD_DAYS, customer_figures
from crm.queues import Queue, recurring, task

logger = logging.getLogger(__name__)


@recurring("Check campaign metrics", every=crontab(hour="3", minute="30"), queue=Queue.JOBS)
def check_drift() -> None:
    """Log every counter that differs from the timeline; metrics.rebuild() corrects them."""
    for each in metrics.drift():
        logger.error(
            "Campaign metrics drifted: run %s, variant “%s”, at %s: %s is kept as %s, the timeline says %s.",
            each.run_id,
            each.variant,
            each.hour,
            each.counter,
            each.kept,
            each.counted,
        )


@recurring("Rebuild all profiles", every=crontab(hour="4", minute="0"), queue=Queue.DEFAULT)
def rebuild_profiles() -> None:
    people.start_rebuild()


@recurring("Rebuild stale profiles", every=timedelta(minutes=2), queue=Queue.DEFAULT)
def rebuild_stale_profiles() -> None:
    if people.profiles_are_stale():
        people.start_rebuild()


@task(Queue.JOBS)
def refresh_dashboards() -> None:
    """Refresh the dashboards as they open by default."""
    last = as_of()
    for days in (PERIOD_DAYS, USUAL_DAYS):
        customer_figures.refresh(last - timedelta(days=days - 1), last)
    customers_dashboard.refresh(last - timedelta(days=USUAL_DAYS - 1), last)


@task(Queue.JOBS)
def refresh_cached(name: str, arguments: list[Any]) -> None:
    background_cache.refresh(name, arguments)


@recurring(
    "Send the weekly report",
    every=crontab(day_of_week="mon", hour="6", minute="0"),
    queue=Queue.JOBS,
)
def send_weekly_report() -> None:
    weekly_report.send(settings.WEEKLY_REPORT_TO)
