"""How the size of a segment has moved: one row for each change, read as a course over time."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone

from customers.models import Segment, SegmentSize

MOST_SHOWN = 120


def record(segment: Segment, at: datetime | None = None) -> None:
    """Keep the segment's size, unless it is what it was. Call it where the segment is locked."""
    last = segment.sizes.order_by("-at", "-pk").values_list("size", flat=True).first()
    if last != segment.size:
        SegmentSize.objects.create(segment=segment, at=at or timezone.now(), size=segment.size)


def history(segment: Segment) -> list[SegmentSize]:
    """The newest MOST_SHOWN changes, oldest first."""
    return list(segment.sizes.order_by("-at", "-pk")[:MOST_SHOWN])[::-1]
