"""Everything that analytics puts into registries below it. AppConfig.ready() calls register() once."""

from __future__ import annotations

from analytics import people
from analytics.models import ProfileRebuild
from crm import jobs

REBUILD_REST_SECONDS = 6
"""After a turn of four: on a machine that sends meanwhile, a rebuild takes a fraction of a core."""


def register() -> None:
    jobs.register(ProfileRebuild, people.rebuild_in_turns, rest=REBUILD_REST_SECONDS)
