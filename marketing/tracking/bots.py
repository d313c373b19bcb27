"""Distinguish bots from recipients by user agent, headers, address and time.

Source: RFC 9110, 10.1.5 (products of an agent) and 9.3.2 (HEAD); Apple, "Use Mail Privacy Protection" (loads everything by proxy, and says
no more than "Mozilla/5.0"); the Sec-Purpose header of the Fetch standard; the published addresses of Microsoft (Exchange Online
Protection), Barracuda, Proofpoint and Mimecast.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache

from django.conf import settings

AT_ONCE = timedelta(seconds=1)
"""No recipient reads and clicks within this time after the delivery."""

APPLE_MAIL_PRIVACY = "Mozilla/5.0"
PRODUCT = re.compile(r"([A-Za-z][\w.+-]*)(?:/(\S+))?")
"""A product with its version, or any word (RFC 9110, 10.1.5)."""
KINDS = ("bot", "crawler", "spider", "scanner", "preview", "prefetch")
"""The last part of the name of a program that calls itself one."""
PHONES = frozenset({"cubot"})
BOTS = frozenset(
    {"slurp", "facebookexternalhit", "meta-externalagent", "feedfetcher-google", "google-safety", "google-read-aloud", "googleother"}
    | {"apis-google", "mediapartners-google", "skypeuripreview", "slack-imgproxy", "headlesschrome", "phantomjs"}
    | {"chrome-lighthouse", "ptst", "embedly", "zabbix"}
    | {"barracuda", "proofpoint", "mimecast", "symantec", "messagelabs", "fireeye", "trendmicro", "sophos", "ironport", "cisco"}
    | {"bitdefender", "mailscanner", "safelinks", "virustotal", "urlscan", "zscaler", "forcepoint"}
)  # fmt: skip
OF_LINK_PREVIEWS = frozenset({"whatsapp"})
"""Apps that fetch previews under their own name, which stands behind that of a browser where a person looks at a page in them."""
LIBRARIES = frozenset(
    {"python", "aiohttp", "curl", "wget", "java", "okhttp", "go-http-client"}
    | {"libwww-perl", "apache-httpclient", "axios", "node-fetch", "undici", "ruby", "faraday", "guzzlehttp", "perl", "php"}
    | {"scrapy", "colly", "postmanruntime", "httpie", "powershell", "google-http-java-client", "node", "w3c_validator"}
)  # fmt: skip
"""Programming libraries, which name their version or nothing else."""
GMAIL_PREFETCH = "Edge/12.246 Mozilla/5.0"
"""Gmail fetches images with this agent before anybody looks."""

NETWORKS = (
    "17.0.0.0/8",  # Apple
    "40.92.0.0/15",  # Microsoft, Exchange Online Protection
    "40.107.0.0/16",
    "52.100.0.0/14",
    "104.47.0.0/17",
    "64.235.144.0/20",  # Barracuda
    "209.222.80.0/21",
    "67.231.144.0/20",  # Proofpoint
    "148.163.128.0/19",
    "205.220.160.0/19",
    "91.220.42.0/24",  # Mimecast
    "205.139.110.0/24",
    "207.211.30.0/23",
)


def why_bot(
    user_agent: str,
    *,
    headers: Mapping[str, str] | None = None,
    address: str = "",
    at: datetime | None = None,
    delivered_at: datetime | None = None,
) -> str:
    """Return in a word why a request is a bot's, "" where it looks like a recipient's.

    `delivered_at` is when the message was delivered, or sent.
    """
    if not user_agent.strip() or _calls_itself_bot(user_agent):
        return "agent"
    if user_agent.strip() == APPLE_MAIL_PRIVACY:
        return "mail privacy"
    if headers and _prefetches(headers):
        return "prefetch"
    if address and _is_known(address):
        return "network"
    if at and delivered_at and at - delivered_at < AT_ONCE:
        return "at once"
    return ""


def _calls_itself_bot(user_agent: str) -> bool:
    """Return whether a product of the agent is a bot's: one by its own name, or by its kind with a version or where bots stand."""
    if GMAIL_PREFETCH in user_agent or _names_its_site(user_agent):
        return True
    says_so = "compatible;" in user_agent
    for product in PRODUCT.finditer(user_agent):
        name, version = product[1].lower(), product[2]
        stands_alone = bool(version) or product.start() == 0
        parts = re.split(r"[-_.+]", name)
        if BOTS & {name, *parts} or (product.start() == 0 and name in OF_LINK_PREVIEWS):
            return True
        if LIBRARIES & {name, parts[0]} and stands_alone:
            return True
        is_kind = any(part.endswith(KINDS) and part not in PHONES for part in parts)
        if is_kind and (stands_alone or says_so):
            return True
    return False


def _names_its_site(user_agent: str) -> bool:
    """Return whether an agent has the address of its makers, as programs have and browsers have not; mail proxies have one, too."""
    has_address = "http://" in user_agent or "https://" in user_agent
    is_browser = user_agent.startswith("Mozilla/")
    return "+http" in user_agent or (has_address and not is_browser and "Proxy" not in user_agent)


def _prefetches(headers: Mapping[str, str]) -> bool:
    purpose = " ".join(
        headers.get(name, "") for name in ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")
    )
    return "prefetch" in purpose.lower() or "preview" in purpose.lower()


def _is_known(address: str) -> bool:
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(ip in network for network in _networks() if network.version == ip.version)


@cache
def _networks() -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    return [ipaddress.ip_network(each) for each in (*NETWORKS, *settings.MACHINE_NETWORKS)]
