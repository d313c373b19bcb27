"""Messages out: held, rendered, marked, handed to the lanes, and what came of them written down."""

from __future__ import annotations

import logging
import time
import uuid
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial

from django.db import DatabaseError

from marketing.channels.base import Message
from marketing.content.liquid import ContentError
from marketing.messages import queue
from marketing.messages.transitions import Ended, turn_over
from marketing.models import CampaignRun
from marketing.sending import recheck
from marketing.sending.attempt import skip_as_invalid
from marketing.sending.breaker import Breaker
from marketing.sending.claimed_message import Held
from marketing.sending.compose import Composer
from marketing.sending.connection_pool import Lanes
from marketing.sending.db_retry import patiently
from marketing.sending.rate_limit import Pace

logger = logging.getLogger(__name__)

GLANCE = 0.2
"""Seconds between two looks at the clock while all lanes are busy."""
QUICK = 4
"""A provider that takes a message within the time of so many commits is a quick one."""
LONGEST_WAIT = 2.0
"""Seconds that a worker waits for the sender's pace; a longer wait is for another turn."""


class Dispatcher:
    """Keeps the lanes busy with a run's messages, by one lease.

    Each commit writes down what has ended since the last one and marks what leaves next, so that it is one commit a message at most and
    far less while several lanes are busy.
    """

    def __init__(
        self,
        run: CampaignRun,
        lease: uuid.UUID,
        lanes: Lanes,
        *,
        pace: Pace,
        breaker: Breaker,
        composer: Composer,
    ) -> None:
        self.run = run
        self.lease = lease
        self.lanes = lanes
        self.pace = pace
        self.breaker = breaker
        self.composer = composer
        self.rules = recheck.Rules.of(run)
        self._held: deque[Held] = deque()
        self._ready: deque[tuple[Held, Message]] = deque()
        self._all_held = False
        self._stopped = False
        self._commit_seconds = 0.0

    def send(self, enough: Callable[[], bool]) -> None:
        """Send until nothing is due, or `enough` or the breaker says so; what is on its way then is waited for and written down."""
        while True:
            if not self._stopped and (enough() or self.pace.wait() > LONGEST_WAIT):
                self._stop()
            self._render_ahead()
            ended = self.lanes.ended(self._wait(), self._linger())
            self._learn(ended)
            leaving = self._next()
            if leaving or ended:
                self._turn_over(ended, leaving)
            elif self.lanes.idle and not self._ready:
                return

    def _wait(self) -> float | None:
        """How long a lane may be waited for: until the next message may leave, and not at all where one may, or nothing is on its way."""
        if not self._ready:
            if self.lanes.idle:
                return 0
            return None if self._stopped else GLANCE
        return min(self.pace.wait(), GLANCE) if self.lanes.free else GLANCE

    @property
    def _is_quick(self) -> bool:
        """Whether the provider takes a message within the time of a few commits. Lanes are served together then; a slow one's are
        served each as soon as it is free, as they would stand idle together."""
        return self.lanes.seconds < QUICK * self._commit_seconds

    def _linger(self) -> float:
        """How long what is about to end is waited for, to be in the same commit."""
        return self._commit_seconds / 2 if self._is_quick else 0

    def _next(self) -> list[tuple[Held, Message]]:
        """The rendered messages that may leave now, one a free lane at most."""
        number = min(self.lanes.free, len(self._ready))
        return [self._ready.popleft() for _n in range(self.pace.places(number) if number else 0)]

    def _stop(self) -> None:
        """Send nothing more, and let others have what has not left."""
        self._stopped = True
        self._held.clear()
        self._ready.clear()
        patiently(lambda: queue.let_go(self.lease, self.run))

    def _turn_over(self, ended: Sequence[Ended], leaving: Sequence[tuple[Held, Message]]) -> None:
        """Commit what has ended and what leaves, then let it leave."""
        started = time.monotonic()
        done = patiently(
            partial(
                turn_over,
                self.run,
                self.lease,
                ended=ended,
                leaving=[each for each, _message in leaving],
                rules=self.rules,
                meanwhile=self._render_held if self._is_quick else None,
            )
        )
        self._commit_seconds = time.monotonic() - started
        self.pace.use(len(done.marked))
        for execution, message in leaving:
            if execution.pk in done.marked:
                self.lanes.hand_over(execution, message)
        if refused := [each for each, _message in leaving if each.pk not in done.marked]:
            patiently(lambda: self._look_into(refused))

    def _look_into(self, refused: Sequence[Held]) -> None:
        """Messages that could not be marked: some may not be sent any more, and are skipped; or the run was paused, and we stop."""
        recheck.pass_over(self.rules, self.lease, refused)
        if not CampaignRun.objects.filter(pk=self.run.pk, state=CampaignRun.State.SENDING).exists():
            self._stop()

    def _learn(self, ended: Sequence[Ended]) -> None:
        """Before anything else leaves: whether the provider answers, and whether it wants to be left alone."""
        outcomes = [outcome for _execution, outcome in ended]
        patiently(lambda: self.breaker.note(outcomes))
        if self.breaker.is_open:
            self._stop()
        if wait := max((outcome.retry_after or 0 for outcome in outcomes), default=0):
            self.pace.hold(wait)

    def _render_ahead(self) -> None:
        """Have as many messages ready as there are lanes."""
        while not self._stopped and len(self._ready) < self.lanes.width:
            if not self._held and not self._hold_more():
                return
            execution = self._held.popleft()
            try:
                message = patiently(partial(self.composer.compose, execution))
                self._ready.append((execution, message))
            except ContentError as error:
                self._skip(execution, str(error))
            except DatabaseError:
                raise  # no fault of the message
            except Exception as error:
                logger.exception("Message %s cannot be composed", execution.pk)
                self._skip(execution, str(error))

    def _render_held(self) -> None:
        """Have messages ready without asking the database; one that makes trouble is left for later."""
        with suppress(Exception):
            while self._held and len(self._ready) < self.lanes.width:
                self._ready.append((self._held[0], self.composer.compose(self._held[0])))
                self._held.popleft()

    def _skip(self, execution: Held, why: str) -> None:
        patiently(lambda: skip_as_invalid(execution, self.lease, why))

    def _hold_more(self) -> bool:
        """Hold until there is something that may leave now; False when there is not."""
        while not self._held and not self._all_held:
            batch = patiently(lambda: queue.hold_batch(self.run, self.lease))
            self._held.extend(patiently(partial(self._awake, batch)))
            self._all_held = not batch
        return bool(self._held)

    def _awake(self, batch: Sequence[Held]) -> list[Held]:
        """Of what is held: of people who were not erased, and in whose quiet hours we are not."""
        known = recheck.without_erased(self.lease, batch)
        return list(recheck.without_sleeping(self.rules, self.lease, known))
