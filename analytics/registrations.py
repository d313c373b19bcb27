"""Everything that analytics puts into registries below it. AppConfig.ready() calls register() once."""

from __future__ import annotations

from analytics import people
from analytics.models import ProfileRebuild
from crm import jobs


def register() -> None:
    jobs.register(ProfileRebuild, people.rebuild_in_turns)
