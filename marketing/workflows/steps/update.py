"""Update customers: attributes, whose values may be Liquid, and tags."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers import bulk
from marketing.content import render_text
from marketing.workflows.passages import Passage
from marketing.workflows.reading import Fields
from marketing.workflows.steps.base import Step, Turn

Value = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Update(Step):
    """Sets attributes, and adds and removes tags."""

    type = "update"
    label = gettext_lazy("Update the customer")

    attributes: Mapping[str, Value] = field(default_factory=dict)
    add_tags: tuple[str, ...] = ()
    remove_tags: tuple[str, ...] = ()

    @classmethod
    def read(cls, key: str, fields: Fields) -> Self:
        """Read `attributes` (texts may be Liquid), `add_tags` and `remove_tags`."""
        found = cls(
            key,
            fields.targets("", main=""),
            attributes=_read_attributes(fields),
            add_tags=_read_tags(fields, "add_tags"),
            remove_tags=_read_tags(fields, "remove_tags"),
        )
        if not (found.attributes or found.add_tags or found.remove_tags):
            fields.refuse("", _("Give attributes, add_tags or remove_tags."))
        return found

    def arrive(self, turn: Turn, passages: Sequence[Passage]) -> None:
        customers = sorted({each.customer_id for each in passages})
        if self.attributes:
            bulk.set_attributes(self._values(turn, passages))
        if self.add_tags:
            bulk.add_tags(self.add_tags, customers)
        if self.remove_tags:
            bulk.remove_tags(self.remove_tags, customers)
        turn.go(passages)

    def _values(self, turn: Turn, passages: Sequence[Passage]) -> dict[int, dict[str, Value]]:
        if not any(isinstance(each, str) and "{" in each for each in self.attributes.values()):
            return {each.customer_id: dict(self.attributes) for each in passages}
        contexts = turn.contexts(passages)
        return {
            each.customer_id: {
                name: render_text(value, contexts[each.id]) if isinstance(value, str) else value
                for name, value in self.attributes.items()
            }
            for each in passages
        }


def _read_attributes(fields: Fields) -> dict[str, Value]:
    given = fields.raw("attributes")
    if given is None:
        return {}
    if not isinstance(given, Mapping) or not all(
        isinstance(name, str) and name and isinstance(value, Value) for name, value in given.items()
    ):
        fields.refuse("attributes", _("Give an object of texts, numbers, true, false and null."))
        return {}
    return dict(given)


def _read_tags(fields: Fields, key: str) -> tuple[str, ...]:
    given = fields.raw(key) or []
    if not isinstance(given, list) or not all(
        isinstance(tag, str) and 0 < len(tag.strip()) <= 100 for tag in given
    ):
        fields.refuse(key, _("Give a list of tags."))
        return ()
    return tuple(tag.strip() for tag in given)
