"""Start and stop another workflow for a customer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from marketing.models import Workflow
from marketing.workflows import passages
from marketing.workflows.forms import Setting
from marketing.workflows.passages import Passage
from marketing.workflows.reading import Fields
from marketing.workflows.steps.base import Action
from marketing.workflows.turn import ExitReason, State, Turn


@dataclass(frozen=True, slots=True)
class OtherWorkflow(Action):
    """Names another workflow by its slug."""

    form = (Setting("workflow", "workflow", gettext_lazy("Workflow")),)

    workflow: str = ""

    @classmethod
    def read(cls, key: str, fields: Fields) -> Self:
        """Read `workflow`, a slug."""
        return cls(
            key,
            fields.targets("", main=""),
            fields.text("workflow", required=True, longest=100),
        )

    def in_words(self) -> str:
        return self.workflow

    def faults(self) -> Iterator[tuple[str, str]]:
        others = Workflow.objects.exclude(state=Workflow.State.ARCHIVED)
        if not others.filter(slug=self.workflow).exists():
            yield "workflow", _("There is no workflow “%(slug)s”.") % {"slug": self.workflow}


@dataclass(frozen=True, slots=True)
class Start(OtherWorkflow):
    """Lets customers enter a workflow with the entry key and the entry event of this passage, as far as its rules let them."""

    type = "start"
    label = gettext_lazy("Start another workflow")
    icon = "start"

    def arrive(self, turn: Turn, passages: Sequence[Passage]) -> None:
        turn.starting[self.workflow] += passages
        self.go(turn, passages)


@dataclass(frozen=True, slots=True)
class Stop(OtherWorkflow):
    """Ends the passages under way of customers in a workflow."""

    type = "stop"
    label = gettext_lazy("Stop another workflow")
    icon = "block"

    def arrive(self, turn: Turn, passages: Sequence[Passage]) -> None:
        other = Workflow.objects.filter(slug=self.workflow).first()
        if other is not None and other != turn.workflow:
            _stop(other, passages, turn)
        self.go(turn, passages)


def _stop(other: Workflow, found: Sequence[Passage], turn: Turn) -> None:
    stopping = Turn(other, turn.now)
    customers = sorted({each.customer_id for each in found})
    stopping.end(
        passages.lock_of_customers(other.pk, customers),
        State.EXITED,
        reason=ExitReason.STOPPED,
        why={"workflow": turn.workflow.slug},
    )
    stopping.save()
