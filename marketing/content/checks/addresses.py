"""Check the addresses of links by their syntax."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import ip_address
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

from marketing.content.checks.finding import Finding, error, warning

OTHER_SCHEMES = frozenset({"mailto", "tel", "sms", "whatsapp", "webcal"})
HOST = re.compile(r"(?:[^\W_](?:[\w-]*[^\W_])?\.)+[^\W\d_][\w-]*[^\W_]\.?", re.IGNORECASE)


def findings(url: str, *, shown: str = "") -> Iterator[Finding]:
    """Yield the faults of the address of a link; one that holds Liquid is only known once it is rendered."""
    url, named = url.strip(), (shown or url).strip()[:80]
    if "{{" in url or "{%" in url:
        return
    if not url:
        yield error("broken_link", _("The link “%s” leads nowhere.") % named)
    elif url.startswith("#"):
        return
    elif url.startswith("//"):
        yield from findings(f"https:{url}", shown=shown or url)
    else:
        yield from _by_scheme(url)


def _by_scheme(url: str) -> Iterator[Finding]:
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname or "", parts.port
    except ValueError:
        yield error("broken_link", _("“%s” is no web address.") % url[:80])
        return
    if parts.scheme in OTHER_SCHEMES:
        return
    if parts.scheme not in {"http", "https"}:
        yield error(
            "broken_link",
            _("“%s” leads nowhere from a message: it must begin with https://.") % url[:80],
        )
    elif not is_host(host) or re.search(r"\s", url):
        yield error("broken_link", _("“%s” is no web address.") % url[:80])
    elif parts.scheme == "http":
        yield warning("http_link", _("“%s” is not encrypted: use https://.") % url[:80])


def is_host(host: str) -> bool:
    """Return whether a web server could have this name: a domain, an IP address, or localhost."""
    return host == "localhost" or bool(HOST.fullmatch(host)) or is_number(host)


def is_number(host: str) -> bool:
    """Return whether the host is an IP address."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
