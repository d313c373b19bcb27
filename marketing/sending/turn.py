"""A worker's turn at a batch, and the sweep that finds batches without a worker."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable
from functools import partial

from django.conf import settings

from customers.models.consent import Channel
from marketing.channels import TransientError, connect, get_provider
from marketing.messages import batches, queue, transitions
from marketing.messages.plan import SendPlan
from marketing.models import CampaignRun
from marketing.sending import breaker as breakers
from marketing.sending import quota, reputation, social_post
from marketing.sending.breaker import Breaker
from marketing.sending.connection_pool import ConnectionPool
from marketing.sending.dispatch import LONGEST_WAIT, Dispatcher
from marketing.sending.rate_limit import RateLimit

logger = logging.getLogger(__name__)

TURN_SECONDS = 4.0
"""A turn ends after this time, so that the worker gets to its other tasks."""

State = CampaignRun.State
Clock = Callable[[], float]


def work_on(
    batch_id: int, *, turn_seconds: float = TURN_SECONDS, clock: Clock = time.monotonic
) -> bool:
    """Collect the recipients of a batch and send its messages for one turn; returns whether more may be sent at once.

    Safe to call any number of times, from any number of workers, for a batch in any state.
    """
    ends_at = clock() + turn_seconds
    batch = _load(batch_id)
    if batch is None:
        return False
    plan = batches.plan_of(batch)
    if plan.channel == Channel.SOCIAL:
        social_post.publish(batch, plan)
        return False
    if batch.state != State.SENDING:
        while batches.owner().fill(batch):
            if clock() >= ends_at:
                return True
        batch = _load(batch_id)
        if batch is None or batch.state != State.SENDING:
            return False
    if not _has_due(batch, plan):
        _rest(batch, plan)
        return False
    if queue.count_workers(batch) >= settings.SENDING_WORKERS_PER_RUN:
        return False
    more = _send(batch, plan, lambda: clock() >= ends_at)
    if not more:
        _rest(batch, plan)
    return more


def unattended_batches() -> list[int]:
    """Recover what dead workers left, hold, release and finish batches, and return the ids of those that need workers.

    An id comes as often as its batch needs another worker.
    """
    transitions.mark_unconfirmed()
    breakers.begin_probes()
    breakers.release_batches()
    reputation.hold_batches()
    ids: list[int] = []
    for batch in CampaignRun.objects.filter(state__in=batches.WORKED_ON).select_related("sender"):
        if batch.state != State.SENDING:
            ids.append(batch.pk)
            continue
        plan = batches.plan_of(batch)
        if plan.channel == Channel.SOCIAL:
            ids += [batch.pk] if social_post.is_due(batch) else []
        elif _has_due(batch, plan):
            ids += [batch.pk] * (settings.SENDING_WORKERS_PER_RUN - queue.count_workers(batch))
        else:
            _rest(batch, plan)
    return ids


def _load(batch_id: int) -> CampaignRun | None:
    batches_under_way = CampaignRun.objects.filter(state__in=batches.WORKED_ON)
    return batches_under_way.select_related("sender").filter(pk=batch_id).first()


def _has_due(batch: CampaignRun, plan: SendPlan) -> bool:
    return queue.has_due(batch) and quota.left(batch, plan.limits) > 0


def _rest(batch: CampaignRun, plan: SendPlan) -> None:
    """Finish a batch with nothing left to send, or hold one with its budget spent; one whose messages wait stays as it is."""
    if not quota.hold_if_spent(batch, plan.limits):
        batches.finish(batch)


def _send(batch: CampaignRun, plan: SendPlan, time_is_up: Callable[[], bool]) -> bool:
    """Send within the provider's limits while its breaker is closed; returns whether more may be sent at once."""
    breaker, rate_limit = Breaker(plan.sender, batch), RateLimit(plan.sender)
    if breaker.is_open:
        breaker.hold()
        return False
    if rate_limit.wait() > LONGEST_WAIT:
        _record_error(batch, rate_limit.why)
        return False
    if breaker.probing and not breaker.take_probe():
        return False
    lease = uuid.uuid4()
    try:
        _dispatch(batch, plan, lease, breaker, rate_limit, time_is_up)
    except TransientError as error:
        breaker.unreachable(str(error))
        _record_error(batch, str(error))
    else:
        _record_error(batch, rate_limit.why)
    finally:
        rate_limit.give_back()
        queue.release(batch, lease)
    if breaker.is_open:
        breaker.hold()
        return False
    return not batch.error and _has_due(batch, plan)


def _dispatch(
    batch: CampaignRun,
    plan: SendPlan,
    lease: uuid.UUID,
    breaker: Breaker,
    rate_limit: RateLimit,
    time_is_up: Callable[[], bool],
) -> None:
    """Open the connections and send. Raises TransientError when the provider is unreachable; that costs no message an attempt."""
    provider = get_provider(plan.sender.provider)
    size = 1 if breaker.probing else plan.sender.connections
    open_connection = partial(connect, plan.sender)
    with ConnectionPool(open_connection, size, idempotent=provider.idempotent) as pool:
        Dispatcher(batch, plan, lease, pool, rate_limit=rate_limit, breaker=breaker).send(
            time_is_up
        )


def _record_error(batch: CampaignRun, error: str) -> None:
    if batch.error != error:
        logger.warning("%s: %s", batch, error or "sending resumed")
        CampaignRun.objects.filter(pk=batch.pk).update(error=error)
        batch.error = error
