"""The base of every step, and the turn of the engine that it decides in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Protocol, Self

from django.utils.functional import Promise

from marketing.models import Campaign, Workflow
from marketing.workflows.passages import Passage
from marketing.workflows.reading import Fields


class Turn(Protocol):
    """The turn of the engine (marketing.workflows.engine) as steps see it."""

    workflow: Workflow
    now: datetime

    def go(
        self,
        found: Iterable[Passage],
        branch: str = "",
        why: Mapping[int, Mapping[str, Any]] | None = None,
    ) -> None:
        """Let passages leave their step by a branch; `why` gives the reason by passage id."""

    def hold(
        self,
        found: Iterable[Passage],
        until: datetime,
        *,
        event: str = "",
        look_at: datetime | None = None,
    ) -> None:
        """Let passages wait at their step until a time; they are looked at then, at `look_at`, and when the event happens."""

    def contexts(self, found: Sequence[Passage]) -> Mapping[int, Mapping[str, Any]]:
        """Return what `entry` and `steps` stand for, by passage id."""

    def campaign_of(self, passage: Passage) -> Campaign:
        """Return the campaign of the send step at which a passage stands."""

    def count_left(self, found: Sequence[Passage], step: str, branch: str) -> Mapping[int, int]:
        """Return how often passages have left a step by a branch, by their id, this turn included."""


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a definition. `next` maps its branches to the keys of the steps after it; None ends the passage.

    A subclass has a `type`, reads its settings, and decides about all passages at it at once. A step that `waits` always lets time pass,
    or bounds its rounds: a loop must have one.
    """

    type: ClassVar[str]
    label: ClassVar[str | Promise]
    waits: ClassVar[bool] = False

    key: str
    next: Mapping[str, str | None]

    @classmethod
    def read(cls, key: str, fields: Fields) -> Self:
        """Return the step that an object says, after refusing what it says wrong."""
        raise NotImplementedError

    def arrive(self, turn: Turn, passages: Sequence[Passage]) -> None:
        """Decide about passages that have come to this step."""
        raise NotImplementedError

    def wake(self, turn: Turn, passages: Sequence[Passage]) -> None:
        """Decide about passages that wait at this step, when their time has come or an event may concern them."""
        self.arrive(turn, passages)

    def path_of(self, branch: str) -> str:
        """Return where in the step's object the target of a branch stands."""
        return f"next.{branch}" if branch else "next"

    def faults(self) -> Iterator[tuple[str, str]]:
        """Yield the path and the message of what keeps the step from being published, such as a template that does not exist."""
        yield from ()
