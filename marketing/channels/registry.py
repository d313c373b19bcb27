"""The channels that are in this folder, by name."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from django.utils.functional import Promise

from crm.credentials import Unreadable
from marketing import channels
from marketing.channels.base import Account, Channel, Connection, TransientError


@cache
def all_channels() -> dict[str, Channel]:
    """Every provider found in marketing/channels/, by its name."""
    found: dict[str, Channel] = {}
    for module_info in iter_modules(channels.__path__):
        module = import_module(f"{channels.__name__}.{module_info.name}")
        for value in list(vars(module).values()):
            if isinstance(value, type) and issubclass(value, Channel) and hasattr(value, "name"):
                found[value.name] = value()
    return found


def get(name: str) -> Channel:
    """The provider of that name. Raises KeyError when no module provides it."""
    return all_channels()[name]


def connect(sender: Account) -> Connection:
    """Open a way to the sender's provider. Raises TransientError when it cannot be reached, or the account is not set up (any more)."""
    try:
        return get(sender.provider).connect(sender)
    except (Unreadable, ValueError) as error:
        raise TransientError(f"{sender.public_id}: {error}") from error


def choices() -> list[tuple[str, str | Promise]]:
    return [(name, channel.label) for name, channel in sorted(all_channels().items())]


def idempotent() -> list[str]:
    """The names of providers that do a thing once however often they are asked."""
    return [name for name, channel in all_channels().items() if channel.idempotent]
