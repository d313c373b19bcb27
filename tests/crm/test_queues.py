"""A recurring task has at most one queued message and one running worker, in turns of seconds."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from celery import current_app
from celery.schedules import crontab
from django.core.cache import cache
from django.db import connection
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from crm import queues
from crm.celery import forget_former_schedule
from crm.queues import REST, SCHEDULE, Queue, one_at_a_time
from tests.faults.processes import database_url

pytestmark = pytest.mark.django_db


@pytest.fixture
def messages(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Collect the messages that tasks would send to the broker."""
    messages: list[dict[str, Any]] = []
    monkeypatch.setattr(
        "celery.Task.apply_async",
        lambda task, args=None, kwargs=None, **options: messages.append(
            {"task": task.name, "args": args, **options}
        ),
    )
    return messages


@pytest.fixture
def declare() -> Iterator[Callable[..., Any]]:
    """Declare a task that exists only during the test."""
    known = set(current_app.tasks)

    def declare(step: Any, queue: Queue = Queue.JOBS, **options: Any) -> Any:
        step.__name__ = f"step_{queue}"
        if "goes_first" in options:
            return queues.task(queue, **options)(step)
        return one_at_a_time(queue=queue, **options)(step)

    yield declare
    for name in set(current_app.tasks) - known:
        current_app.tasks.unregister(name)


def test_a_task_sends_no_second_message(
    declare: Callable[..., Any], messages: list[dict[str, Any]]
) -> None:
    task = declare(lambda: False)

    task.delay()
    task.delay()
    assert len(messages) == 1

    task()
    task.delay()
    assert len(messages) == 2


def test_messages_with_other_arguments_wait_together(
    declare: Callable[..., Any], messages: list[dict[str, Any]]
) -> None:
    task = declare(lambda name: False)

    task.delay("a")
    task.delay("b")
    task.delay("a")

    assert [each["args"] for each in messages] == [("a",), ("b",)]


def test_a_turn_repeats_steps_until_none_is_left(
    declare: Callable[..., Any], messages: list[dict[str, Any]]
) -> None:
    left = [3, 2, 1]
    task = declare(lambda: left.pop() and bool(left))

    task()

    assert left == []
    assert messages == []


def test_a_turn_ends_in_time_and_continues_in_a_new_message(
    declare: Callable[..., Any], messages: list[dict[str, Any]]
) -> None:
    steps: list[int] = []
    task = declare(lambda: steps.append(1) or True, turn=0)

    task()

    assert len(steps) == 1
    assert [each["task"] for each in messages] == [task.name]


def test_a_task_does_not_run_while_another_worker_runs_it(declare: Callable[..., Any]) -> None:
    steps: list[int] = []
    task = declare(lambda: steps.append(1))

    with psycopg.connect(database_url()) as other:
        other.execute(
            "SELECT pg_advisory_lock(hashtextextended(%s, 0))", [queues._key(task.name, ())]
        )
        task()
        assert steps == []
        other.execute("SELECT pg_advisory_unlock_all()")

    task()
    assert steps == [1]


