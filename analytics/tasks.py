"""One-line entries for Celery."""

from __future__ import annotations

import logging

from celery import shared_task

from analytics import metrics
from analytics.people import follow, profiles

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
    profiles.rebuild()


@shared_task
def rebuild_stale_profiles() -> None:
    if profiles.is_stale():
        profiles.rebuild()


@shared_task
def follow_timeline() -> None:
    follow.timeline()
