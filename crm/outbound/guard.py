"""Guard outgoing connections: only public addresses, unless OUTBOUND_ALLOW_PRIVATE is set.

A push subscription, a webhook or a mail server could otherwise make this server call its own network (SSRF). The checked address is the
one connected to, so a name that resolves differently a moment later gains nothing (DNS rebinding).
"""

from __future__ import annotations

import ipaddress
import socket

from django.conf import settings
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError, NameResolutionError

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
"""All of IPv6 that IANA has given out; the rest wraps IPv4 addresses in older ways, or is of one site."""
METADATA = frozenset(map(ipaddress.ip_address, ("168.63.129.16", "192.0.0.192")))
"""Addresses at which Azure and Oracle serve data of a machine to itself, public by their number."""


class PrivateTarget(HTTPError):
    """The name resolves to an address inside a private network."""


def is_public(address: str) -> bool:
    """Return whether an IP address is public, also if it wraps an IPv4 address (mapped, 6to4, NAT64)."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if inner := _wrapped(ip):
        return is_public(str(inner))
    if ip.version == 6 and ip not in GLOBAL_UNICAST:
        return False
    return ip.is_global and not ip.is_multicast and ip not in METADATA


def checked(host: str, port: int) -> list[str]:
    """Resolve a host to allowed addresses. Raises PrivateTarget if any is private, socket.gaierror for an unknown name."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
    if not settings.OUTBOUND_ALLOW_PRIVATE and not all(map(is_public, addresses)):
        raise PrivateTarget(f"{host} is not on the public internet")
    return addresses


def connect(host: str, port: int, timeout: float | None) -> socket.socket:
    """Connect to the first allowed address of a host that answers. Raises as `checked`, and OSError."""
    *others, last = checked(host, port)
    for address in others:
        try:
            return socket.create_connection((address, port), timeout)
        except OSError:
            continue
    return socket.create_connection((last, port), timeout)


def _wrapped(ip: IPAddress) -> ipaddress.IPv4Address | None:
    if isinstance(ip, ipaddress.IPv4Address):
        return None
    if ip in NAT64:
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour


class _Guarded(HTTPConnection):
    """Connects to a checked address; TLS still verifies the certificate of the name."""

    def _new_conn(self) -> socket.socket:
        name = self._dns_host
        try:
            *others, last = checked(name, self.port)
            for address in others:
                self._dns_host = address
                try:
                    return super()._new_conn()
                except HTTPError:
                    continue
            self._dns_host = last
            return super()._new_conn()
        except socket.gaierror as error:
            raise NameResolutionError(name, self, error) from error
        finally:
            self._dns_host = name


class _GuardedTLS(_Guarded, HTTPSConnection):
    pass


class GuardedPool(HTTPConnectionPool):
    ConnectionCls = _Guarded


class GuardedTLSPool(HTTPSConnectionPool):
    ConnectionCls = _GuardedTLS
