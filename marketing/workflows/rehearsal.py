"""Run a definition over the timeline without effects, in temporary tables of this database session.

Empty temporary tables shadow those of passages, and views that end at the clock shadow the timeline and the orders: PostgreSQL looks
temporary names up first, so the engine's statements run unchanged. They run in read-only transactions, in which PostgreSQL refuses
every write but to temporary tables. The clock goes from one due time to the next.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Min

from customers.models import Interaction
from marketing.models import Workflow
from marketing.workflows import engine, passages
from marketing.workflows.definition import Definition
from marketing.workflows.entries import Entrant, enter
from marketing.workflows.passages import Passage
from marketing.workflows.steps.wait_for import ANY_EVENT, WaitFor
from marketing.workflows.turn import Turn

RIGHTS = ("customers.view_customer", "customers.see_personal_data")
"""The rights that a rehearsal takes besides those of workflows: it can reveal personal data."""
TABLES = (
    *("marketing_enrollment", "marketing_enrollmentevent"),
    *("marketing_campaignexecution", "marketing_workflowcall"),
)
TIMES = {"customers_interaction": "occurred_at", "customers_order": "placed_at"}
CLOCK = "kindling.clock"
ALWAYS = "infinity"
RULES_EVERY = timedelta(hours=1)
"""Rules that are waited for, and exit rules, are looked at so often."""
TIMES_AT_ONCE = 50
"""Due times in one transaction."""

Upcoming = Mapping[str, Mapping[int, Sequence[datetime]]]
"""The times of events by type and customer."""


def shadow() -> None:
    """Shadow the tables until unshadow(), or until the transaction is rolled back."""
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(
                f"CREATE TEMPORARY TABLE {table} (LIKE public.{table} INCLUDING DEFAULTS INCLUDING IDENTITY INCLUDING INDEXES)"
            )
        for table, column in TIMES.items():
            cursor.execute(
                f"""
                CREATE TEMPORARY VIEW {table} AS SELECT * FROM public.{table}
                WHERE {column} <= current_setting('{CLOCK}')::timestamptz
                """
            )
    set_clock(ALWAYS)


def unshadow() -> None:
    """Drop what shadow() made."""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP VIEW IF EXISTS {', '.join(f'pg_temp.{each}' for each in TIMES)}")
        cursor.execute(f"DROP TABLE IF EXISTS {', '.join(f'pg_temp.{each}' for each in TABLES)}")


def set_clock(now: datetime | str) -> None:
    """Let the timeline and the orders end at a time."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, %s, false)", [CLOCK, str(now)])


@contextmanager
def nothing_written() -> Iterator[None]:
    """Open a transaction that can write to temporary tables alone. Raises DatabaseError where the tables are not shadowed."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION READ ONLY")
            cursor.execute(f"SELECT FROM {', '.join(f'pg_temp.{each}' for each in TABLES)} LIMIT 0")
        yield


def run(
    workflow: Workflow,
    definition: Definition,
    entrants: Sequence[Entrant],
    *,
    until: datetime | None = None,
    progress: Callable[[datetime], None] = lambda now: None,
) -> None:
    """Take entrants, in the order of their times, through a definition; passages that are due after `until` wait where they are.

    `progress` is called now and then, outside of transactions.
    """
    upcoming = _upcoming(definition, {each.customer_id for each in entrants})
    ahead = list(reversed(entrants))
    now: datetime | None = None
    is_left = True
    while is_left:
        with nothing_written():
            for _time in range(TIMES_AT_ONCE):
                now = _next_time(workflow, ahead)
                is_left = now is not None and (until is None or now <= until)
                if now is None or not is_left:
                    break
                _live(workflow, definition, ahead, upcoming, now)
        if now is not None:
            progress(now)
    set_clock(ALWAYS)


class RehearsalTurn(Turn):
    """A turn without effects. No feed wakes its passages: they are looked at when the next event of their customer happens."""

    rehearses = True

    def __init__(
        self, workflow: Workflow, now: datetime, definition: Definition, upcoming: Upcoming
    ) -> None:
        super().__init__(workflow, now)
        self._exits = [each.event for each in definition.exits.events]
        self._exits_by_rules = bool(definition.exits.rules)
        self._upcoming = upcoming

    def hold(
        self,
        found: Iterable[Passage],
        until: datetime,
        *,
        event: str = "",
        look_at: datetime | None = None,
    ) -> None:
        for passage in found:
            looks = [self._next(each, passage.customer_id) for each in (event, *self._exits)]
            if event == ANY_EVENT or self._exits_by_rules:
                looks.append(self.now + RULES_EVERY)
            first = min((each for each in looks if each), default=None)
            super().hold([passage], until, event=event, look_at=first)

    def _next(self, event: str, customer_id: int) -> datetime | None:
        times = self._upcoming.get(event, {}).get(customer_id, ())
        place = bisect_right(times, self.now)
        return times[place] if place < len(times) else None


def _next_time(workflow: Workflow, ahead: Sequence[Entrant]) -> datetime | None:
    due = workflow.enrollments.filter(wake_at__isnull=False).aggregate(at=Min("wake_at"))["at"]
    return min((each for each in (due, ahead[-1].at if ahead else None) if each), default=None)


def _live(
    workflow: Workflow,
    definition: Definition,
    ahead: list[Entrant],
    upcoming: Upcoming,
    now: datetime,
) -> None:
    """Let customers enter whose time it is, and move the passages that are due."""
    set_clock(now)
    entering = []
    while ahead and ahead[-1].at <= now:
        entering.append(ahead.pop())
    enter(workflow, entering, now=now, definition=definition)
    while due := passages.lock_due(workflow.pk, now, engine.CHUNK):
        turn = RehearsalTurn(workflow, now, definition, upcoming)
        engine.move(turn, due, lambda _version_id: definition)
        turn.save()


def _upcoming(definition: Definition, customers: set[int]) -> Upcoming:
    """Return the times of the events that passages wait for or end with."""
    types = {each.event for each in definition.exits.events}
    types |= {
        each.condition.event
        for each in definition.steps.values()
        if isinstance(each, WaitFor) and each.condition
    }
    found: dict[str, dict[int, list[datetime]]] = defaultdict(lambda: defaultdict(list))
    events = Interaction.objects.filter(type__in=types, customer__in=customers)
    columns = ("type", "customer_id", "occurred_at")
    for kind, customer, at in events.order_by("occurred_at").values_list(*columns):
        found[kind][customer].append(at)
    return found
