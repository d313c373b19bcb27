"""The kinds of files that can be brought in: their fields, what they need, and who loads them. Higher apps register more."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from customers.ingest.fields import (
    ATTRIBUTE,
    EXPORTED_ID,
    KEPT_COLUMNS,
    REJECTED_COLUMNS,
    Field,
    Refused,
)

if TYPE_CHECKING:
    from customers.ingest.load import Loader


ATTRIBUTES = "attributes"
"""The field of a column that holds whole objects of attributes, in formats that have objects."""


@dataclass(frozen=True)
class Kind:
    """One kind of file. Of each group in `required`, a file must have at least one field; `changelist` is the admin's list of the result.

    `takes_attributes`: columns that are no field can be kept as free attributes.
    """

    name: str
    label: str | Promise
    fields: Mapping[str, Field]
    required: tuple[tuple[str, ...], ...]
    load: Loader
    changelist: str
    takes_attributes: bool = True


_kinds: dict[str, Kind] = {}


def register(kind: Kind) -> None:
    _kinds[kind.name] = kind


def get(name: str) -> Kind:
    """Raises KeyError for a kind that nobody registered."""
    return _kinds[name]


def names() -> list[str]:
    return list(_kinds)


def choices() -> list[tuple[str, str | Promise]]:
    return [(kind.name, kind.label) for kind in _kinds.values()]


def guess_mapping(kind: str, header: Iterable[str]) -> dict[str, str]:
    """Column → field by its name or a synonym, else → `attributes.` and the name. Each field is given once, in the header's order."""
    chosen = get(kind)
    mapping = dict.fromkeys(header, "")
    kept = KEPT_COLUMNS if EXPORTED_ID in mapping else ()
    columns = [column for column in mapping if column not in kept]
    free = set(chosen.fields)
    for known in (_by_own_name(chosen), _by_any_name(chosen)):
        for column in columns:
            field = known.get(_folded(column), "")
            if not mapping[column] and field in free:
                mapping[column] = field
                free.remove(field)
    return mapping | {column: mapping[column] or _otherwise(chosen, column) for column in columns}


def check_mapping(kind: str, mapping: Mapping[str, str], header: Iterable[str]) -> None:
    """Raise Refused where the mapping names a column or field that there is not, a field twice, or lacks what the kind needs."""
    chosen = get(kind)
    columns = set(header)
    given: dict[str, str] = {}
    for column, field in mapping.items():
        if column not in columns:
            raise Refused(str(_("The file has no column “%s”.") % column))
        if field and not _is_attribute(chosen, field) and field not in chosen.fields:
            known = ", ".join(chosen.fields)
            raise Refused(
                str(
                    _("There is no field “%(field)s”; known are %(known)s.")
                    % {"field": field, "known": known}
                )
            )
        if field and field in given:
            raise Refused(
                str(
                    _("Both “%(one)s” and “%(other)s” are mapped to %(field)s.")
                    % {"one": given[field], "other": column, "field": field}
                )
            )
        given[field] = column
    for group in chosen.required:
        if not given.keys() & set(group):
            raise Refused(str(_("No column is mapped to %s.") % _(" or ").join(group)))


def _by_own_name(kind: Kind) -> dict[str, str]:
    return {_folded(field): field for field in kind.fields}


def _by_any_name(kind: Kind) -> dict[str, str]:
    return {
        _folded(name): field
        for field, meant in kind.fields.items()
        for name in (field, *meant.synonyms)
    }


def _otherwise(kind: Kind, column: str) -> str:
    if not kind.takes_attributes or column in REJECTED_COLUMNS:
        return ""
    if column == ATTRIBUTES:
        return ATTRIBUTES
    return f"{ATTRIBUTE}{_attribute_name(column)}"


def _is_attribute(kind: Kind, field: str) -> bool:
    return kind.takes_attributes and (field == ATTRIBUTES or field.startswith(ATTRIBUTE))


def _folded(name: str) -> str:
    """`totalSpends`, `Total spends` and `total_spends` are one name."""
    return re.sub(r"[\W_]", "", name.casefold())


def _attribute_name(column: str) -> str:
    name = column.strip().removeprefix(ATTRIBUTE)
    return re.sub(r"\W+", "_", name).strip("_").lower()[:100] or "column"
