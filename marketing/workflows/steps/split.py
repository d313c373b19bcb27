"""Split: by the first branch whose rules the customer matches, else by the last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.segments import describe
from marketing.workflows import evidence
from marketing.workflows.forms import Setting
from marketing.workflows.passages import Passage
from marketing.workflows.reading import Fields
from marketing.workflows.steps.base import Step
from marketing.workflows.turn import Turn

ELSE = "else"


@dataclass(frozen=True, slots=True)
class Split(Step):
    """Leads each customer into the first branch that fits; `rules` maps the names of branches to their rules, in order."""

    type = "split"
    label = gettext_lazy("Split by rules")
    icon = "call_split"
    initial = {"branches": [{"name": "1", "rules": {"operator": "AND", "conditions": []}}]}
    form = (
        Setting(
            "branches",
            "ruled_branches",
            gettext_lazy("Branches"),
            gettext_lazy("Customers take the first branch that they match."),
        ),
    )

    rules: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @classmethod
    def read(cls, key: str, fields: Fields) -> Self:
        """Read `branches`, each with a name, rules and a next step, and `next` for all other customers."""
        targets: dict[str, str | None] = {}
        rules: dict[str, Mapping[str, Any]] = {}
        for branch in fields.listed("branches", required=True):
            name = branch_name(branch, targets)
            targets[name] = branch.target()
            if (found := branch.rules("rules")) is not None:
                rules[name] = found
            elif "rules" not in branch:
                branch.refuse("rules", _("Give the rules of the branch."))
            branch.done()
        targets[ELSE] = fields.target()
        return cls(key, targets, rules)

    def arrive(self, turn: Turn, passages: Sequence[Passage]) -> None:
        left = list(passages)
        for name, rules in self.rules.items():
            fitting = evidence.fitting_customers(rules, left, turn.now)
            chosen = [each for each in left if each.customer_id in fitting]
            left = [each for each in left if each.customer_id not in fitting]
            self.go(turn, chosen, name)
        self.go(turn, left, ELSE)

    def in_words(self) -> str:
        return "; ".join(f"{name}: {describe({**rules})}" for name, rules in self.rules.items())

    def path_of(self, branch: str) -> str:
        return branch_path(self.next, branch)


def branch_name(branch: Fields, taken: Mapping[str, object]) -> str:
    """Return the name of a branch, which no other has."""
    name = branch.text("name", required=True, longest=100)
    if name in taken or name == ELSE:
        branch.refuse("name", _("Give each branch a name of its own."))
    return name


def branch_path(targets: Mapping[str, object], branch: str) -> str:
    """Return where in the object of a step with branches the target of one stands."""
    return "next" if branch == ELSE else f"branches[{list(targets).index(branch)}].next"
