"""Record an event on the customer's timeline, which rules, triggers and other workflows see."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.segments import event_types
from customers.timeline import NewInteraction, record_interactions
from customers.timeline.types import OWN
from marketing.workflows.forms import Setting
from marketing.workflows.passages import Passage
from marketing.workflows.reading import Fields
from marketing.workflows.rendering import rendered, texts_in
from marketing.workflows.steps.base import Action
from marketing.workflows.turn import Turn


@dataclass(frozen=True, slots=True)
class Emit(Action):
    """Records an event of each customer, with properties whose texts may be Liquid."""

    type = "emit"
    label = gettext_lazy("Record an event")
    icon = "bolt"
    form = (
        Setting("event", "text", gettext_lazy("Event"), gettext_lazy("Such as trial_ended")),
        Setting(
            "properties",
            "pairs",
            gettext_lazy("Properties"),
            gettext_lazy("Texts may be Liquid, such as {{ entry.cart_id }}."),
            optional=True,
        ),
    )

    event: str = ""
    properties: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, key: str, fields: Fields) -> Self:
        """Read `event` and `properties`."""
        event = fields.text("event", required=True, longest=100)
        if event and (event in OWN or event_types.find(event) is None):
            fields.refuse("event", _("This is not the name of an event that a workflow records."))
        return cls(key, fields.targets("", main=""), event, fields.mapping("properties"))

    def texts(self) -> Iterator[tuple[str, str]]:
        return texts_in(self.properties, "properties")

    def arrive(self, turn: Turn, passages: Sequence[Passage]) -> None:
        variables = turn.variables(passages) if self.properties else {}
        record_interactions(
            [
                NewInteraction(
                    each.customer_id,
                    self.event,
                    turn.now,
                    {
                        **rendered(self.properties, variables.get(each.id, {})),
                        "workflow": turn.workflow.slug,
                    },
                    by_the_customer=False,
                )
                for each in passages
            ]
        )
        self.go(turn, passages)

    def in_words(self) -> str:
        return self.event
