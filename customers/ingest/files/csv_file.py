"""CSV and TSV, plain or gzipped, in any common encoding, read as a stream."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from charset_normalizer import from_bytes
from django.utils.translation import gettext as _

from customers.ingest.files import ENCODINGS, Reading, UnreadableFile, checked_header, opened

LONGEST_CELL = 33_554_432
"""Characters: far above the limit of any field, so that a long cell rejects its row, and only an open quote the file."""

_SNIFFED = 65_536
_BLOCK = 1_048_576
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_UTF = ("utf-8-sig", "utf-16")
_DELIMITERS = ",;\t|"

csv.field_size_limit(LONGEST_CELL)


class CsvTable:
    """A Table of text cells. With `whole`, its encoding is detected from all of the file, which takes a while."""

    format = "csv"

    def __init__(self, path: str | Path, reading: Reading, *, whole: bool = False) -> None:
        self.path = Path(path)
        self._whole = whole
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
            raise UnreadableFile(_("The file is empty. Choose a file with a header and rows."))
        plain.seek(0)
        encoding = self.reading.encoding or _encoding(plain, whole=self._whole)
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


def _encoding(plain: IO[bytes], *, whole: bool) -> str:
    """Detect the encoding of the first MiB, or of the whole file: UTF-16 by its mark, UTF-8 where it fits, else the best guess."""
    if plain.read(2) in _UTF16:
        return "utf-16"
    plain.seek(0)
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while block := plain.read(_BLOCK):
            decoder.decode(block)
            if not whole:
                return "utf-8-sig"
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return _guess(block)
    return "utf-8-sig"


def _guess(block: bytes) -> str:
    """Return the codec in which the lines that are not ASCII look most like a language; of equals the more common one."""
    foreign = b"\n".join(line for line in block.splitlines() if not line.isascii())[:_SNIFFED]
    score = dict.fromkeys(ENCODINGS, -1.0)
    for match in from_bytes(foreign, cp_isolation=[name for name in ENCODINGS if name not in _UTF]):
        for codec in (match.encoding, *match.could_be_from_charset):
            if codec in score:
                score[codec] = max(score[codec], round(match.coherence - match.chaos, 2))
    return max(score, key=lambda codec: score[codec])


def _delimiter(start: str) -> str:
    first = start.splitlines()[0]
    return max(_DELIMITERS, key=first.count)


def _explain(error: Exception, line: int) -> str:
    if isinstance(error, UnicodeError):
        return (
            _(
                "Line %d cannot be read in this encoding. Choose another encoding, or save the file as UTF-8."
            )
            % line
        )
    if isinstance(error, csv.Error):
        return _(
            "Line %(line)d cannot be read (%(error)s). Check whether a quote is never closed, or a cell is larger than %(limit)d MB."
        ) % {"line": line, "error": error, "limit": LONGEST_CELL // 1_048_576}
    return _("The compressed file is damaged or cut off near line %d. Compress it again.") % line
