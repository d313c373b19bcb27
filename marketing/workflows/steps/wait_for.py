"""Wait for an event of the customer, or until rules come true, with a timeout.

What counts is when the event happened: from the customer's arrival at the step before to the timeout, and not when a feed told of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Self

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.segments import describe
from marketing.workflows import evidence
from marketing.workflows.evidence import Period
from marketing.workflows.forms import OneOf, Setting, event_in_words, span_in_words
from marketing.workflows.passages import Passage
from marketing.workflows.reading import EventCondition, Fields
from marketing.workflows.steps.base import Step
from marketing.workflows.turn import Turn

HAPPENED, TIMED_OUT = "happened", "timed_out"
ANY_EVENT = "*"
"""Stands for the event of a wait for rules: any may make them true."""
SECOND_LOOK = timedelta(seconds=5)
"""An event that was committed while the passage arrived is seen by a second look."""
RULES_EVERY = timedelta(minutes=5)
"""Rules can come true by time alone, which no event tells."""


@dataclass(frozen=True, slots=True)
class WaitFor(Step):
    """Holds customers until an event happens or rules are true, at most for `timeout`."""

    type = "wait_for"
    label = gettext_lazy("Wait for an event")
    icon = "notifications_paused"
    initial = {"event": "order_placed", "timeout": "2d"}
    branches = {HAPPENED: gettext_lazy("Happened"), TIMED_OUT: gettext_lazy("Timed out")}
    form = (
        OneOf(
            gettext_lazy("Wait for"),
            (
                (gettext_lazy("An event"), (Setting("event", "event", gettext_lazy("Event")),)),
                (
                    gettext_lazy("Rules to come true"),
                    (Setting("rules", "rules", gettext_lazy("Rules")),),
                ),
            ),
        ),
        Setting("timeout", "span", gettext_lazy("At most")),
    )
    waits = True

    timeout: timedelta = timedelta()
    condition: EventCondition | None = None
    rules: Mapping[str, Any] | None = None

    @classmethod
    def read(cls, key: str, fields: Fields) -> Self:
        """Read `event` (with where and match) or `rules`, and `timeout`."""
        if ("event" in fields) == ("rules" in fields):
            fields.refuse("", _("Give an event or rules."))
        timeout = fields.span("timeout", required=True) or timedelta()
        condition = fields.event() if "event" in fields else None
        rules = fields.rules("rules")
        targets = fields.targets(HAPPENED, TIMED_OUT, main=HAPPENED)
        return cls(key, targets, timeout, condition, rules)

    def texts(self) -> Iterator[tuple[str, str]]:
        for name, text in (self.condition.match if self.condition else {}).items():
            yield f"match.{name}", text

    def shortest(self, branch: str) -> timedelta:
        return self.timeout if branch == TIMED_OUT else timedelta()

    def in_words(self) -> str:
        wanted = (
            event_in_words(self.condition) if self.condition else describe({**(self.rules or {})})
        )
        return _("%(event)s, within %(timeout)s") % {
            "event": wanted,
            "timeout": span_in_words(self.timeout),
        }

    def arrive(self, turn: Turn, passages: Sequence[Passage]) -> None:
        for each in passages:
            each.due_at = turn.now + self.timeout
        self._look(turn, passages, again=SECOND_LOOK)

    def wake(self, turn: Turn, passages: Sequence[Passage]) -> None:
        self._look(turn, passages, again=None)

    def _look(self, turn: Turn, passages: Sequence[Passage], *, again: timedelta | None) -> None:
        decided = self._happened(turn, passages)
        waiting = [each for each in passages if each.id not in decided]
        over = [each for each in waiting if each.due_at and each.due_at <= turn.now]
        self.go(turn, [each for each in passages if each.id in decided], HAPPENED, decided)
        pause = RULES_EVERY if self.rules is not None else again
        event = self.condition.event if self.condition else ANY_EVENT
        for each in waiting:
            if each.due_at and each.due_at > turn.now:
                look_at = turn.now + pause if pause else None
                turn.hold([each], each.due_at, event=event, look_at=look_at)
        self.go(turn, over, TIMED_OUT)

    def _happened(self, turn: Turn, passages: Sequence[Passage]) -> dict[int, Mapping[str, Any]]:
        """Return what happened to passages that need not wait any longer, by their id."""
        if self.condition is None:
            assert self.rules is not None
            fitting = evidence.fitting_customers(self.rules, passages, turn.now)
            return {
                each.id: {"rules": self.rules} for each in passages if each.customer_id in fitting
            }
        periods = [
            (each, Period(each.left_at or each.entered_at, each.due_at)) for each in passages
        ]
        found = evidence.first_events(self.condition, periods, turn.variables)
        return {passage.id: evidence.told(row) for passage, row in found}
