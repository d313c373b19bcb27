"""Who reacts to what people do: told of every new order and row of the timeline once, in the transaction that notes it as read."""

from __future__ import annotations

from collections.abc import Callable, Sequence

Reaction = Callable[[str, Sequence[int]], None]
"""Takes the name of an event (customers.segments.language.event_types) and the keys of its new rows."""

_reactions: list[Reaction] = []


def register(reaction: Reaction) -> None:
    """Have it told from now on. What it raises holds up everybody who is told: it is to raise nothing but trouble with the database."""
    _reactions.append(reaction)


def tell(event: str, keys: Sequence[int]) -> None:
    if keys:
        for react in _reactions:
            react(event, keys)
