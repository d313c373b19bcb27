"""Everything that analytics puts into registries below it. AppConfig.ready() calls register() once."""

from __future__ import annotations

from analytics.models import ProfileRebuild
from analytics.people import profiles
from crm import jobs


def register() -> None:
    jobs.register(ProfileRebuild, profiles.rebuild_in_turns)
