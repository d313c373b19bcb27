"""A schedule has a description in words."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Any

import pytest

from marketing.models import Campaign
from marketing.schedule.describe import describe_schedule

MONDAY = datetime(2027, 2, 1, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"type": "one_time"}, "Once, on 1 Feb 2027 at 10:00 (Europe/Berlin)"),
        ({"frequency": "secondly", "interval": 30}, "Every 30 seconds, at 10:00, from 1 Feb 2027 (Europe/Berlin)"),
        ({"frequency": "hourly"}, "Every hour at 10:00, from 1 Feb 2027 (Europe/Berlin)"),
        ({"frequency": "daily", "interval": 3}, "Every 3 days at 10:00, from 1 Feb 2027 (Europe/Berlin)"),
        ({"frequency": "weekly"}, "Every week on Monday at 10:00, from 1 Feb 2027 (Europe/Berlin)"),
        (
            {"frequency": "weekly", "interval": 2, "weekdays": ["fri", "mon"], "max_runs": 5},
            "Every 2 weeks on Monday and Friday at 10:00, from 1 Feb 2027 – at most 5 runs (Europe/Berlin)",
        ),
        (
            {"frequency": "monthly", "day_of_month": 31, "ends_at": datetime(2028, 1, 1, tzinfo=UTC)},
            "On the last day of every month at 10:00, from 1 Feb 2027 until 1 Jan 2028, 01:00 (Europe/Berlin)",
        ),
        (
            {"frequency": "monthly", "interval": 3, "local_time": True, "clock_time": time(2, 30)},
            "On the 1. of every 3 months at 02:30, from 1 Feb 2027 (local time of each customer)",
        ),
        ({"scheduled_at": None}, "No start: sent by hand"),
    ],
)  # fmt: skip
def test_a_schedule_is_described_in_words(given: dict[str, Any], sentence: str) -> None:
    campaign = Campaign(
        **{"type": "recurring", "scheduled_at": MONDAY, "timezone": "Europe/Berlin", **given}
    )
    assert describe_schedule(campaign) == sentence
