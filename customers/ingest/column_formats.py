"""Detect how a column writes its dates and numbers, and of which type it is, from all of its cells."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

from django.conf import settings

from customers.clean import dates, is_null, numbers

MINORITY = 0.05
"""Up to this share of contrary cells are errors; with more of them a column has no one format."""
WHOLE = "whole"
"""The format of a column of ids that are all whole numbers, written as `17850.0` or `'17850`."""
UNCLEAR = "unclear"
"""The order of dates in a column of which none shows it."""


IDS = ("ids",)
"""The part of the format of a column of ids."""


class ColumnFormat(NamedTuple):
    """The order of dates, the decimal sign (numbers.SIGNS), the type of a free attribute, and WHOLE for ids; empty where cells decide.

    The order is one of dates.ORDERS, or dates.MIXED, dates.ASSUMED or UNCLEAR.
    """

    dates: str = ""
    decimal_sign: str = ""
    type: str = ""
    ids: str = ""


class Evidence:
    """Counts the cells of one column that can be read in one way alone; add() gets cells, and format() returns the result.

    `about` names what is wanted: fields of ColumnFormat.
    """

    def __init__(self, about: Collection[str] = ColumnFormat._fields) -> None:
        self._about = about
        self._orders = dict.fromkeys(dates.ORDERS, 0)
        self._signs = dict.fromkeys(numbers.SIGNS, 0)
        self._types = {"boolean", "number", "date"} if "type" in about else set()
        self._are_whole = "ids" in about
        self._has_commas = self._has_cells = self._has_iso_dates = False
        self._unclear_date = ""

    @property
    def is_open(self) -> bool:
        """Return whether more cells can change the format."""
        return self._about != IDS or self._are_whole

    def add(self, cells: Sequence[Any]) -> None:
        """Count the cells of some rows. Cells that are no text, of spreadsheets and JSON, narrow the type alone."""
        if self._are_whole:
            self._are_whole = all(_WHOLE.fullmatch(cell) or is_null(cell) for cell in cells if isinstance(cell, str))  # fmt: skip
            self._has_cells = self._has_cells or not all(map(is_null, cells))
        if self._about == IDS:
            return
        lines = _lines(cells)
        if "dates" in self._about:
            for found in _CLEAR_DATES.finditer(lines):
                self._orders["day_first" if found["day_first"] else "month_first"] += 1
            self._unclear_date = self._unclear_date or _unclear_date(lines)
            self._has_iso_dates = self._has_iso_dates or _ISO_DATE.search(lines) is not None
        if "decimal_sign" in self._about:
            self._add_signs(lines)
        if self._types:
            self._narrow(cells)

    def _add_signs(self, lines: str) -> None:
        """Count the clear numbers; where all of some rows have one sign, the signs."""
        has_commas, has_points = "," in lines, "." in lines
        self._has_commas = self._has_commas or has_commas
        comma = (has_commas or _THOUSANDS.search(lines)) and _COMMA.search(lines)
        point = (has_points or has_commas) and _POINT.search(lines)
        if comma and point:
            self._signs[","] += sum(1 for _found in _COMMA.finditer(lines))
            self._signs["."] += sum(1 for _found in _POINT.finditer(lines))
        elif comma or point:
            self._signs["," if comma else "."] += max(lines.count("," if comma else "."), 1)

    def format(self, others: ColumnFormat, stated: ColumnFormat) -> ColumnFormat:
        """Return the format: as stated, else by the column's own evidence, else as the other columns of the file have it."""
        order = stated.dates or _winner(self._orders, dates.MIXED) or others.dates
        order = order or self._undecided_order()
        own_sign = stated.decimal_sign or _winner(self._signs, numbers.MIXED)
        ids = WHOLE if self._are_whole and self._has_cells else ""
        return ColumnFormat(
            order, own_sign or others.decimal_sign, self._type(order, own_sign), ids
        )

    def _undecided_order(self) -> str:
        """Return the order where no date shows it: that of the site, and the day first between dots, as no country writes otherwise."""
        if not self._unclear_date:
            return ""
        if "." in self._unclear_date:
            return "day_first"
        return settings.DATE_ORDER or (dates.ASSUMED if self._has_iso_dates else UNCLEAR)

    def _narrow(self, cells: Sequence[Any]) -> None:
        """Remove the types that cells contradict; a cell that stands for no value contradicts none."""
        for type_ in tuple(self._types):
            matches = _TYPES[type_].fullmatch
            if any(not matches(str(cell)) and not is_null(cell) for cell in cells):
                self._types.remove(type_)
        self._has_cells = self._has_cells or not all(map(is_null, cells))

    def _type(self, order: str, own_sign: str) -> str:
        if "type" not in self._about or not self._has_cells:
            return ""
        if "number" in self._types:
            return "text" if self._has_commas and own_sign not in numbers.SIGNS else "number"
        if "date" in self._types:
            return "date" if order in dates.ORDERS else "text"
        return "boolean" if "boolean" in self._types else "text"

    def __add__(self, other: Evidence) -> Evidence:
        both = Evidence()
        both._orders = {name: self._orders[name] + other._orders[name] for name in dates.ORDERS}
        both._signs = {name: self._signs[name] + other._signs[name] for name in numbers.SIGNS}
        return both


