"""System checks of settings; each hint says how to fix them. crm.env checks TIME_ZONE and EMAIL_URL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from email.utils import parseaddr
from typing import Any
from urllib.parse import urlsplit

from babel import Locale
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.checks import Warning as Caution
from django.db import ProgrammingError
from django.http.request import validate_host
from django.utils.translation import gettext as _

from crm import credentials
from customers import clean, consent

SECRET_KEY_LENGTH = 32


@register()
def check_environment(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Check SITE_URL, CURRENCY, DEFAULT_FROM_EMAIL and DATE_ORDER for every command with system checks."""
    return [*_site_url(), *_currency(), *_default_from_email(), *_date_order()]


@register(Tags.database)
def check_secrets(
    app_configs: Any, databases: Sequence[str] | None = None, **kwargs: Any
) -> Iterator[CheckMessage]:
    """Check, before migrations, that SECRET_KEY still decrypts the key of erasures: without it no customer is imported."""
    try:
        if databases:
            consent.erased_among([])
    except credentials.Unreadable:
        yield Error(
            _("SECRET_KEY does not decrypt the key by which erased customers are recognised."),
            hint=_(
                "Add the earlier key to SECRET_KEY_FALLBACKS and run manage.py reseal. If it is lost: manage.py reseal --forget-erasures"
            ),
            id="kindling.E005",
        )
    except ProgrammingError:
        return  # no tables yet


@register(Tags.security, deploy=True)
def check_secret_key(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if len(settings.SECRET_KEY) >= SECRET_KEY_LENGTH:
        return []
    return [
        Error(
            _("SECRET_KEY is shorter than %(length)s characters.") % {"length": SECRET_KEY_LENGTH},
            hint=_('Generate one: python -c "import secrets; print(secrets.token_urlsafe(50))"'),
            id="kindling.E001",
        )
    ]


@register(Tags.security, deploy=True)
def check_front_door(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Check that SITE_URL, PROXIES, ALLOWED_HOSTS and SECURE_PROXY_SSL_HEADER describe the same site."""
    return [*_proxies(), *_allowed_hosts()]


def _proxies() -> Iterator[CheckMessage]:
    is_https = settings.SITE_URL.startswith("https://")
    if is_https and not settings.PROXIES:
        yield Caution(
            _("SITE_URL is https, so a proxy is in front of the site, but PROXIES names none."),
            hint=_(
                "Limits, sign-in locks and the audit trail take the proxy for every client. Set the number of your proxies, PROXIES=1, "
                "or their networks, PROXIES=10.0.0.0/8"
            ),
            id="kindling.W005",
        )
    if not is_https and settings.PROXIES:
        yield Caution(
            _("PROXIES names proxies, but SITE_URL is not https."),
            hint=_("Let the proxy speak TLS and set SITE_URL=https://…, or remove PROXIES."),
            id="kindling.W006",
        )
    networks = [] if isinstance(settings.PROXIES, int) else settings.PROXIES
    if everyone := [str(network) for network in networks if network.prefixlen == 0]:
        yield Error(
            _("PROXIES trusts every client: %(networks)s.") % {"networks": ", ".join(everyone)},
            hint=_(
                "Any client could then name its own address. List the networks of your proxies."
            ),
            id="kindling.E007",
        )
    if is_https != bool(settings.SECURE_PROXY_SSL_HEADER):
        yield Error(
            _("SECURE_PROXY_SSL_HEADER does not fit SITE_URL=%(url)s.")
            % {"url": settings.SITE_URL},
            hint=_(
                "With https it names the header of your proxy, or every page redirects to itself. With http it must be None, or a client "
                "can pretend to use https."
            ),
            id="kindling.E008",
        )


def _allowed_hosts() -> Iterator[CheckMessage]:
    host = urlsplit(settings.SITE_URL).hostname or ""
    if not validate_host(f"[{host}]" if ":" in host else host, settings.ALLOWED_HOSTS):
        yield Error(
            _("ALLOWED_HOSTS lacks %(host)s, the host of SITE_URL.") % {"host": host},
            hint=_("Every page would answer 400. Add it, or correct SITE_URL."),
            id="kindling.E009",
        )
    if "*" in settings.ALLOWED_HOSTS:
        yield Caution(
            _("ALLOWED_HOSTS allows every host."),
            hint=_("List the host names of the site; the host of SITE_URL is always allowed."),
            id="kindling.W010",
        )


def _site_url() -> Iterator[CheckMessage]:
    parts = urlsplit(settings.SITE_URL)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path or parts.query:
        yield Error(
            _("SITE_URL is %(url)s, which is not a valid URL.") % {"url": repr(settings.SITE_URL)},
            hint=_("Set scheme and host without a path: SITE_URL=https://crm.example.com"),
            id="kindling.E002",
        )


def _currency() -> Iterator[CheckMessage]:
    if settings.CURRENCY not in Locale("en").currencies:
        yield Error(
            _("CURRENCY is %(code)s, which is not an ISO 4217 code.")
            % {"code": repr(settings.CURRENCY)},
            hint=_("Set three capital letters: CURRENCY=EUR"),
            id="kindling.E003",
        )


def _default_from_email() -> Iterator[CheckMessage]:
    given = settings.DEFAULT_FROM_EMAIL
    address = parseaddr(given)[1]
    try:
        clean.email(address)
        is_address = given.strip() in {address, f"<{address}>"} or f"<{address}>" in given
    except ValueError:
        is_address = False
    if not is_address:
        yield Error(
            _("DEFAULT_FROM_EMAIL is %(given)s, which is not an e-mail address.")
            % {"given": repr(given)},
            hint=_("Set an address, with a name before it if you like: Shop <hello@example.com>"),
            id="kindling.E004",
        )


def _date_order() -> Iterator[CheckMessage]:
    if settings.DATE_ORDER not in ("", *clean.dates.ORDERS):
        yield Error(
            _("DATE_ORDER is %(given)s, which is not an order of dates.")
            % {"given": repr(settings.DATE_ORDER)},
            hint=_("Set one of %s.") % ", ".join(clean.dates.ORDERS),
            id="kindling.E005",
        )
