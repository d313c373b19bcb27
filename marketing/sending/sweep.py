"""The safety net under the tasks: whatever nobody works on gets a worker again."""

from __future__ import annotations

from django.conf import settings

from marketing.messages import queue
from marketing.models import CampaignRun
from marketing.sending import breaker, outage, recover, reputation, social_post, turn

State = CampaignRun.State


def unattended_runs() -> list[int]:
    """Settle what dead workers left, pause and resume what must be, close what is done, and return the ids of
    runs that want workers, each as often as it wants one more."""
    recover.take_back()
    breaker.begin_probes()
    outage.resume_where_over()
    reputation.pause_where_bad()
    wanting: list[int] = []
    under_way = CampaignRun.objects.filter(state__in=["queued", "materialising", "sending"])
    for run in under_way.select_related("campaign", "sender"):
        if social_post.is_post(run):
            wanting += [run.pk] if social_post.is_due(run) else []
        elif run.state != State.SENDING:
            wanting.append(run.pk)
        elif queue.has_due(run):
            wanting += [run.pk] * (settings.SENDING_WORKERS_PER_RUN - queue.workers_at(run))
        else:
            turn.come_to_rest(run)
    return wanting
