"""The form of a customer, which reads what users type as imports read cells, and edits tags and attributes as what they are."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import Any, NamedTuple

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import (
    INPUT_CLASSES,
    SELECT_CLASSES,
    UnfoldAdminSelect2MultipleWidget,
    UnfoldAdminTextInputWidget,
)

from customers import clean
from customers.ingest import CUSTOMER

READ_AS_IMPORTED = ("external_id", "email", "country", "phone", "timezone")
"""Fields of the form, the country before the phone that may be a national number there."""
KINDS = {
    "text": gettext_lazy("Text"),
    "number": gettext_lazy("Number"),
    "boolean": gettext_lazy("Yes or no"),
    "date": gettext_lazy("Date"),
    "list": gettext_lazy("List"),
    "json": gettext_lazy("JSON"),
}
"""The types of an attribute; JSON is for what no other type shows."""


class TagsField(forms.MultipleChoiceField):
    """Tags as chips: the ones that are there, and any new one."""

    widget = UnfoldAdminSelect2MultipleWidget(
        attrs={"data-tags": "true", "data-token-separators": '[","]'}
    )

    def prepare_value(self, value: Any) -> Any:
        """Offer the present tags, so that the widget shows them."""
        given = list(value or ())
        self.choices = [(tag, tag) for tag in dict.fromkeys(given)]
        return given

    def validate(self, value: list[str]) -> None:
        """Accept any tag."""

    def to_python(self, value: Any) -> list[str]:
        try:
            return clean.tags(super().to_python(value))
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error

    def has_changed(self, initial: Any, data: Any) -> bool:
        return list(initial or ()) != list(data or ())


class Attribute(NamedTuple):
    """An attribute as its row shows it; `type` is a key of KINDS."""

    name: str
    type: str
    value: str


class AttributesWidget(forms.Widget):
    """A row for each attribute, with its name, type and value, and an empty one for the next."""

    template_name = "admin/customers/customer/attributes.html"

    class Media:
        js = (forms.Script("kindling/attributes.js", type="module"),)

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        rows = [*(value or ()), Attribute("", "text", "")]
        return {
            **context,
            "rows": rows,
            "types": KINDS.items(),
            "input_classes": " ".join(INPUT_CLASSES),
            "select_classes": " ".join(SELECT_CLASSES),
        }

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[Attribute]:
        columns = [data.getlist(f"{name}-{part}") for part in Attribute._fields]
        return [Attribute(*row) for row in zip(*columns, strict=False) if any(row[::2])]

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return f"{name}-name" not in data


class AttributesField(forms.Field):
    """Free attributes as rows."""

    widget = AttributesWidget

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            return [_row(name, each) for name, each in value.items()]
        return value

    def to_python(self, value: Any) -> dict[str, Any]:
        """Return the attributes. Raises ValidationError for a row that cannot be read, or two of one name."""
        found: dict[str, Any] = {}
        errors = []
        for row in value:
            name = row.name.strip()
            try:
                if not name:
                    raise ValueError(_("Enter a name for “%s”.") % row.value[:60])
                if name in found:
                    raise ValueError(_("“%s” is there twice.") % name)
                found[clean.text(name)] = _value(row)
            except ValueError as error:
                errors.append(f"{name}: {error}" if name else str(error))
        if errors:
            raise forms.ValidationError(errors)
        return found

    def has_changed(self, initial: Any, data: Any) -> bool:
        return self.prepare_value(initial or {}) != data


def _row(name: str, value: Any) -> Attribute:
    """Return a value with the type that shows it without loss."""
    match value:
        case bool():
            return Attribute(name, "boolean", "yes" if value else "no")
        case int() | float():
            return Attribute(name, "number", json.dumps(value))
        case str() if _is_date(value):
            return Attribute(name, "date", value)
        case str() if _is_one_line(value):
            return Attribute(name, "text", value)
        case list() if value and all(map(_is_plain, value)):
            return Attribute(name, "list", ", ".join(value))
        case _:
            return Attribute(name, "json", json.dumps(value, ensure_ascii=False))


def _value(row: Attribute) -> Any:
    """Return the value of a row. Raises ValueError."""
    written = row.value.strip()
    match row.type:
        case "number":
            return _number(written)
        case "boolean":
            return clean.boolean(written)
        case "date":
            return date.fromisoformat(written).isoformat()
        case "list":
            return [part for each in written.split(",") if (part := each.strip())]
        case "json":
            found = json.loads(written)
            return found if isinstance(found, str) else clean.attribute(found)
        case _:
            clean.text(row.value, longest=clean.LONGEST_JSON)
            return row.value


def _number(written: str) -> int | float:
    try:
        found = json.loads(written)
    except ValueError:
        found = None
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise ValueError(_("“%s” is not a number such as 12 or 1.5.") % written[:60])
    return found


def _is_one_line(value: str) -> bool:
    """Return whether an input of a page holds the text without a change."""
    return not {"\n", "\r"} & {*value}


def _is_plain(value: Any) -> bool:
    """Return whether a value can stand between commas."""
    return (
        isinstance(value, str)
        and value == value.strip() != ""
        and "," not in value
        and _is_one_line(value)
    )


def _is_date(value: str) -> bool:
    try:
        return date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


class CustomerForm(forms.ModelForm):
    """Reads what users type as an import reads the cells of a file: `Sweden` is SE, and `070 174 06 05` a number there."""

    country = forms.CharField(
        label=gettext_lazy("Country"),
        max_length=100,
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("A name or a code of two letters."),
    )
    tags = TagsField(
        label=gettext_lazy("Tags"),
        required=False,
        help_text=gettext_lazy("Type a tag and press Enter."),
    )
    attributes = AttributesField(label=gettext_lazy("Attributes"), required=False)

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        for name in READ_AS_IMPORTED:
            if given.get(name) and name in self.changed_data:
                try:
                    given[name] = self._read(name, given)
                except ValueError as error:
                    self.add_error(name, str(error))
        return given

    @staticmethod
    def _read(name: str, given: dict[str, Any]) -> Any:
        if name == "phone":
            return clean.phone(given[name], given.get("country") or "")
        read = CUSTOMER[name].clean(given[name])
        if read is None:
            raise ValueError(_("“%s” stands for no value. Leave the field empty.") % given[name])
        return read
