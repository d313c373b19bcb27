"""One worker's turn at a run: collect its audience, then send what it can hold."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable
from functools import partial

from django.conf import settings

from marketing.channels import registry
from marketing.channels.base import TransientError
from marketing.messages import batches, queue
from marketing.models import CampaignRun
from marketing.sending import outage, quota, social_post
from marketing.sending.breaker import Breaker
from marketing.sending.compose import Composer
from marketing.sending.connection_pool import Lanes
from marketing.sending.dispatch import LONGEST_WAIT, Dispatcher
from marketing.sending.rate_limit import Pace

logger = logging.getLogger(__name__)

TURN_SECONDS = 4.0
"""A turn ends after this time, so that other work of the worker gets its own."""

Clock = Callable[[], float]


def work_on(
    run_id: int, *, turn_seconds: float = TURN_SECONDS, clock: Clock = time.monotonic
) -> bool:
    """Do one turn of a run; True when there is more to do at once.

    Safe to call any number of times, from any number of workers, for a run in any state.
    """
    ends_at = clock() + turn_seconds
    run = _load(run_id)
    if run is None:
        return False
    if social_post.is_post(run):
        social_post.make(run)
        return False
    while batches.owner().fill(run):
        if clock() >= ends_at:
            return True
    run = _load(run_id)
    if run is None or run.state != CampaignRun.State.SENDING:
        return False
    if not queue.has_due(run):
        come_to_rest(run)
        return False
    if queue.workers_at(run) >= settings.SENDING_WORKERS_PER_RUN:
        return False
    more = _send(run, lambda: clock() >= ends_at)
    if not more:
        come_to_rest(run)
    return more


def come_to_rest(run: CampaignRun) -> None:
    """Close a run that has nothing left to send, or pause one whose budget is used up; nothing happens where messages only wait."""
    if not quota.pause_if_spent(run):
        batches.finish(run)


def _load(run_id: int) -> CampaignRun | None:
    return (
        CampaignRun.objects.select_related("campaign__topic", "sender", "version")
        .filter(pk=run_id, state__in=["queued", "materialising", "sending"])
        .first()
    )


def _send(run: CampaignRun, time_is_up: Callable[[], bool]) -> bool:
    """Send what the provider, its breaker and its pace allow; True when more may leave at once."""
    breaker, pace = Breaker(run.sender), Pace(run.sender)
    if breaker.is_open:
        outage.pause(run, breaker)
        return False
    if pace.wait() > LONGEST_WAIT:
        _note_error(run, pace.why)
        return False
    if breaker.probing and not breaker.take_probe():
        return False
    lease = uuid.uuid4()
    try:
        _dispatch(run, lease, breaker, pace, time_is_up)
    except TransientError as error:
        breaker.unreachable(str(error))
        _note_error(run, str(error))
    else:
        _note_error(run, pace.why)
    finally:
        pace.give_back()
        queue.let_go(lease, run)
    if breaker.is_open:
        outage.pause(run, breaker)
        return False
    return not run.error and queue.has_due(run)


def _dispatch(
    run: CampaignRun,
    lease: uuid.UUID,
    breaker: Breaker,
    pace: Pace,
    time_is_up: Callable[[], bool],
) -> None:
    """Raises TransientError when the provider cannot be reached at all: then no message counts as tried."""
    channel = registry.get(run.sender.provider)
    width = 1 if breaker.probing else run.sender.connections
    connect = partial(registry.connect, run.sender)
    with Lanes(connect, width, idempotent=channel.idempotent) as lanes:
        Dispatcher(run, lease, lanes, pace=pace, breaker=breaker, composer=Composer(run)).send(
            time_is_up
        )


def _note_error(run: CampaignRun, error: str) -> None:
    if run.error != error:
        logger.warning("%s: %s", run, error or "it goes on")
        CampaignRun.objects.filter(pk=run.pk).update(error=error)
        run.error = error
