"""The safety net under the tasks: whatever nobody works on gets a worker again."""

from __future__ import annotations

from marketing.campaigns import lifecycle
from marketing.models import CampaignRun
from marketing.sending import claim, recover

State = CampaignRun.State


def unattended_runs() -> list[int]:
    """Launch what is overdue, settle what dead workers left, close what is done, and return the ids of runs that want a worker."""
    lifecycle.launch_overdue()
    recover.mark_unconfirmed()
    wanting = []
    for run in CampaignRun.objects.filter(state__in=["queued", "materialising", "sending"]):
        if claim.is_attended(run):
            continue
        if run.state != State.SENDING or claim.has_due(run):
            wanting.append(run.pk)
        else:
            lifecycle.finish_run(run)
    return wanting
