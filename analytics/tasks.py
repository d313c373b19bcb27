"""One-line entries for Celery."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from celery.schedules import crontab
from django.conf import settings

from analytics import background_cache, dashboard, metrics, weekly_report
from analytics.commerce import USUAL_DAYS, as_of
from analytics.people import follow, profiles
from analytics.people.figures import figures
from crm.queues import Queue, recurring, task

logger = logging.getLogger(__name__)


@recurring("Update campaign metrics", every=timedelta(seconds=2), queue=Queue.FEEDS, turn=1)
def fold_metrics() -> int:
    return metrics.fold()


@recurring("Check campaign metrics", every=crontab(hour="3", minute="30"), queue=Queue.JOBS)
def check_drift() -> None:
    """Say in the log which counters differ from the timeline; metrics.rebuild() puts them right, once somebody knows why."""
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
    profiles.start_rebuild()


@recurring("Rebuild stale profiles", every=timedelta(minutes=2), queue=Queue.DEFAULT)
def rebuild_stale_profiles() -> None:
    if profiles.is_stale():
        profiles.start_rebuild()


@task(Queue.JOBS)
def refresh_dashboards() -> None:
    """Renew what the dashboards show first, once profiles are rebuilt."""
    last = as_of()
    dashboard.people.renew()
    figures.renew(last - timedelta(days=USUAL_DAYS - 1), last)


@recurring(
    "Update profiles from the timeline", every=timedelta(seconds=10), queue=Queue.FEEDS, turn=1
)
def follow_timeline() -> int:
    return follow.timeline()


@task(Queue.JOBS)
def renew_kept(name: str, args: list[Any]) -> None:
    background_cache.renew(name, args)


@recurring(
    "Send the weekly report",
    every=crontab(day_of_week="mon", hour="6", minute="0"),
    queue=Queue.JOBS,
)
def send_weekly_report() -> None:
    weekly_report.send(settings.WEEKLY_REPORT_TO)
