"""Declare tasks: which queue each stands in, and how often beat calls it.

    @task(Queue.SENDING)
    def send_run(run_id: int) -> None: ...

    @recurring("Process clicks and receipts", every=timedelta(seconds=2), queue=Queue.FEEDS)
    def process_clicks_and_receipts() -> int: ...

A recurring task runs one at a time over all workers, in turns. Its function does one step, in transactions of seconds at most, and
returns whether there is more to do. A turn repeats it for `turn` seconds; then the task goes to the end of its queue, so that the
tasks behind it wait for one turn and not for all its work.

Tasks of the queue `jobs` give way: while a task that goes first runs in any worker, they rest four times as long as they work.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from contextvars import ContextVar
from datetime import timedelta
from enum import StrEnum
from typing import Any

from celery import Task, shared_task
from celery.schedules import BaseSchedule, crontab, schedule
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.utils.module_loading import import_string

Step = Callable[..., Any]
Schedule = timedelta | crontab

SHORTEST_WAIT = timedelta(seconds=10)
"""A message may wait this long even if the next is due sooner: in a full queue a task would never get a turn otherwise."""

REST = 4
"""Background work rests this many times as long as it worked while a task that goes first runs."""
LONGEST_REST = timedelta(seconds=15)
"""Even a step of minutes rests no longer, so that the work ends."""
LOOK_AGAIN_SECONDS = 0.2

SCHEDULE: dict[str, dict[str, Any]] = {}
"""Celery's beat_schedule, filled by @recurring."""


class Queue(StrEnum):
    """Kinds of work. A worker of one kind is never delayed by another kind (see `serve` and docker-compose.yml)."""

    SENDING = "sending"
    FEEDS = "feeds"
    JOBS = "jobs"
    DEFAULT = "default"


class QueuedTask(Task):
    """A task that goes first, or gives way to such tasks, or neither."""

    abstract = True
    in_queue: Queue
    goes_first = False

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        with self.precedence():
            return super().__call__(*args, **kwargs)

    def precedence(self) -> AbstractContextManager[Any]:
        if self.goes_first:
            return _going_first()
        return _giving_way() if self.in_queue == Queue.JOBS else nullcontext()


class OneAtATime(QueuedTask):
    """A task of which, for the same arguments, at most one message waits and at most one runs."""

    abstract = True
    turn: float
    due: BaseSchedule

    def apply_async(self, args: Any = None, *others: Any, **options: Any) -> Any:
        """Send it, unless a message waits already. The message expires when the next one is due."""
        options.setdefault("expires", self.expires_in().total_seconds())
        if cache.add(self._waiting(args or ()), True, timeout=options["expires"]):
            return super().apply_async(args, *others, **options)
        return None

    def __call__(self, *args: Any, **kwargs: Any) -> None:
        """Take a turn, unless another worker has it."""
        cache.delete(self._waiting(args))
        with self.precedence(), _lock(_key(self.name, args)) as is_ours:
            more = is_ours and self._take_turn(args)
        if more:
            self.apply_async(args)

    def expires_in(self) -> timedelta:
        """Return the time from now until the next message is due."""
        return max(self.due.remaining_estimate(self.due.now()), SHORTEST_WAIT)

    def _take_turn(self, args: tuple[Any, ...]) -> bool:
        ends_at = time.monotonic() + self.turn
        while self.run(*args):
            give_way()
            if time.monotonic() >= ends_at:
                return True
        return False

    def _waiting(self, args: Any) -> str:
        return f"waiting:{_key(self.name, args)}"


def task(queue: Queue, *, goes_first: bool = False) -> Callable[[Step], Any]:
    """Declare a task of this queue. To one that `goes_first`, background work gives way."""
    return shared_task(base=QueuedTask, in_queue=queue, goes_first=goes_first)


def recurring(
    title: str, *, every: Schedule, queue: Queue, turn: float = 4.0
) -> Callable[[Step], Any]:
    """Declare a task that beat calls on a schedule; `title` names it in the admin, `turn` is in seconds."""

    def declare(step: Step) -> Any:
        SCHEDULE[title] = {"task": f"{step.__module__}.{step.__name__}", "schedule": every}
        return one_at_a_time(queue=queue, turn=turn, every=every)(step)

    return declare


def one_at_a_time(
    *, queue: Queue, turn: float = 4.0, every: Schedule = SHORTEST_WAIT
) -> Callable[[Step], Any]:
    """Declare a task in turns that another task sends for each of its objects, `every` so often."""
    due = every if isinstance(every, crontab) else schedule(every)
    return shared_task(base=OneAtATime, in_queue=queue, turn=turn, due=due)


def give_way() -> None:
    """Rest between two steps of background work while a task that goes first runs.

    Steps call it outside of transactions. Outside of the queue `jobs`, as in a request, it does nothing.
    """
    began = _working_since.get()
    if began is None:
        return
    now = time.monotonic()
    rested_at = now + min(REST * (now - began), LONGEST_REST.total_seconds())
    while time.monotonic() < rested_at and _is_overtaken():
        time.sleep(LOOK_AGAIN_SECONDS)
    _working_since.set(time.monotonic())


def route(name: str, *_arguments: Any, task: Any = None, **_options: Any) -> dict[str, str] | None:
    """Return the queue that a task declares, also where only its name is known (Celery's task_routes)."""
    if task is None:
        with suppress(ImportError):
            task = import_string(name)
    queue = getattr(task, "in_queue", None)
    return {"queue": queue} if queue else None


def _key(name: str, args: Iterable[Any]) -> str:
    # The cache refuses keys with spaces.
    return ":".join([name, *map(str, args)]).replace(" ", "-")


@contextmanager
def _lock(name: str) -> Iterator[bool]:
    """Hold the lock of this name, if it is free.

    It belongs to the database session, so a worker that is killed releases it at once.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [name])
        is_ours: bool = cursor.fetchone()[0]
    try:
        yield is_ours
    finally:
        if is_ours:
            with suppress(DatabaseError), connection.cursor() as cursor:  # lost with the session
                cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [name])


_FIRST = "goes first"
_working_since: ContextVar[float | None] = ContextVar("working_since", default=None)
"""When the step of background work began; None for other work."""


@contextmanager
def _going_first() -> Iterator[None]:
    """Hold a lock that any number of tasks hold together, and that background work looks for."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock_shared(hashtextextended(%s, 0))", [_FIRST])
    try:
        yield
    finally:
        with suppress(DatabaseError), connection.cursor() as cursor:  # lost with the session
            cursor.execute("SELECT pg_advisory_unlock_shared(hashtextextended(%s, 0))", [_FIRST])


@contextmanager
def _giving_way() -> Iterator[None]:
    began = _working_since.set(time.monotonic())
    try:
        yield
        give_way()
    finally:
        _working_since.reset(began)


def _is_overtaken() -> bool:
    """Return whether another session holds the lock of _going_first."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT EXISTS (
                SELECT FROM pg_locks
                WHERE locktype = 'advisory' AND (classid::bigint << 32 | objid::bigint) = hashtextextended(%s, 0)
                    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                    AND pid <> pg_backend_pid()
            )
            """,
            [_FIRST],
        )
        is_overtaken: bool = cursor.fetchone()[0]
    return is_overtaken
