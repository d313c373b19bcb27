"""What events there are: those that the outside gets, with what they mean, and those that only our own consumers read.

Apps fill it in their `events.py`. A type that nobody declared is public: programs outside publish types of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from django.utils.functional import Promise

IdEncoder = Callable[[int], str]

_public: dict[str, Promise] = {}
_internal: set[str] = set()
_ids: dict[str, IdEncoder] = {}


def declare(types: Mapping[str, Promise]) -> None:
    """Add types for the outside, each with a sentence on what happened."""
    _public.update(types)


def keep_internal(*types: str) -> None:
    """Add types that stay in this system, such as those that tell of a batch."""
    _internal.update(types)


def name_ids(**encoders: IdEncoder) -> None:
    """Say how a key is written for the outside, by its name in an event's data; `customer` is also the subject's."""
    _ids.update(encoders)


def public() -> dict[str, Promise]:
    return dict(sorted(_public.items()))


def internal() -> list[str]:
    return sorted(_internal)


def for_the_outside(name: str, value: object) -> object:
    """A value of an event's data, its key made opaque where it is one."""
    if name in _ids and isinstance(value, int):
        return _ids[name](value)
    return value
