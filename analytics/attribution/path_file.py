"""Read paths from a file in the format of the R and Python packages ChannelAttribution."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator

from django.utils.translation import gettext as _

from analytics.attribution.paths import Path

COLUMNS = ("path", "total_conversions", "total_conversion_value", "total_null")
SEPARATOR = " > "


class InvalidPathFile(ValueError):
    """The file cannot be read as paths; the message names the line and the fault."""


def read_paths(lines: Iterable[str]) -> Iterator[Path]:
    """Yield the path of each line `path;total_conversions;total_conversion_value;total_null`; " > " separates steps.

    The last two columns are optional and default to zero. Raises InvalidPathFile.
    """
    rows = csv.reader(lines, delimiter=";")
    header = [name.strip() for name in next(rows, [])]
    if not set(COLUMNS[:2]) <= set(header):
        raise InvalidPathFile(_("The first line must name the columns: %s.") % ";".join(COLUMNS))
    for line, row in enumerate(rows, 2):
        if row:
            yield _journey(dict(zip(header, row, strict=False)), line)


def _journey(row: dict[str, str], line: int) -> Path:
    steps = [step for part in row.get("path", "").split(SEPARATOR) if (step := part.strip())]
    conversions, value, nulls = (_number(row.get(name, ""), name, line) for name in COLUMNS[1:])
    return Path(steps, conversions, value, nulls)


def _number(text: str, column: str, line: int) -> float:
    try:
        number = float(text or 0)
    except ValueError:
        number = -1.0
    if not 0 <= number < float("inf"):
        raise InvalidPathFile(
            _("Line %(line)s: %(column)s is “%(text)s”. Enter a number from 0.")
            % {"line": line, "column": column, "text": text}
        )
    return number
