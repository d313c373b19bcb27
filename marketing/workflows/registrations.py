"""Register workflows with the rooms below: the segments that they use, and the passages of merged customers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from crm import jobs
from customers import identity
from customers.segments import register_followers, register_users, slugs_in
from marketing.models import Backtest, Workflow
from marketing.workflows import backtests
from marketing.workflows.engine import end_lesser
from marketing.workflows.feed import segments_entered_by


def register() -> None:
    """Register workflows, once when the app starts."""
    jobs.register(Backtest, backtests.work, refusals=(ValueError,))
    register_users(workflows_with_segment)
    register_followers(segments_entered_by)
    identity.before_merge(end_lesser)


def workflows_with_segment(slug: str) -> list[Workflow]:
    """Return the workflows, not archived, whose draft or published version names a segment."""
    open_ones = Workflow.objects.exclude(state=Workflow.State.ARCHIVED).select_related("version")
    return [
        each
        for each in open_ones
        if slug in {*_slugs(each.draft), *_slugs(each.version.definition if each.version else {})}
    ]


def _slugs(part: Any) -> Iterator[str]:
    """Yield the slugs of segments anywhere in a definition."""
    match part:
        case dict():
            for key, value in part.items():
                if key == "segment" and isinstance(value, str):
                    yield value
                elif key in ("rules", "audience") and value:
                    yield from slugs_in(value)
                else:
                    yield from _slugs(value)
        case list():
            for each in part:
                yield from _slugs(each)
