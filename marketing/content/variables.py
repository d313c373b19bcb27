"""Know the variables that a template may use."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from customers.models import Customer
from marketing.content import liquid
from marketing.content.context import customer_context, shared_context
from marketing.content.tokenizer import Kind, tokenize

OPEN_ENDED = ("customer.attributes.",)
OF_MESSAGES = ("unsubscribe_url",)
CONTEXT = ("event", "data")
"""Variables that a message may bring with it: the event that caused it, and the data of the call that asked for it."""
OF_LIQUID = ("now", "today")
WITHOUT_INDEX = re.compile(r"\[.*|\.(size|first|last)$")


@cache
def known() -> frozenset[str]:
    """Return the paths of every variable that a recipient can have, as `customer.city`."""
    everything = {**customer_context(Customer()), **shared_context("")}
    return frozenset({*_paths(everything), *OF_MESSAGES})


def values_for(customer: Customer | None) -> dict[str, Any]:
    """Return every known variable with its value for the customer, in alphabetical order."""
    values = dict(_leaves({**customer_context(customer or Customer()), **shared_context("")}))
    return {path: values.get(path, "") for path in sorted(known())}


def unknown(sources: Iterable[str], *, context: Collection[str] = CONTEXT) -> list[str]:
    """Return the variables that no recipient can have, in alphabetical order, `{frist_name}` among them.

    `context` names what the messages bring with them. Raises ContentError for what is not Liquid.
    """
    found: set[str] = set()
    for source in sources:
        found.update(liquid.compile_template(source, html=False).global_variable_paths())
        found.update(_in_single_braces(source))
    return sorted(
        path for path in found if not _is_known(path) and path.partition(".")[0] not in context
    )


def _in_single_braces(source: str) -> Iterator[str]:
    """Yield what stands in single braces and is no CSS."""
    is_style = False
    for token in tokenize(source):
        is_style = (token.name in {"style", "mj-style"} and token.kind is not Kind.END) or (
            is_style and token.kind is not Kind.END
        )
        if not is_style and not token.is_liquid:
            yield from liquid.SINGLE_BRACES.findall(token.source)


def _is_known(path: str) -> bool:
    return (
        path in known()
        or path in OF_LIQUID
        or path.startswith(OPEN_ENDED)
        or WITHOUT_INDEX.sub("", path) in known()
    )


def _paths(tree: Mapping[str, Any], under: str = "") -> Iterator[str]:
    return (path for path, _value in _leaves(tree, under))


def _leaves(tree: Mapping[str, Any], under: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in tree.items():
        path = f"{under}{name}"
        if isinstance(value, Mapping) and value and not path.endswith("attributes"):
            yield from _leaves(value, f"{path}.")
        elif path != "customer.attributes":
            yield path, value
