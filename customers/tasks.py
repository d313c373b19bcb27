"""One-line entries for Celery."""

from __future__ import annotations

from celery import shared_task

from customers import announce
from customers.identity import duplicates
from customers.models import Segment
from customers.privacy import erase, retention
from customers.segments import incremental, refresh, refresh_all


@shared_task
def refresh_segments(segment_ids: list[int] | None = None) -> None:
    """Of all dynamic segments, if none are named."""
    refresh_all(None if segment_ids is None else Segment.objects.filter(pk__in=segment_ids))


@shared_task
def follow_timeline() -> None:
    incremental.timeline()


@shared_task
def follow_time() -> None:
    incremental.time_passed()


@shared_task
def refresh_segment(segment_id: int) -> None:
    """Of a segment that may be gone by now."""
    for segment in Segment.objects.filter(pk=segment_id):
        refresh(segment)


@shared_task
def finish_erasure(receipt_id: int) -> None:
    erase.finish(receipt_id)


@shared_task
def sweep_erasures() -> None:
    for receipt_id in erase.unfinished():
        finish_erasure.delay(receipt_id)


@shared_task
def forget_what_is_old() -> None:
    retention.apply()


@shared_task
def find_duplicates() -> None:
    duplicates.refresh()


@shared_task
def announce_timeline() -> int:
    return announce.timeline()
