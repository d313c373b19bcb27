"""Send the messages of a batch: claim, render and mark them, submit them to the connections, and record the results."""

from __future__ import annotations

import logging
import time
import uuid
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import TypeVar

from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError, connection

from marketing.channels import Message
from marketing.content import ContentError
from marketing.messages import queue, transitions
from marketing.messages.eligibility import SkipReason
from marketing.messages.plan import ClaimedMessage, SendPlan
from marketing.models import CampaignRun
from marketing.sending import quota, recheck
from marketing.sending.breaker import Breaker
from marketing.sending.compose import Composer
from marketing.sending.connection_pool import ConnectionPool, Finished
from marketing.sending.rate_limit import RateLimit

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.2
"""The time between two looks at the clock while all connections are busy."""
QUICK = 4
"""A provider is quick when it takes a message within the time of so many commits."""
LONGEST_WAIT = 2.0
"""Seconds that a worker waits for the rate limit; a longer wait ends its turn."""

RETRY_SECONDS = 0.25
"""The time between two tries while the database is unreachable."""

T = TypeVar("T")


class Dispatcher:
    """Keeps the connections busy with a batch's messages, under one lease.

    Each commit records the messages that finished since the last one and marks the ones that leave next: at most one
    commit for each message, and far fewer while several connections are busy.
    """

    def __init__(
        self,
        batch: CampaignRun,
        plan: SendPlan,
        lease: uuid.UUID,
        pool: ConnectionPool,
        *,
        rate_limit: RateLimit,
        breaker: Breaker,
    ) -> None:
        self.batch = batch
        self.plan = plan
        self.lease = lease
        self.pool = pool
        self.rate_limit = rate_limit
        self.breaker = breaker
        self.composer = Composer(plan)
        self._claimed: deque[ClaimedMessage] = deque()
        self._ready: deque[tuple[ClaimedMessage, Message]] = deque()
        self._all_claimed = False
        self._stopped = False
        self._commit_seconds = 0.0

    def send(self, time_is_up: Callable[[], bool]) -> None:
        """Send until no message is due, time is up, or the breaker opens; messages in flight then finish and are recorded."""
        while True:
            if not self._stopped and (time_is_up() or self.rate_limit.wait() > LONGEST_WAIT):
                self._stop()
            self._render_ahead()
            finished = self.pool.finished(self._timeout(), self._linger())
            self._observe(finished)
            leaving = self._next()
            if leaving or finished:
                self._advance(finished, leaving)
            elif self.pool.idle and not self._ready:
                return

    def _timeout(self) -> float | None:
        """Return how long to wait for a finished message: until the next may leave, and not at all where one may now."""
        if not self._ready:
            if self.pool.idle:
                return 0
            return None if self._stopped else POLL_SECONDS
        return min(self.rate_limit.wait(), POLL_SECONDS) if self.pool.free else POLL_SECONDS

    @property
    def _is_quick(self) -> bool:
        """Return whether the provider takes a message within a few commits: then the connections are served together.

        Those of a slow provider are each served as soon as they are free, as they would be idle together.
        """
        return self.pool.seconds < QUICK * self._commit_seconds

    def _linger(self) -> float:
        """Return how long to wait for more messages to finish, to record them by the same commit."""
        return self._commit_seconds / 2 if self._is_quick else 0

    def _next(self) -> list[tuple[ClaimedMessage, Message]]:
        """Return the rendered messages that may leave now, at most one for each free connection."""
        number = min(self.pool.free, len(self._ready))
        places = self.rate_limit.places(number) if number else 0
        return [self._ready.popleft() for _n in range(places)]

    def _stop(self) -> None:
        """Send nothing more, and release the messages that have not left."""
        self._stopped = True
        self._claimed.clear()
        self._ready.clear()
        with_retry(lambda: queue.release(self.batch, self.lease))

    def _advance(
        self, finished: Sequence[Finished], leaving: Sequence[tuple[ClaimedMessage, Message]]
    ) -> None:
        """Commit the results and the marks of what leaves, then submit it."""
        started = time.monotonic()
        advanced = with_retry(
            partial(
                transitions.advance,
                self.batch,
                self.plan,
                self.lease,
                attempted=finished,
                leaving=[claimed for claimed, _message in leaving],
                meanwhile=self._render_claimed if self._is_quick else None,
            )
        )
        self._commit_seconds = time.monotonic() - started
        self.rate_limit.use(len(advanced.marked))
        for claimed, message in leaving:
            if claimed.pk in advanced.marked:
                self.pool.submit(claimed, message)
        refused = [claimed for claimed, _message in leaving if claimed.pk not in advanced.marked]
        if refused:
            with_retry(lambda: self._investigate(refused))

    def _investigate(self, refused: Sequence[ClaimedMessage]) -> None:
        """Skip messages that were not marked because their customers may not get one any more; stop when the batch was paused or ended."""
        recheck.skip_ineligible(self.plan.policy, self.lease, refused)
        sending = CampaignRun.objects.filter(pk=self.batch.pk, state=CampaignRun.State.SENDING)
        if not sending.exists():
            self._stop()

    def _observe(self, finished: Sequence[Finished]) -> None:
        """Update the breaker and the rate limit before the next message leaves."""
        results = [result for _claimed, result in finished]
        with_retry(lambda: self.breaker.note(results))
        if self.breaker.is_open:
            self._stop()
        if seconds := max((result.retry_after or 0 for result in results), default=0):
            self.rate_limit.pause(seconds)

    def _render_ahead(self) -> None:
        """Have as many messages ready as there are connections."""
        while not self._stopped and len(self._ready) < self.pool.size:
            if not self._claimed and not self._claim_more():
                return
            claimed = self._claimed.popleft()
            try:
                message = with_retry(partial(self.composer.compose, claimed))
                self._ready.append((claimed, message))
            except ContentError as error:
                self._skip(claimed, str(error))
            except DatabaseError:
                raise  # not the fault of the message
            except Exception as error:
                logger.exception("Message %s cannot be composed", claimed.pk)
                self._skip(claimed, str(error))

    def _render_claimed(self) -> None:
        """Have messages ready without a query; one that fails is left for later."""
        with suppress(Exception):
            while self._claimed and len(self._ready) < self.pool.size:
                self._ready.append((self._claimed[0], self.composer.compose(self._claimed[0])))
                self._claimed.popleft()

    def _skip(self, claimed: ClaimedMessage, error: str) -> None:
        reason = SkipReason.INVALID_CONTENT
        with_retry(lambda: transitions.skip([claimed.pk], self.lease, reason, error))

    def _claim_more(self) -> bool:
        """Claim until there is a message that may leave now; False when there is none."""
        while not self._claimed and not self._all_claimed:
            claimed = with_retry(lambda: quota.claim(self.batch, self.plan.limits, self.lease))
            self._claimed.extend(with_retry(partial(self._eligible, claimed)))
            self._all_claimed = not claimed
        return bool(self._claimed)

    def _eligible(self, claimed: Sequence[ClaimedMessage]) -> Sequence[ClaimedMessage]:
        """Return claimed messages without those to erased customers, and those in quiet hours."""
        known = recheck.without_erased(self.lease, claimed)
        return recheck.without_quiet(self.plan.policy, self.lease, known)


def with_retry(work: Callable[[], T]) -> T:
    """Run work that is one transaction and idempotent, again when the connection broke, for as long as a lease lasts.

    The results of messages that were sent must not be lost. Raises the database's error after that.
    """
    deadline = time.monotonic() + settings.SENDING_LEASE_SECONDS
    while True:
        try:
            return work()
        except (OperationalError, InterfaceError) as error:
            if connection.in_atomic_block or time.monotonic() > deadline:
                raise
            logger.warning("The database is unreachable: %s", str(error).strip())
            connection.close()
            time.sleep(RETRY_SECONDS)
