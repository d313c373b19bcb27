"""The base of every step."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar, Self

from django.utils.functional import Promise

from marketing.models import CampaignTemplate
from marketing.workflows.forms import Form
from marketing.workflows.passages import Passage
from marketing.workflows.reading import Fields
from marketing.workflows.turn import Turn


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a definition. `next` maps its branches to the keys of the steps after it; None ends the passage.

    A subclass has a `type`, reads its settings, and decides about all passages at it at once. A step that `waits` always lets time pass,
    or bounds its rounds: a loop must have one. One that `answers` gives later steps the variables `steps.KEY.…`.

    An editor offers it by its `label` and `icon` (of Material Symbols) with the controls of its `form`, and with its `initial` settings.
    `branches` maps the branches under `next` to labels, where it has more than one; of a step that `joins`, a text under `next` is the
    next step of all of them.
    """

    type: ClassVar[str]
    label: ClassVar[str | Promise]
    icon: ClassVar[str]
    form: ClassVar[Form] = ()
    initial: ClassVar[Mapping[str, Any]] = {}
    branches: ClassVar[Mapping[str, str | Promise]] = {}
    joins: ClassVar[bool] = False
    waits: ClassVar[bool] = False
    answers: ClassVar[bool] = False

    key: str
    next: Mapping[str, str | None]

    @classmethod
    def read(cls, key: str, fields: Fields) -> Self:
        """Return the step that an object says, after refusing what it says wrong."""
        raise NotImplementedError

    def arrive(self, turn: Turn, passages: Sequence[Passage]) -> None:
        """Decide about passages that have come to this step."""
        raise NotImplementedError

    def rehearse(self, turn: Turn, passages: Sequence[Passage]) -> None:
        """Decide as arrive() does, without an effect."""
        self.arrive(turn, passages)

    def wake(self, turn: Turn, passages: Sequence[Passage]) -> None:
        """Decide about passages that wait at this step, when their time has come or an event may concern them."""
        self.arrive(turn, passages)

    def go(
        self,
        turn: Turn,
        passages: Iterable[Passage],
        branch: str = "",
        why: Mapping[int, Mapping[str, Any]] | None = None,
    ) -> None:
        """Let passages leave by a branch; `why` gives the reason by passage id."""
        turn.go(passages, self.next.get(branch), branch, why)

    def in_words(self) -> str:
        """Return what the step does, in a few words."""
        return ""

    def path_of(self, branch: str) -> str:
        """Return where in the step's object the target of a branch stands."""
        return f"next.{branch}" if branch else "next"

    def texts(self) -> Iterator[tuple[str, str]]:
        """Yield the path and the source of each text in Liquid."""
        yield from ()

    def templates(self) -> Iterator[tuple[str, CampaignTemplate]]:
        """Yield the path and the template of each message."""
        yield from ()

    def shortest(self, branch: str) -> timedelta:
        """Return the least time that a passage stays before it leaves by a branch."""
        return timedelta()

    def faults(self) -> Iterator[tuple[str, str]]:
        """Yield the path and the message of what keeps the step from being published, such as a template that does not exist."""
        yield from ()


@dataclass(frozen=True, slots=True)
class Action(Step):
    """A step that does something and leads to the next one, which is all that a rehearsal does."""

    def rehearse(self, turn: Turn, passages: Sequence[Passage]) -> None:
        self.go(turn, passages)
