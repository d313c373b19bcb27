"""Everything that analytics puts into registries below it. AppConfig.ready() calls register() once."""

from __future__ import annotations

from analytics import people
from analytics.models import ProfileRebuild
from crm import jobs
from marketing.messages import batches
from marketing.models import CampaignRun

REST_WHILE_SENDING = 16.0
"""Seconds between two turns of four of a rebuild while messages are sent: it then takes a fifth of a core."""


def register() -> None:
    jobs.register(ProfileRebuild, people.rebuild_in_turns, rest=_rest)


def _rest() -> float:
    is_sending = CampaignRun.objects.filter(state__in=batches.WORKED_ON).exists()
    return REST_WHILE_SENDING if is_sending else 0.0
