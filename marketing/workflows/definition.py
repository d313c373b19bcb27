"""The definition of a workflow: one JSON document of entry, exits, goal and steps, read into a tree."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

from django.utils.translation import gettext as _

from marketing.models import Enrollment, WorkflowVersion
from marketing.workflows import steps
from marketing.workflows.entry_kinds import Entry, read_entry
from marketing.workflows.reading import (
    DefinitionError,
    EventCondition,
    Fields,
    names_personal_data,
)
from marketing.workflows.steps import Step
from marketing.workflows.steps.wait import Wait

MOST_STEPS = 200
LONGEST_KEY = 100
LONGEST_GOAL_WINDOW = 365


@dataclass(frozen=True, slots=True)
class Goal:
    """The event that a workflow is for, within days of entering; `value` is the property with its worth."""

    condition: EventCondition
    value: str
    window: timedelta


@dataclass(frozen=True, slots=True)
class Exits:
    """The events and rules that end a passage at any moment."""

    events: tuple[EventCondition, ...] = ()
    rules: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Definition:
    """A workflow as it runs. `reentry` is the time after entering until a customer may enter again; None is never."""

    entry: Entry
    start: str | None
    steps: Mapping[str, Step]
    exits: Exits = Exits()
    reentry: timedelta | None = None
    goal: Goal | None = None
    holdout_percent: Decimal = Decimal(0)


def read(document: object, *, trusted: bool = False) -> Definition:
    """Return the definition that a document says. Raises DefinitionError with every error and its path.

    A `trusted` document was checked before, and its rules are not validated against the data again.
    """
    errors: list[dict[str, str]] = []
    fields = Fields(document, "", errors, trusted=trusted)
    entry, start = _read_entry(fields), fields.target("start")
    found = Definition(
        entry=entry,
        start=start,
        steps=_in_order(start, _read_steps(fields)),
        exits=_read_exits(fields),
        reentry=_read_reentry(fields),
        goal=_read_goal(fields),
        holdout_percent=_read_holdout(fields),
    )
    fields.done()
    for key, step in found.steps.items():
        for path, text in step.texts():
            if "{" in text:  # variables are those of the customer
                fields.refuse_personal(f"steps.{key}.{path}", text)
    if not trusted:
        errors += [{"path": path, "message": message} for path, message in _misled(found)]
    if errors:
        raise DefinitionError(errors)
    return found


@lru_cache(maxsize=256)
def published(version_id: int) -> Definition:
    """Return the definition of a published version, which never changes."""
    version = WorkflowVersion.objects.get(pk=version_id)
    return read(version.definition, trusted=True)


def personal_fields(passage: Enrollment) -> set[str]:
    """Return the fields of a passage that follow from personal data of its customer."""
    definition, found = published(passage.version_id), set()
    step, goal = definition.steps.get(passage.step), definition.goal
    if isinstance(step, Wait) and step.shows_personal_data:
        found.add("due_at")
    if goal and goal.value and names_personal_data(goal.condition.event, goal.value):
        found.add("goal_value")
    return found


def _read_entry(fields: Fields) -> Entry:
    entry = fields.inner("entry")
    if entry is None:
        fields.refuse("entry", _("Say what a customer enters by."))
        return Entry(on="api")
    return read_entry(entry)


def _read_steps(fields: Fields) -> dict[str, Step]:
    given = fields.inner("steps")
    if given is None:
        return {}
    keys = list(given)
    if len(keys) > MOST_STEPS:
        given.refuse("", _("Give at most %(most)s steps.") % {"most": MOST_STEPS})
        return {}
    found = {}
    for key in keys:
        if not key or len(key) > LONGEST_KEY or not key.replace("_", "").replace("-", "").isalnum():
            given.refuse(key, _("A key has letters, digits, _ and -, at most 100."))
        if step_fields := given.inner(key):
            if step := steps.read(key, step_fields):
                found[key] = step
            step_fields.done()
        else:
            given.refuse(key, _("Give an object."))
    return found


def _read_exits(fields: Fields) -> Exits:
    events, rules = [], []
    for each in fields.listed("exit_when"):
        if "event" in each:
            if condition := each.event():
                events.append(condition)
        elif "rules" in each:
            if found := each.rules("rules"):
                rules.append(found)
        else:
            each.refuse("", _("Give an event or rules."))
        each.done()
    return Exits(tuple(events), tuple(rules))


def _read_reentry(fields: Fields) -> timedelta | None:
    given = fields.inner("reentry")
    if given is None:
        return None
    days = given.number("after_days", low=0, high=3_660)
    if days is None:
        given.refuse("after_days", _("Give the days after which a customer may enter again."))
    given.done()
    return timedelta(days=days or 0)


def _read_goal(fields: Fields) -> Goal | None:
    given = fields.inner("goal")
    if given is None:
        return None
    condition = given.event()
    days = given.number("window_days", low=0.01, high=LONGEST_GOAL_WINDOW, default=30)
    goal = Goal(
        condition or EventCondition(""),
        given.property_of("value", condition),
        timedelta(days=days or 30),
    )
    given.done()
    return goal


def _read_holdout(fields: Fields) -> Decimal:
    percent = fields.number("holdout_percent", low=0, high=99, default=0)
    return Decimal(str(percent or 0))


def _misled(definition: Definition) -> Iterator[tuple[str, str]]:
    """Yield the path and the error of each next step that does not exist, unreachable step, and loop without a wait."""
    known = definition.steps
    for path, target in _targets(definition):
        if target is not None and target not in known:
            yield path, _("There is no step “%(key)s”.") % {"key": target[:LONGEST_KEY]}
    if definition.start is None and known:
        yield "start", _("Give the key of the first step.")
        return
    reachable = _reachable(definition.start, known)
    for key in known:
        if key not in reachable:
            yield f"steps.{key}", _("No step leads here.")
    for key in sorted(_in_loops_without_wait(known)):
        yield (
            f"steps.{key}",
            _("It is in a loop without a wait: add a wait, or a go_to with a limit of rounds."),
        )


def _targets(definition: Definition) -> Iterator[tuple[str, str | None]]:
    yield "start", definition.start
    for key, step in definition.steps.items():
        for branch, target in step.next.items():
            yield f"steps.{key}.{step.path_of(branch)}", target


def _reachable(start: str | None, known: Mapping[str, Step]) -> list[str]:
    """Return the keys of the steps that customers can come to, the nearest first."""
    found: dict[str, None] = {}
    ahead = deque([start])
    while ahead:
        key = ahead.popleft()
        if key is not None and key in known and key not in found:
            found[key] = None
            ahead += known[key].next.values()
    return list(found)


def _in_order(start: str | None, known: Mapping[str, Step]) -> dict[str, Step]:
    """Return the steps in the order in which customers come to them; the database keeps no order of keys."""
    return {key: known[key] for key in [*_reachable(start, known), *known]}


def _in_loops_without_wait(known: Mapping[str, Step]) -> set[str]:
    """Return the keys of the steps that a passage can come back to without waiting."""
    leads = {
        key: {target for target in step.next.values() if target in known}
        for key, step in known.items()
        if not step.waits
    }
    found = set()
    for start, targets in leads.items():
        seen: set[str] = set()
        ahead = [*targets]
        while ahead:
            key = ahead.pop()
            if key == start:
                found.add(start)
                break
            if key not in seen and key in leads:
                seen.add(key)
                ahead += leads[key]
    return found