def formats(columns: Iterable[Evidence], stated: ColumnFormat) -> list[ColumnFormat]:
    """Return the format of each column of a file."""
    columns = list(columns)
    others = sum(columns, Evidence()).format(ColumnFormat(), stated)
    return [column.format(others, stated) for column in columns]


def _lines(cells: Sequence[Any]) -> str:
    try:
        return "\n".join(["", *cells, ""])
    except TypeError:
        return _lines([cell for cell in cells if isinstance(cell, str)])


def _winner(votes: dict[str, int], mixed: str) -> str:
    (_, few), (winner, many) = sorted(votes.items(), key=lambda vote: vote[1])
    if not many:
        return ""
    return winner if few <= many * MINORITY else mixed


_DAY, _MONTH = r"(?:1[3-9]|2\d|3[01])", r"(?:0?[1-9]|1[0-2])"
_CLEAR_DATES = re.compile(
    rf"\n[ \t]*(?:(?P<day_first>{_DAY}([/.-]) ?{_MONTH}\2 ?)|{_MONTH}([/.-]) ?{_DAY}\3 ?)(?:\d{{4}}|\d\d)(?!\d)"
)

_EITHER_DATE = re.compile(rf"\n[ \t]*({_MONTH})([/.-]) ?({_MONTH})\2 ?(?:\d{{4}}|\d\d)(?!\d)")
_ISO_DATE = re.compile(r"\n[ \t]*\d{4}[/.-]\d\d?[/.-]\d")


def _unclear_date(lines: str) -> str:
    """Return the first date that is another day with day and month exchanged, empty text without one."""
    found = _EITHER_DATE.finditer(lines)
    return next((each[0].strip() for each in found if int(each[1]) != int(each[3])), "")


_BEFORE, _AFTER = r"\n[^\w\n,.]*(?:[A-Za-z]{0,3}[^\w\n,.]*)?", r"[^\d\n,.]{0,6}(?=\n)"
_THOUSANDS = re.compile(r"\.\d{3}\.")


def _clear_numbers(sign: str, thousands: str) -> re.Pattern[str]:
    """Match lines with a number that has one decimal sign for certain."""
    grouped = rf"\d{{1,3}}(?:{thousands}\d{{2,3}})*{thousands}\d{{3}}{sign}\d+"
    parted = rf"\d+{sign}(?:\d{{1,2}}|\d{{4,}})|0+{sign}\d+|\d{{4,}}{sign}\d+"
    grouped_only = (
        rf"\d{{1,3}}(?:{thousands}\d{{3}}){{2,}}|\d{{1,2}}(?:{thousands}\d\d)+{thousands}\d{{3}}"
    )
    return re.compile(rf"{_BEFORE}(?:{grouped}|{parted}|{grouped_only}){_AFTER}", re.MULTILINE)


_COMMA = _clear_numbers(",", r"[.]")
_POINT = _clear_numbers(r"[.]", ",")

_WHOLE = re.compile(r"\s*(?:\d+[.,]0+|'\d+)\s*")
_TYPES = {
    "boolean": re.compile(r"\s*(?:true|false)\s*", re.IGNORECASE),
    "number": re.compile(r"\s*-?(?:0|[1-9]\d{0,14}|[1-9]\d{0,2}(?:,\d{3})+|[1-9]\d{0,2}(?:\.\d{3})+)(?:[.,]\d{1,6})?\s*"),
    "date": re.compile(rf"\s*{dates.NUMERIC}[^\n]*"),
}  # fmt: skip
