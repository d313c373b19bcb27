"""Worker processes for benchmarks. A spawned process imports this module before Django is set up."""

from __future__ import annotations

import os
import resource
import time
from multiprocessing.connection import Connection


def work(run_id: int, seconds: float) -> None:
    """Work on a batch for that many seconds."""
    _set_up()
    from marketing.sending import turn

    ends_at = time.monotonic() + seconds
    while time.monotonic() < ends_at:
        turn.work_on(run_id)


def tell_memory(campaign_id: int, turns: int, tell: Connection) -> None:
    """Snapshot an audience, send for some turns, and return the peak memory in MB."""
    _set_up()
    from benchmarks import newsletter
    from marketing.models import Campaign
    from marketing.sending import turn

    run = newsletter.launched(Campaign.objects.get(pk=campaign_id))
    for _turn in range(turns):
        turn.work_on(run.pk)
    tell.send(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def _set_up() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "crm.settings"
    import django

    django.setup()
