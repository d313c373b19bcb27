"""CSV and TSV in any common encoding, and the bytes of files, plain or gzipped: read as a stream, within limits."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import os
import re
import time
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self, cast

from charset_normalizer import from_bytes
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from customers.ingest.files import (
    ENCODINGS,
    Reading,
    UnreadableFile,
    header_place,
    named_columns,
)

MIB = 1024 * 1024
MOST_TIMES_UNPACKED = 200
"""Tables shrink to a tenth, and repetitive ones to a hundredth; deflate reaches a thousandth."""
UNPACKED_ANYWAY = 64 * MIB
_GZIP = b"\x1f\x8b"

LONGEST_CELL = settings.IMPORT_MAX_ROW_MB * MIB
"""Characters. Far above the limit of any field, so that a long cell rejects its row, and only an open quote the file."""

_SNIFFED = 65_536
_BLOCK = 1_048_576
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_UTF = ("utf-8-sig", "utf-16", "utf-16-le", "utf-16-be")
_DELIMITERS = ",;\t|"
_HIGH = bytes(range(128, 256))
_UTF8_CHARACTER = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}"
)
_COMMON_IDEOGRAPHS = {
    "gb18030": (0xB0, 0xD7),
    "big5": (0xA4, 0xC6),
    "cp949": (0xB0, 0xC8),
    "cp932": (0x82, 0x98),
    "euc_jp": (0xA4, 0xCF),
}
"""The first bytes of common characters. Texts of other scripts decode as rare ones; coherence, which knows letters, is no help."""
_IDEOGRAPHIC_BONUS = 0.3
_NO_LATIN = ("CYRILLIC", "GREEK", "HEBREW", "ARABIC", "THAI")
"""Scripts, by the names of their characters, whose letters stand in no word with Latin ones; ideographs stand beside capitals."""
_SEPARATOR_HINT = re.compile(r'\ufeff?"?sep=(?P<separator>[^\r\n])"?\r?\n', re.IGNORECASE)
"""The first line by which Excel knows the separator."""
_PEEKED = 50
"""Rows that show the separator and the header."""

csv.field_size_limit(LONGEST_CELL)


class RowTooLong(ValueError):
    """A row is larger than IMPORT_MAX_ROW_MB."""


class Unpacked(io.RawIOBase):
    """The unpacked bytes of a file. Reading beyond a limit raises RowTooLong, or UnreadableFile for the others.

    `consumed` counts the bytes read so far. Setting `row_ended` says that a row is complete: the count of its bytes starts again.
    """

    def __init__(self, packed: IO[bytes], seconds: float) -> None:
        self.consumed = 0
        self.row_ended = True
        self._row_began = 0
        self._packed = packed
        self._source = packed
        self._most = settings.IMPORT_MAX_UNPACKED_MB * MIB
        self._longest_row = settings.IMPORT_MAX_ROW_MB * MIB
        self._seconds = seconds
        self._deadline = time.monotonic() + seconds
        if packed.seekable():
            is_gzip = packed.read(2) == _GZIP
            packed.seek(0)
            if is_gzip:
                self._source = cast(IO[bytes], gzip.GzipFile(fileobj=packed))
                self._most = most_unpacked(os.fstat(packed.fileno()).st_size)

    def buffered(self) -> io.BufferedReader:
        return io.BufferedReader(self, MIB)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self._packed.seekable()

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self.consumed, self.row_ended = self._source.seek(offset, whence), True
        return self.consumed

    def readinto(self, buffer: Any) -> int:
        if self.row_ended:
            self._row_began, self.row_ended = self.consumed, False
        count = cast(io.BufferedIOBase, self._source).readinto(buffer)
        self.consumed += count
        if self.consumed > self._most:
            raise UnreadableFile(too_large_unpacked(self._most))
        if self.consumed - self._row_began > self._longest_row + len(buffer):
            raise RowTooLong
        if time.monotonic() > self._deadline:
            raise UnreadableFile(_takes_too_long(self._seconds))
        return count


def most_unpacked(packed_bytes: int) -> int:
    """Return how many bytes a compressed file of this size may unpack to."""
    by_ratio = max(packed_bytes * MOST_TIMES_UNPACKED, UNPACKED_ANYWAY)
    return min(settings.IMPORT_MAX_UNPACKED_MB * MIB, by_ratio)


def too_large_unpacked(limit: int) -> str:
    return _("The file unpacks to more than %d MB. Split it, or upload it uncompressed.") % (
        limit // MIB
    )


def _takes_too_long(seconds: float) -> str:
    return ngettext(
        "Reading the file takes longer than %d second. Split it into smaller files.",
        "Reading the file takes longer than %d seconds. Split it into smaller files.",
        round(seconds),
    ) % round(seconds)


class CsvTable:
    """A Table of text cells. With `whole`, its encoding is detected from all of the file, which takes a while."""

    format = "csv"

    _reader: Any

    def __init__(
        self, path: str | Path, reading: Reading, seconds: float, *, whole: bool = False
    ) -> None:
        self.path = Path(path)
        self._whole = whole
        self._seconds = seconds
        self.reading = reading
        self._size = max(self.path.stat().st_size, 1)
        self._raw = self.path.open("rb")
        try:
            self._text = self._open_text()
            self.header = self._read_header()
        except BaseException:
            self._raw.close()
            raise

    @property
    def progress(self) -> float:
        return min(self._raw.tell() / self._size, 1.0)

    def __iter__(self) -> Iterator[tuple[int, list[Any]]]:
        width = len(self.header)
        meter, reader = self.meter, self._reader
        before = bool(self._hint) + 1
        line = reader.line_num + before
        try:
            for cells in reader:
                meter.row_ended = True
                if any(cells):
                    if len(cells) < width:
                        cells.extend([""] * (width - len(cells)))
                    yield line, cells
                line = reader.line_num + before
        except (RowTooLong, csv.Error, UnicodeError, OSError, EOFError) as error:
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
        self.meter = Unpacked(self._raw, self._seconds)
        plain = self.meter.buffered()
        try:
            start = plain.read(_SNIFFED)
        except (OSError, EOFError) as error:
            raise UnreadableFile(_explain(error, 1)) from error
        if not start.strip():
            raise UnreadableFile(_("The file is empty. Choose a file with a header and rows."))
        plain.seek(0)
        encoding = self.reading.encoding or _encoding(plain, self.meter, whole=self._whole)
        plain.seek(0)
        self._beginning = start.decode(encoding, "replace")
        self._hint = _SEPARATOR_HINT.match(self._beginning)
        delimiter = self.reading.delimiter or (
            self._hint["separator"] if self._hint else _delimiter(_lines(self._beginning))
        )
        self.reading = replace(self.reading, encoding=encoding, delimiter=delimiter)
        # a byte that is not of the encoding rejects its row, not the file
        errors = "strict" if encoding.startswith("utf-16") else "surrogateescape"
        return io.TextIOWrapper(plain, encoding=encoding, errors=errors, newline="")

    def _read_header(self) -> list[str]:
        """Read to the header, which a line such as `sep=;` or a title may precede."""
        if self._hint:
            next(self._text)
        rows = list(
            islice(_reader(_lines(self._beginning)[bool(self._hint) :], self.reading), _PEEKED)
        )
        self._reader = _reader(self._text, self.reading)
        header: list[str] = []
        try:
            for header in islice(self._reader, header_place(rows) + 1):  # noqa: B007
                pass
        except (RowTooLong, csv.Error, UnicodeError, OSError, EOFError) as error:
            raise UnreadableFile(_explain(error, 1)) from error
        return named_columns(header, rows)


def _reader(lines: Iterable[str], reading: Reading) -> Any:
    return csv.reader(lines, delimiter=reading.delimiter, skipinitialspace=True, strict=False)


def _lines(beginning: str) -> list[str]:
    """Return the lines of the beginning of a file, without a last one that is cut off."""
    lines = beginning.splitlines(keepends=True)
    return lines[:-1] if len(beginning) >= _SNIFFED and len(lines) > 1 else lines


def _encoding(plain: IO[bytes], meter: Unpacked, *, whole: bool) -> str:
    """Detect the encoding of the first MiB, or of the whole file.

    UTF-16 shows by its mark or zeros, UTF-8 fits but for a few bytes; else the result is the best guess.
    """
    start = plain.read(_BLOCK)
    if start[:2] in _UTF16:
        return "utf-16"
    if b"\n\x00" in start or b"\x00\n" in start:
        behind = start[1::2].count(b"\x00")
        return "utf-16-le" if behind * 2 > start.count(b"\x00") else "utf-16-be"
    fitting = strange = 0
    foreign = b""
    decoder = codecs.getincrementaldecoder("utf-8")()
    block = start
    while block:
        try:
            decoder.decode(block)
        except UnicodeDecodeError:
            decoder.reset()
            inside = sum(map(len, _UTF8_CHARACTER.findall(block)))
            fitting += inside
            strange += _high_bytes(block) - inside
            foreign = foreign or block
        else:
            fitting += _high_bytes(block)
        meter.row_ended = True
        block = plain.read(_BLOCK) if whole else b""
    return "utf-8-sig" if fitting >= strange else _guess(foreign)


def _high_bytes(block: bytes) -> int:
    return 0 if block.isascii() else len(block) - len(block.translate(None, _HIGH))


def _guess(block: bytes) -> str:
    """Return the codec in which the lines that are not ASCII look most like a language; of equals the more common one."""
    foreign = b"\n".join(line for line in block.splitlines() if not line.isascii())[:_SNIFFED]
    score = dict.fromkeys(ENCODINGS, -1.0)
    for match in from_bytes(foreign, cp_isolation=[name for name in ENCODINGS if name not in _UTF]):
        letters = _share_of_letters(foreign, match.encoding)
        is_common = not match.chaos and _is_common_ideographs(foreign, match.encoding)
        likeness = match.coherence - match.chaos + letters + _IDEOGRAPHIC_BONUS * is_common
        for codec in (match.encoding, *match.could_be_from_charset):
            if codec in score:
                score[codec] = max(score[codec], round(likeness, 2))
    best = max(score, key=lambda codec: score[codec])
    return best if score[best] > 0 else "cp1252"


def _share_of_letters(foreign: bytes, codec: str) -> float:
    """Return the share of letters that fit into their words among the characters that are not ASCII."""
    text = f" {foreign.decode(codec, 'ignore')} "
    fits = [
        _fits(before, char, after)
        for before, char, after in zip(text, text[1:], text[2:], strict=False)
        if not char.isascii()
    ]
    return sum(fits) / len(fits) if fits else 0


def _fits(before: str, char: str, after: str) -> bool:
    """Return whether a character is a letter, no capital inside a word or number, and of the script of its neighbours."""
    follows_lower = before.isascii() and (before.islower() or before.isdigit())
    if not char.isalpha() or (char.isupper() and follows_lower):
        return False
    beside = "".join(each for each in (before, after) if each.isascii() and each.isalpha())
    strangers = (*_NO_LATIN, "CJK") if any(map(str.islower, beside)) else _NO_LATIN
    return not (beside and unicodedata.name(char, "").startswith(strangers))


def _is_common_ideographs(foreign: bytes, codec: str) -> bool:
    first, last = _COMMON_IDEOGRAPHS.get(codec, (1, 0))
    strange = [char for char in foreign.decode(codec, "ignore") if not char.isascii()]
    common = sum(first <= char.encode(codec)[0] <= last for char in strange)
    return bool(strange) and common >= 0.9 * len(strange)


def _delimiter(lines: Sequence[str]) -> str:
    """Return the separator by which most lines have as many cells as the header, quotes respected."""

    def fit(delimiter: str) -> tuple[float, int]:
        rows = list(islice(_reader(lines, Reading(delimiter=delimiter)), _PEEKED))
        header = rows[header_place(rows)]
        if len(header) < 2 or any('"' in name for name in header):
            return 0, 0
        filled = [cells for cells in rows if cells]
        return sum(len(cells) == len(header) for cells in filled) / len(filled), len(header)

    return max(_DELIMITERS, key=fit)


def _explain(error: Exception, line: int) -> str:
    if isinstance(error, UnicodeError):
        return (
            _(
                "Line %d cannot be read in this encoding. Choose another encoding, or save the file as UTF-8."
            )
            % line
        )
    if isinstance(error, RowTooLong | csv.Error):
        return _(
            "Line %(line)d cannot be read. Check whether a quote is never closed, or the row is larger than %(limit)d MB."
        ) % {"line": line, "limit": settings.IMPORT_MAX_ROW_MB}
    return _("The compressed file is damaged or cut off near line %d. Compress it again.") % line
