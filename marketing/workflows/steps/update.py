"""Update customers: attributes, whose values may be Liquid, and tags."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers import bulk
from marketing.workflows.forms import Setting
from marketing.workflows.passages import Passage
from marketing.workflows.reading import Fields
from marketing.workflows.rendering import rendered, texts_in
from marketing.workflows.steps.base import Action
from marketing.workflows.turn import Turn

Value = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Update(Action):
    """Sets attributes, and adds and removes tags."""

    type = "update"
    label = gettext_lazy("Update the customer")
    icon = "edit"
    form = (
        Setting(
            "attributes",
            "pairs",
            gettext_lazy("Attributes"),
            gettext_lazy("Texts may be Liquid, such as {{ entry.cart_id }}."),
            optional=True,
        ),
        Setting("add_tags", "tags", gettext_lazy("Add tags"), optional=True),
        Setting("remove_tags", "tags", gettext_lazy("Remove tags"), optional=True),
    )

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

    def texts(self) -> Iterator[tuple[str, str]]:
        return texts_in(self.attributes, "attributes")

    def arrive(self, turn: Turn, passages: Sequence[Passage]) -> None:
        customers = sorted({each.customer_id for each in passages})
        if self.attributes:
            bulk.set_attributes(self._values(turn, passages))
        if self.add_tags:
            bulk.add_tags(self.add_tags, customers)
        if self.remove_tags:
            bulk.remove_tags(self.remove_tags, customers)
        self.go(turn, passages)

    def in_words(self) -> str:
        parts = [f"{name} = {value}" for name, value in self.attributes.items()]
        parts += [f"+ {tag}" for tag in self.add_tags] + [f"− {tag}" for tag in self.remove_tags]
        return ", ".join(parts)

    def _values(self, turn: Turn, passages: Sequence[Passage]) -> dict[int, dict[str, Value]]:
        if not any("{" in text for _path, text in self.texts()):
            return {each.customer_id: dict(self.attributes) for each in passages}
        variables = turn.variables(passages)
        return {
            each.customer_id: rendered(self.attributes, variables[each.id]) for each in passages
        }


def _read_attributes(fields: Fields) -> dict[str, Value]:
    given = fields.mapping("attributes")
    if not all(name and isinstance(value, Value) for name, value in given.items()):
        fields.refuse("attributes", _("Give an object of texts, numbers, true, false and null."))
        return {}
    return given


def _read_tags(fields: Fields, key: str) -> tuple[str, ...]:
    given = fields.raw(key) or []
    if not isinstance(given, list) or not all(
        isinstance(tag, str) and 0 < len(tag.strip()) <= 100 for tag in given
    ):
        fields.refuse(key, _("Give a list of tags."))
        return ()
    return tuple(tag.strip() for tag in given)
