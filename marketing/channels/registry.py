"""Find the providers of this folder by name."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from django.utils.functional import Promise

from crm.credentials import Unreadable
from marketing import channels
from marketing.channels.base import Account, Connection, Provider, TransientError


@cache
def providers() -> dict[str, Provider]:
    """Return every provider of marketing/channels/ by its name."""
    found: dict[str, Provider] = {}
    for module_info in iter_modules(channels.__path__):
        module = import_module(f"{channels.__name__}.{module_info.name}")
        for value in list(vars(module).values()):
            if isinstance(value, type) and issubclass(value, Provider) and hasattr(value, "name"):
                found[value.name] = value()
    return found


def get_provider(name: str) -> Provider:
    """Return the provider of a name. Raises KeyError when there is none."""
    return providers()[name]


def connect(sender: Account) -> Connection:
    """Open a connection to the sender's provider. Raises TransientError when it is unreachable, or the account is not set up."""
    try:
        return get_provider(sender.provider).connect(sender)
    except (Unreadable, ValueError) as error:
        raise TransientError(f"{sender.public_id}: {error}") from error


def provider_choices() -> list[tuple[str, str | Promise]]:
    return [(name, provider.label) for name, provider in sorted(providers().items())]


def idempotent_providers() -> list[str]:
    """Return the names of providers that take an idempotency key."""
    return [name for name, provider in providers().items() if provider.idempotent]
