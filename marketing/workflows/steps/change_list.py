"""Add customers to a static segment, or remove them from it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.models import Segment
from customers.segments import members
from marketing.workflows.forms import Setting
from marketing.workflows.passages import Passage
from marketing.workflows.reading import Fields
from marketing.workflows.steps.base import Action
from marketing.workflows.turn import Turn


@dataclass(frozen=True, slots=True)
class ChangeList(Action):
    """Changes who is in a static segment."""

    type = "list"
    label = gettext_lazy("Change a list")
    icon = "playlist_add"
    initial = {"action": "add"}
    form = (
        Setting("segment", "static_segment", gettext_lazy("Static segment")),
        Setting(
            "action",
            "choice",
            gettext_lazy("Action"),
            choices={"add": gettext_lazy("Add to it"), "remove": gettext_lazy("Remove from it")},
        ),
    )

    segment: str = ""
    removes: bool = False

    @classmethod
    def read(cls, key: str, fields: Fields) -> Self:
        """Read `segment` (a slug) and `action`: add or remove."""
        action = fields.text("action", default="add", choices=("add", "remove"))
        return cls(
            key,
            fields.targets("", main=""),
            segment=fields.text("segment", required=True, longest=100),
            removes=action == "remove",
        )

    def arrive(self, turn: Turn, passages: Sequence[Passage]) -> None:
        segment = Segment.objects.get(slug=self.segment)
        change = members.remove if self.removes else members.add
        change(segment, sorted({each.customer_id for each in passages}))
        self.go(turn, passages)

    def in_words(self) -> str:
        words = _("Remove from “%(segment)s”") if self.removes else _("Add to “%(segment)s”")
        return words % {"segment": self.segment}

    def faults(self) -> Iterator[tuple[str, str]]:
        segment = Segment.objects.filter(slug=self.segment).first()
        if segment is None or segment.kind != Segment.Kind.STATIC:
            yield "segment", _("There is no static segment “%(slug)s”.") % {"slug": self.segment}
