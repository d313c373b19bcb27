"""Journeys from a file of paths, as the R and Python packages ChannelAttribution read them."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator

from django.utils.translation import gettext as _

from analytics.attribution.paths import Journey

COLUMNS = ("path", "total_conversions", "total_conversion_value", "total_null")
SEPARATOR = " > "


class BadPathFile(ValueError):
    """The file is none of paths; the message says the line and what is wrong."""


def read(lines: Iterable[str]) -> Iterator[Journey]:
    """A journey a line of `path;total_conversions;total_conversion_value;total_null`, the steps split by " > ".

    The last two columns may be missing, and are zero then. Raises BadPathFile.
    """
    rows = csv.reader(lines, delimiter=";")
    header = [name.strip() for name in next(rows, [])]
    if not set(COLUMNS[:2]) <= set(header):
        raise BadPathFile(_("The first line has to name the columns: %s.") % ";".join(COLUMNS))
    for line, row in enumerate(rows, 2):
        if row:
            yield _journey(dict(zip(header, row, strict=False)), line)


def _journey(row: dict[str, str], line: int) -> Journey:
    steps = [step for part in row.get("path", "").split(SEPARATOR) if (step := part.strip())]
    conversions, value, nulls = (_number(row.get(name, ""), name, line) for name in COLUMNS[1:])
    return Journey(steps, conversions, value, nulls)


def _number(text: str, column: str, line: int) -> float:
    try:
        number = float(text or 0)
    except ValueError:
        number = -1.0
    if not 0 <= number < float("inf"):
        raise BadPathFile(
            _("Line %(line)s: %(column)s is “%(text)s”, and has to be a number from 0.")
            % {"line": line, "column": column, "text": text}
        )
    return number
