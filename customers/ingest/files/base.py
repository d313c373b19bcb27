"""What every format of table has in common."""

from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol, Self, cast

from django.utils.translation import gettext as _

_GZIP = b"\x1f\x8b"


class UnreadableFile(ValueError):
    """The file as a whole cannot be read as a table; the sentence says why and what to do."""


@dataclass(frozen=True)
class Reading:
    """How a file is read; what is empty is found out. `dates` of 1/2/2025: `day_first` or `month_first`."""

    encoding: str = ""
    delimiter: str = ""
    dates: str = ""


AS_DETECTED = Reading()


class Table(Protocol):
    """A file with a header. Use it in a `with`; iterating gives (line of the file, cells) and `progress` how far it is, 0 to 1.

    A short row is filled up with empty cells; one with more cells than the header is given as it is. A cell is text, or in formats
    that have them a JSON value. Raises UnreadableFile when it is opened, or while it is read where the fault is further on.
    """

    format: str
    path: Path
    header: list[str]
    reading: Reading

    @property
    def progress(self) -> float: ...

    def __iter__(self) -> Iterator[tuple[int, list[Any]]]: ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *error: Any) -> None: ...


def opened(raw: IO[bytes]) -> IO[bytes]:
    """The bytes of a file that may be gzipped."""
    zipped = raw.read(2) == _GZIP
    raw.seek(0)
    return cast(IO[bytes], gzip.GzipFile(fileobj=raw)) if zipped else raw


def checked_header(header: list[str]) -> list[str]:
    """The names of the columns, without empty ones at the end. Raises UnreadableFile for what is no header."""
    while header and not header[-1]:
        header.pop()
    if missing := [str(place) for place, name in enumerate(header, 1) if not name]:
        raise UnreadableFile(
            _("The header has no name for column %s. Name every column in the first line.")
            % ", ".join(missing)
        )
    if doubled := [name for name, times in Counter(header).items() if times > 1]:
        raise UnreadableFile(
            _("The header has “%s” more than once. Give every column a name of its own.")
            % "”, “".join(doubled)
        )
    if not header or any("\x00" in name for name in header):
        raise UnreadableFile(
            _("The first line is not a header. Save the table as CSV and try again.")
        )
    return header
