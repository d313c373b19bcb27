"""Work that goes on while the database writes: the next batch is read and cleaned in a thread of its own."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

T = TypeVar("T")


def ahead(items: Iterator[T]) -> Iterator[T]:
    """The same items, none of them None, the next of them made while its predecessor is used; what making one raises, asking for it raises.

    Making an item must not use the database: connections belong to threads.
    """
    language = copy_context()  # for sentences about what does not fit

    def make() -> T | None:
        return language.run(next, items, None)

    with ThreadPoolExecutor(max_workers=1) as maker:
        coming = maker.submit(make)
        while (item := coming.result()) is not None:
            coming = maker.submit(make)
            yield item
