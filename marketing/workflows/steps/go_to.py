"""Go to another step, with a limit of rounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from marketing.workflows.forms import Setting
from marketing.workflows.passages import Passage
from marketing.workflows.reading import Fields
from marketing.workflows.steps.base import Step
from marketing.workflows.turn import Turn

AGAIN, DONE = "again", "done"


@dataclass(frozen=True, slots=True)
class GoTo(Step):
    """Leads each passage to a step `rounds` times, and on after that."""

    type = "go_to"
    label = gettext_lazy("Go to a step")
    icon = "replay"
    initial = {"rounds": 1}
    form = (
        Setting("step", "step", gettext_lazy("Step")),
        Setting(
            "rounds",
            "number",
            gettext_lazy("Rounds"),
            gettext_lazy("After these, the passage continues below."),
        ),
    )
    waits = True  # its rounds are bounded

    rounds: int = 1

    @classmethod
    def read(cls, key: str, fields: Fields) -> Self:
        """Read `step`, `rounds` (1 to 100), and `next` for when they are over."""
        if "step" not in fields:
            fields.refuse("step", _("Give the key of the step to go to."))
        targets = {AGAIN: fields.target("step"), DONE: fields.target()}
        return cls(key, targets, int(fields.number("rounds", low=1, high=100, default=1) or 1))

    def arrive(self, turn: Turn, passages: Sequence[Passage]) -> None:
        gone = turn.count_left(passages, self.key, AGAIN)
        self.go(turn, [each for each in passages if gone.get(each.id, 0) < self.rounds], AGAIN)
        self.go(turn, [each for each in passages if gone.get(each.id, 0) >= self.rounds], DONE)

    def in_words(self) -> str:
        words = ngettext("To “%(step)s”, once", "To “%(step)s”, %(n)s times", self.rounds)
        return words % {"step": self.next[AGAIN], "n": self.rounds}

    def path_of(self, branch: str) -> str:
        return "step" if branch == AGAIN else "next"
