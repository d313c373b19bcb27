"""The address of a client, as the site's proxies report it.

Of `X-Forwarded-For`, only the entries count that the proxies of the setting PROXIES added: a client may have sent the others.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest, HttpResponse

Address = IPv4Address | IPv6Address
Proxies = int | Sequence[IPv4Network | IPv6Network]
"""The number of proxies in front of the site, or their networks."""

THIS_MACHINE = IPv4Address("127.0.0.1")
"""The other end of a Unix socket, which has no address."""
LIMITED_IPV6_PREFIX = 64
"""The network of one IPv6 customer, who can use every address in it (RFC 6177)."""
_PORT = re.compile(r"(?:\[([^]]*)]|([\d.]+))(?::\d+)?")


class ClientAddressMiddleware:
    """Set REMOTE_ADDR to the client's address for everything that reads it; it comes first."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        meta, proxies = request.META, settings.PROXIES
        peer = _parse(meta.get("REMOTE_ADDR", "")) or THIS_MACHINE
        forwarded_for = meta.get("HTTP_X_FORWARDED_FOR", "")
        meta["REMOTE_ADDR"] = client_address(str(peer), forwarded_for, proxies)
        if not isinstance(proxies, int) and not _is_proxy(peer, 0, proxies):
            meta.pop("HTTP_X_FORWARDED_PROTO", None)
        return self.get_response(request)


def client_address(peer: str, forwarded_for: str, proxies: Proxies) -> str:
    """Return the address of the client behind the trusted proxies.

    `peer` is the other end of the connection. An entry that is no address ends the walk at the proxy that reported it.
    """
    address = _parse(peer) or THIS_MACHINE
    for hops, entry in enumerate(reversed(forwarded_for.split(","))):
        reported = _parse(entry)
        if reported is None or not _is_proxy(address, hops, proxies):
            break
        address = reported
    return str(address)


def limited_network(address: str) -> str:
    """Return what a limit counts as one client: an IPv4 address, or the /64 of an IPv6 address."""
    parsed = _parse(address)
    if not isinstance(parsed, IPv6Address):
        return str(parsed or address)
    return str(ip_network((parsed, LIMITED_IPV6_PREFIX), strict=False))


def _is_proxy(address: Address, hops: int, proxies: Proxies) -> bool:
    if isinstance(proxies, int):
        return hops < proxies
    return any(address in network for network in proxies)


def _parse(entry: str) -> Address | None:
    """Return the address of an entry with or without a port, brackets, quotes and a zone; IPv4 in IPv6 as IPv4."""
    text = entry.strip().strip('"')
    if match := _PORT.fullmatch(text):
        text = match[1] or match[2]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