@pytest.fixture
def sleeps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Collect the seconds that tasks sleep."""
    sleeps: list[float] = []
    sleep = time.sleep
    monkeypatch.setattr("crm.queues.time.sleep", lambda each: sleeps.append(each) or sleep(each))
    return sleeps


def during(task: Any, others: Callable[[], Any]) -> None:
    """Run `others` in another database session while a task runs, which calls `ready` and waits for `over`."""
    thread = threading.Thread(target=lambda: (task(), connection.close()))
    thread.start()
    try:
        assert task.ready.wait(10)
        others()
    finally:
        task.over.set()
        thread.join()


@pytest.fixture
def sending(declare: Callable[..., Any]) -> Any:
    """Declare a task that goes first and takes until it is over."""
    ready, over = threading.Event(), threading.Event()
    sending = declare(lambda: ready.set() or over.wait(10), Queue.SENDING, goes_first=True)
    sending.ready, sending.over = ready, over
    return sending


def test_background_work_rests_while_messages_are_sent(
    declare: Callable[..., Any], sending: Any, sleeps: list[float]
) -> None:
    worked: list[float] = []
    left = [True, False]
    rebuild = declare(lambda: worked.append(0.1) or time.sleep(0.1) or left.pop(0))

    during(sending, rebuild)
    rested = [each for each in sleeps if each != 0.1]
    assert len(worked) == 2
    assert sum(rested) >= REST * sum(worked) * 0.8
    sleeps.clear()

    left[:] = [True, False]
    rebuild()
    assert sleeps == [0.1, 0.1], "it rests for nobody"


def test_a_rest_ends_with_the_sending(
    declare: Callable[..., Any], sending: Any, sleeps: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crm.queues.REST", 1_000_000)
    monkeypatch.setattr("crm.queues.time.sleep", lambda _seconds: sending.over.set())

    began = time.monotonic()
    during(sending, declare(lambda: False))

    assert time.monotonic() - began < queues.LONGEST_REST.total_seconds()


def test_other_queues_and_requests_do_not_rest(
    declare: Callable[..., Any], sending: Any, sleeps: list[float]
) -> None:
    quick = declare(lambda: False, Queue.DEFAULT)

    during(sending, lambda: [quick(), queues.give_way()])

    assert sleeps == []


def test_background_work_gives_way_to_sending() -> None:
    current_app.loader.import_default_modules()
    ours = {name: task for name, task in current_app.tasks.items() if hasattr(task, "in_queue")}

    assert [name for name, task in ours.items() if task.goes_first] == ["marketing.tasks.send_run"]


def test_a_task_that_fails_frees_its_lock(declare: Callable[..., Any]) -> None:
    def fail() -> None:
        raise ValueError("cannot")

    task = declare(fail)
    with pytest.raises(ValueError, match="cannot"):
        task()

    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")
        assert cursor.fetchone() == (0,)


@pytest.mark.parametrize(
    ("every", "shortest", "longest"),
    [
        (timedelta(seconds=2), 10, 10),
        (timedelta(minutes=2), 119, 120),
        (crontab(hour="2", minute="30"), 10, 24 * 3600),
    ],
)
def test_a_message_expires_when_the_next_is_due(
    declare: Callable[..., Any],
    messages: list[dict[str, Any]],
    every: timedelta | crontab,
    shortest: float,
    longest: float,
) -> None:
    declare(lambda: False, every=every).delay()

    assert shortest <= messages[0]["expires"] <= longest


def test_every_task_is_in_a_queue_that_workers_serve() -> None:
    current_app.loader.import_default_modules()
    ours = [name for name in current_app.tasks if not name.startswith("celery.")]

    routes = {name: queues.route(name) for name in ours}

    assert {name for name, route in routes.items() if route is None} == set()
    assert {route["queue"] for route in routes.values() if route} <= set(Queue)


def test_a_task_known_by_name_alone_goes_to_its_queue() -> None:
    assert queues.route("marketing.tasks.send_run") == {"queue": "sending"}
    assert queues.route("marketing.tasks.nothing") is None


def test_beat_schedules_the_declared_tasks() -> None:
    current_app.loader.import_default_modules()

    assert {entry["task"] for entry in SCHEDULE.values()} <= set(current_app.tasks)
    assert current_app.conf.beat_schedule == SCHEDULE


def test_beat_forgets_renamed_entries_and_keeps_campaigns() -> None:
    current_app.loader.import_default_modules()
    often = IntervalSchedule.objects.create(every=2, period="seconds")
    for name, task in [
        ("Record a heartbeat", "crm.tasks.heartbeat"),
        ("heartbeat, as it was called", "crm.tasks.heartbeat"),
        ("removed", "crm.tasks.removed"),
        ("campaign 1", "marketing.tasks.launch_scheduled"),
    ]:
        PeriodicTask.objects.create(name=name, task=task, interval=often)

    forget_former_schedule()

    left = PeriodicTask.objects.order_by("name").values_list("name", flat=True)
    assert list(left) == ["Record a heartbeat", "campaign 1"]


def test_a_cleared_cache_does_not_stop_a_task(
    declare: Callable[..., Any], messages: list[dict[str, Any]]
) -> None:
    task = declare(lambda: False)
    task.delay()

    cache.clear()
    task.delay()

    assert len(messages) == 2
