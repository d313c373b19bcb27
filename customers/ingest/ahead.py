"""Work that goes on while the database writes: the next batch is read and cleaned in a thread of its own."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar, cast

T = TypeVar("T")

_END = object()


def ahead(items: Iterator[T]) -> Iterator[T]:
    """The same items, the next of them made while its predecessor is used; what making one raises, asking for it raises.

    Making an item must not use the database: connections belong to threads.
    """
    context = copy_context()  # the language, for sentences about what does not fit
    with ThreadPoolExecutor(max_workers=1) as maker:
        coming = maker.submit(context.run, next, items, _END)
        while (item := coming.result()) is not _END:
            coming = maker.submit(context.run, next, items, _END)
            yield cast(T, item)
