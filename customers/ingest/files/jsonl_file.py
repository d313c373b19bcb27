"""JSON lines, plain or gzipped: one object a line. Columns are all names that occur in the file."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from django.conf import settings
from django.utils.translation import gettext as _

from customers.ingest.files import QUICK_BYTES, Reading, SlowFile, UnreadableFile, named_columns
from customers.ingest.files.csv_file import MIB, Unpacked

LONGEST_LINE = 4 * MIB
"""Its objects take twenty times as much memory."""


class JsonlTable:
    format = "jsonl"

    def __init__(
        self, path: str | Path, reading: Reading, seconds: float, *, quick: bool = False
    ) -> None:
        self.path = Path(path)
        self.reading = replace(reading, encoding="utf-8", delimiter="")
        self._size = max(self.path.stat().st_size, 1)
        self._raw = self.path.open("rb")
        self.meter = Unpacked(self._raw, seconds)
        self._plain = self.meter.buffered()
        try:
            self.header = named_columns(self._names(QUICK_BYTES if quick else math.inf))
        except BaseException:
            self._raw.close()
            raise

    @property
    def progress(self) -> float:
        return min(self._raw.tell() / self._size, 1.0)

    def __iter__(self) -> Iterator[tuple[int, list[Any]]]:
        for line, item in self._items():
            yield line, ["" if (cell := item.get(name)) is None else cell for name in self.header]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: Any) -> None:
        self._raw.close()

    def _names(self, most_bytes: float) -> list[str]:
        names: dict[str, None] = {}
        for _line, item in self._items():
            if self.meter.consumed > most_bytes:
                raise SlowFile
            names.update(dict.fromkeys(item))
            if len(names) > settings.IMPORT_MAX_COLUMNS:
                raise UnreadableFile(
                    _("The file has more than %d columns. Nest rare ones under “attributes”.")
                    % settings.IMPORT_MAX_COLUMNS
                )
        return list(names)

    def _items(self) -> Iterator[tuple[int, dict[str, Any]]]:
        self._plain.seek(0)
        number = 0
        try:
            while written := self._plain.readline(LONGEST_LINE):
                self.meter.row_ended = True
                number += 1
                if not written.strip():
                    continue
                item = json.loads(written.decode("utf-8-sig", "surrogateescape"))
                if not isinstance(item, dict):
                    raise ValueError
                yield number, item
        except UnreadableFile:
            raise
        except (ValueError, RecursionError, OSError, EOFError) as error:
            raise UnreadableFile(
                _("Line %d is not a JSON object. Write one object a line.") % max(number, 1)
            ) from error
