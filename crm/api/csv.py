"""Write rows as CSV, with formulas escaped for spreadsheets."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import Any, cast

from django.core.serializers.json import DjangoJSONEncoder

_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_PLAIN_NUMBER = re.compile(r"[+-]?[\d .,()/-]*\d[\d .,()/-]*")


def escape(cell: object) -> str:
    """Return the text of a cell, with a ' before a formula, or one already escaped; numbers and phone numbers are unchanged."""
    if isinstance(cell, dict | list):
        cell = json.dumps(cell, ensure_ascii=False, cls=DjangoJSONEncoder)
    text = "" if cell is None else str(cell)
    if _FORMULA.match(text) and not _PLAIN_NUMBER.fullmatch(text):
        return f"'{text}"
    return text


def unescape(cell: str) -> str:
    """Return a cell of a file without the ' that escape() puts before a formula."""
    return cell[1:] if cell[:1] == "'" and _FORMULA.match(cell) else cell


class _Echo:
    def write(self, text: str) -> str:
        return text


def lines(header: Iterable[str], rows: Iterable[Iterable[object]]) -> Iterator[str]:
    """Return header and rows as lines of CSV.

    The first row is read at once, so that an error is raised before the response begins.
    """
    rows = iter(rows)
    return _lines(header, chain(list(islice(rows, 1)), rows))


def _lines(header: Iterable[str], rows: Iterable[Iterable[object]]) -> Iterator[str]:
    writer = csv.writer(cast(Any, _Echo()))
    yield writer.writerow([escape(name) for name in header])
    for row in rows:
        yield writer.writerow([escape(cell) for cell in row])
