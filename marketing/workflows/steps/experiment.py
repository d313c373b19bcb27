"""Experiment: random branches with weights. A customer stays in one branch of a step."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Self

from django.utils.translation import gettext_lazy

from marketing.campaigns import bucket
from marketing.workflows.forms import Setting
from marketing.workflows.passages import Passage
from marketing.workflows.reading import Fields
from marketing.workflows.steps.base import Step
from marketing.workflows.steps.split import branch_name, branch_path
from marketing.workflows.turn import Turn


@dataclass(frozen=True, slots=True)
class Experiment(Step):
    """Leads customers into random branches by their weights; one without a next step is a control group."""

    type = "experiment"
    label = gettext_lazy("Experiment")
    icon = "science"
    initial = {"branches": [{"name": "A", "weight": 1}, {"name": "B", "weight": 1}]}
    form = (Setting("branches", "weighted_branches", gettext_lazy("Branches")),)

    weights: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def read(cls, key: str, fields: Fields) -> Self:
        """Read `branches`, each with a name, a weight (1 by default) and a next step."""
        targets: dict[str, str | None] = {}
        weights: dict[str, int] = {}
        for branch in fields.listed("branches", required=True):
            name = branch_name(branch, targets)
            targets[name] = branch.target()
            weights[name] = int(branch.number("weight", low=1, high=1_000, default=1) or 1)
            branch.done()
        return cls(key, targets, weights)

    def arrive(self, turn: Turn, passages: Sequence[Passage]) -> None:
        bounds = list(accumulate(self.weights.values()))
        names = list(self.weights)
        salt = f"workflow {turn.workflow.pk} {self.key}:"
        for each in passages:
            drawn = bucket(salt, each.customer_id) * bounds[-1]
            self.go(turn, [each], names[bisect_right(bounds, drawn)])

    def in_words(self) -> str:
        total = sum(self.weights.values())
        return ", ".join(f"{name} {weight / total:.0%}" for name, weight in self.weights.items())

    def path_of(self, branch: str) -> str:
        return branch_path(self.next, branch)
