"""One-line entries for Celery."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from celery import shared_task
from django.conf import settings

from analytics import background_cache, dashboard, metrics, weekly_report
from analytics.commerce import USUAL_DAYS, as_of
from analytics.people import follow, profiles
from analytics.people.figures import figures

logger = logging.getLogger(__name__)


@shared_task
def fold_metrics() -> None:
    metrics.fold()


@shared_task
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


@shared_task
def rebuild_profiles() -> None:
    """And what the dashboards show first in the morning."""
    profiles.rebuild()
    last = as_of()
    dashboard.people.renew()
    figures.renew(last - timedelta(days=USUAL_DAYS - 1), last)


@shared_task
def rebuild_stale_profiles() -> None:
    if profiles.is_stale():
        profiles.rebuild()


@shared_task
def follow_timeline() -> None:
    follow.timeline()


@shared_task
def renew_kept(name: str, args: list[Any]) -> None:
    background_cache.renew(name, args)


@shared_task
def send_weekly_report() -> None:
    weekly_report.send(settings.WEEKLY_REPORT_TO)
