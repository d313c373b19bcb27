"""CSV and TSV, plain or gzipped, in the encodings that people have, read as a stream."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from django.utils.translation import gettext as _

from customers.ingest.files.base import Reading, UnreadableFile, checked_header, opened

LONGEST_CELL = 33_554_432
"""Characters; far above what any field takes, so that a long cell is its row's fault, and a quote left open the file's."""

_SNIFFED = 65_536
_BLOCK = 1_048_576
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_DELIMITERS = ",;\t|"

csv.field_size_limit(LONGEST_CELL)


class CsvTable:
    """A file with a header. Use it in a `with`; iterating gives (line of the file, cells) and `progress` how far it is, 0 to 1.

    A short row is filled up with empty cells; one with more cells than the header is given as it is.
    Raises UnreadableFile when it is opened, or while it is read where the fault is further on.
    """

    format = "csv"

    def __init__(self, path: str | Path, reading: Reading) -> None:
        self.path = Path(path)
        self.reading = reading
        self._size = max(self.path.stat().st_size, 1)
        self._raw = self.path.open("rb")
        try:
            self._text = self._open_text()
            self._reader = csv.reader(self._text, delimiter=self.reading.delimiter, strict=False)
            self.header = self._read_header()
        except BaseException:
            self._raw.close()
            raise

    @property
    def progress(self) -> float:
        return min(self._raw.tell() / self._size, 1.0)

    def __iter__(self) -> Iterator[tuple[int, list[Any]]]:
        width = len(self.header)
        line = self._reader.line_num + 1
        try:
            for cells in self._reader:
                if any(cells):
                    if len(cells) < width:
                        cells.extend([""] * (width - len(cells)))
                    yield line, cells
                line = self._reader.line_num + 1
        except (csv.Error, UnicodeError, OSError, EOFError) as error:
            raise UnreadableFile(_explain(error, line)) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._text.close()
        self._raw.close()

    def _open_text(self) -> IO[str]:
        plain = opened(self._raw)
        try:
            start = plain.read(_SNIFFED)
        except (OSError, EOFError) as error:
            raise UnreadableFile(_explain(error, 1)) from error
        if not start.strip():
            raise UnreadableFile(_("The file is empty."))
        plain.seek(0)
        encoding = self.reading.encoding or _encoding(plain)
        plain.seek(0)
        delimiter = self.reading.delimiter or _delimiter(start.decode(encoding, "replace"))
        self.reading = Reading(encoding, delimiter, self.reading.dates)
        return io.TextIOWrapper(plain, encoding=encoding, newline="")

    def _read_header(self) -> list[str]:
        try:
            header = [name.strip() for name in next(self._reader, [])]
        except (csv.Error, UnicodeError) as error:
            raise UnreadableFile(_explain(error, 1)) from error
        return checked_header(header)


def _encoding(plain: IO[bytes]) -> str:
    """UTF-16 where it says so, UTF-8 where all of the file is, else what Windows and old Excels write."""
    if plain.read(2) in _UTF16:
        return "utf-16"
    plain.seek(0)
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while block := plain.read(_BLOCK):
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8-sig"


def _delimiter(start: str) -> str:
    first = start.splitlines()[0]
    return max(_DELIMITERS, key=first.count)


def _explain(error: Exception, line: int) -> str:
    if isinstance(error, UnicodeError):
        return (
            _(
                "Line %d holds bytes that are no text in the file's encoding. Save the file as UTF-8."
            )
            % line
        )
    if isinstance(error, csv.Error):
        return _(
            "Line %(line)d cannot be read (%(error)s). A cell may be larger than %(limit)d MB, or a quote is never closed."
        ) % {"line": line, "error": error, "limit": LONGEST_CELL // 1_048_576}
    return _("The compressed file is damaged or cut off near line %d.") % line
