"""The environment variables of Kindling, typed; docs/settings.md explains them."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import available_timezones

import environ
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent

_env = environ.Env()
environ.Env.read_env(str(BASE_DIR / ".env"))

STATE_DIR = Path(_env.str("STATE_DIR", default=str(BASE_DIR / "var"))).resolve()
DEBUG: bool = _env.bool("DEBUG", default=False)
SECRET_KEY: str = _env.str("SECRET_KEY", default="")
SECRET_KEY_FALLBACKS: list[str] = _env.list("SECRET_KEY_FALLBACKS", default=[])
PORT: int = _env.int("PORT", default=8000)
SITE_URL: str = _env.str("SITE_URL", default=f"http://127.0.0.1:{PORT}").rstrip("/")
SITE_NAME: str = _env.str("SITE_NAME", default="Kindling")
CURRENCY: str = _env.str("CURRENCY", default="USD")
PHONE_COUNTRY: str = _env.str("PHONE_COUNTRY", default="").upper()
DATE_ORDER: str = _env.str("DATE_ORDER", default="")
TIME_ZONE: str = _env.str("TIME_ZONE", default="UTC")
ALLOWED_HOSTS: list[str] = _env.list("ALLOWED_HOSTS", default=[])
REQUIRE_SECOND_FACTOR: bool = _env.bool("REQUIRE_SECOND_FACTOR", default=False)
DEMO: bool = _env.bool("DEMO", default=False)
GOOGLE_CLIENT_ID: str = _env.str("GOOGLE_CLIENT_ID", default="")
GOOGLE_CLIENT_SECRET: str = _env.str("GOOGLE_CLIENT_SECRET", default="")
GOOGLE_DOMAINS: list[str] = _env.list("GOOGLE_DOMAINS", default=[])
SIGNUP_OPEN: bool = _env.bool("SIGNUP_OPEN", default=False)
DATABASE_URL: str = _env.str("DATABASE_URL", default="")
REDIS_URL: str = _env.str("REDIS_URL", default="")
DEFAULT_FROM_EMAIL: str = _env.str("DEFAULT_FROM_EMAIL", default="Kindling <hello@localhost>")
SENDING_LEASE_SECONDS: int = _env.int("SENDING_LEASE_SECONDS", default=30)
SENDING_MAX_ATTEMPTS: int = _env.int("SENDING_MAX_ATTEMPTS", default=8)
SENDING_FIRST_RETRY_SECONDS: float = _env.float("SENDING_FIRST_RETRY_SECONDS", default=60)
SENDING_FIRST_PROBE_SECONDS: float = _env.float("SENDING_FIRST_PROBE_SECONDS", default=30)
SENDING_SWEEP_SECONDS: float = _env.float("SENDING_SWEEP_SECONDS", default=5)
EMAIL_TIMEOUT_SECONDS: float = _env.float("EMAIL_TIMEOUT_SECONDS", default=20)
SENDING_WORKERS_PER_RUN: int = _env.int("SENDING_WORKERS_PER_RUN", default=2)
SENDING_BREAKER_FAILURES: int = _env.int("SENDING_BREAKER_FAILURES", default=10)
PAUSE_BOUNCE_RATE: float = _env.float("PAUSE_BOUNCE_RATE", default=0.05)
PAUSE_COMPLAINT_RATE: float = _env.float("PAUSE_COMPLAINT_RATE", default=0.003)
PAUSE_RATES_FROM: int = _env.int("PAUSE_RATES_FROM", default=500)
CAMPAIGN_APPROVAL: bool = _env.bool("CAMPAIGN_APPROVAL", default=False)
CAMPAIGN_APPROVAL_TOLERANCE: float = _env.float("CAMPAIGN_APPROVAL_TOLERANCE", default=10)
PREFLIGHT_REQUIRED: bool = _env.bool("PREFLIGHT_REQUIRED", default=False)
SEGMENT_REFRESH_MINUTES: int = _env.int("SEGMENT_REFRESH_MINUTES", default=10)
DOUBLE_OPT_IN: bool = _env.bool("DOUBLE_OPT_IN", default=False)
RETENTION_INTERACTIONS_DAYS: int = _env.int("RETENTION_INTERACTIONS_DAYS", default=0)
RETENTION_EVENTS_DAYS: int = _env.int("RETENTION_EVENTS_DAYS", default=30)
RETENTION_IMPORT_FILES_DAYS: int = _env.int("RETENTION_IMPORT_FILES_DAYS", default=90)
RETENTION_EXPORT_FILES_DAYS: int = _env.int("RETENTION_EXPORT_FILES_DAYS", default=7)
RETENTION_REJECTED_ROWS_DAYS: int = _env.int("RETENTION_REJECTED_ROWS_DAYS", default=30)
RETENTION_MESSAGE_IDS_DAYS: int = _env.int("RETENTION_MESSAGE_IDS_DAYS", default=30)
RETENTION_WAITING_DAYS: int = _env.int("RETENTION_WAITING_DAYS", default=90)
RETENTION_RECEIPTS_DAYS: int = _env.int("RETENTION_RECEIPTS_DAYS", default=90)
_links_days = _env.int("RETENTION_LINKS_DAYS", default=400)
RETENTION_LINKS_DAYS: int = _links_days and max(_links_days, 60)
RETENTION_OUTGOING_CALLS_DAYS: int = _env.int("RETENTION_OUTGOING_CALLS_DAYS", default=30)
_audit_days = _env.int("RETENTION_AUDIT_DAYS", default=730)
RETENTION_AUDIT_DAYS: int = _audit_days and max(_audit_days, 30)
RETENTION_WEBHOOK_DELIVERIES_DAYS: int = _env.int("RETENTION_WEBHOOK_DELIVERIES_DAYS", default=30)
EVENT_STREAM: str = _env.str("EVENT_STREAM", default="crm_events")
EVENT_CHANNEL: str = _env.str("EVENT_CHANNEL", default="crm_events")
EVENT_STREAM_LENGTH: int = _env.int("EVENT_STREAM_LENGTH", default=100_000)
WEBHOOK_TIMEOUT_SECONDS: float = _env.float("WEBHOOK_TIMEOUT_SECONDS", default=15)
WEBHOOK_SWITCH_OFF_HOURS: int = _env.int("WEBHOOK_SWITCH_OFF_HOURS", default=24)
IMPORT_MAX_FILE_MB: int = _env.int("IMPORT_MAX_FILE_MB", default=1_024)
IMPORT_MAX_UNPACKED_MB: int = _env.int("IMPORT_MAX_UNPACKED_MB", default=4_096)
IMPORT_MAX_ROWS: int = _env.int("IMPORT_MAX_ROWS", default=20_000_000)
IMPORT_MAX_COLUMNS: int = _env.int("IMPORT_MAX_COLUMNS", default=1_000)
IMPORT_MAX_ROW_MB: int = _env.int("IMPORT_MAX_ROW_MB", default=16)
IMPORT_MAX_MINUTES: int = _env.int("IMPORT_MAX_MINUTES", default=50)
IMPORT_MAX_MEMORY_MB: int = _env.int("IMPORT_MAX_MEMORY_MB", default=1_024)
IDEMPOTENCY_HOURS: int = _env.int("IDEMPOTENCY_HOURS", default=24)
API_READS_PER_MINUTE: int = _env.int("API_READS_PER_MINUTE", default=12_000)
API_WRITES_PER_MINUTE: int = _env.int("API_WRITES_PER_MINUTE", default=6_000)
API_INGESTS_PER_MINUTE: int = _env.int("API_INGESTS_PER_MINUTE", default=60_000)
API_SIGN_INS_PER_MINUTE: int = _env.int("API_SIGN_INS_PER_MINUTE", default=120)
CORS_ALLOWED_ORIGINS: list[str] = _env.list("CORS_ALLOWED_ORIGINS", default=[])
PROXIES: str = _env.str("PROXIES", default="0")
SENDER_SECRETS_PREFIX: str = _env.str("SENDER_SECRETS_PREFIX", default="SENDER_")
OUTBOUND_ALLOW_PRIVATE: bool = _env.bool("OUTBOUND_ALLOW_PRIVATE", default=False)
OUTBOUND_LOG_BODIES: bool = _env.bool("OUTBOUND_LOG_BODIES", default=False)
LLM_BASE_URL: str = _env.str("LLM_BASE_URL", default="")
LLM_API_KEY: str = _env.str("LLM_API_KEY", default="")
LLM_MODEL: str = _env.str("LLM_MODEL", default="")
LLM_TIMEOUT_SECONDS: float = _env.float("LLM_TIMEOUT_SECONDS", default=10)
MACHINE_NETWORKS: list[str] = _env.list("MACHINE_NETWORKS", default=[])
WEEKLY_REPORT_TO: list[str] = _env.list("WEEKLY_REPORT_TO", default=[])
GOAL_WINDOW_DAYS: int = _env.int("GOAL_WINDOW_DAYS", default=7)

HTTPS = urlsplit(SITE_URL).scheme == "https"


def hosts() -> list[str]:
    """Return ALLOWED_HOSTS and the host of SITE_URL; for a loopback address, all names of it."""
    host = urlsplit(SITE_URL).hostname or "127.0.0.1"
    site = f"[{host}]" if ":" in host else host
    here = ["127.0.0.1", "localhost", "[::1]"]
    return [*ALLOWED_HOSTS, *(here if site in here else [site])]


def proxies() -> int | list[IPv4Network | IPv6Network]:
    """Return PROXIES: a number, or networks. Raises ImproperlyConfigured."""
    given = [part.strip() for part in PROXIES.split(",") if part.strip()]
    if not given or (len(given) == 1 and given[0].isdecimal()):
        return int(given[0]) if given else 0
    try:
        networks = [ip_network(part) for part in given]
    except ValueError as error:
        raise ImproperlyConfigured(
            f"PROXIES is {PROXIES!r}, and {error}: use the number of your proxies, such as PROXIES=1, "
            "or their networks, such as PROXIES=10.0.0.0/8,fd00::/8"
        ) from None
    if any(getattr(each.network_address, "ipv4_mapped", None) for each in networks):
        raise ImproperlyConfigured(f"PROXIES is {PROXIES!r}: write IPv4 networks as 10.0.0.0/8")
    return networks


def database() -> dict[str, Any]:
    """Return DATABASE_URL as an entry of Django's DATABASES."""
    return dict(_env.db_url("DATABASE_URL", default="postgres://localhost/kindling"))


def email() -> dict[str, Any]:
    """Return EMAIL_URL as Django's EMAIL_* settings. Raises ImproperlyConfigured."""
    url = _env.str("EMAIL_URL", default="") or "smtp://127.0.0.1:1025"
    scheme = urlsplit(url).scheme
    if scheme not in _env.EMAIL_SCHEMES:
        raise ImproperlyConfigured(
            f"EMAIL_URL starts with {scheme!r}, which is no way to send mail: "
            "use EMAIL_URL=smtp+tls://user:password@mail.example.com:587"
        )
    return dict(_env.email_url_config(url))


def time_zone() -> str:
    """Return TIME_ZONE. Raises ImproperlyConfigured for an unknown zone."""
    if TIME_ZONE not in available_timezones():
        raise ImproperlyConfigured(
            f"TIME_ZONE is {TIME_ZONE!r}, which is not a time zone: "
            "use a name from the IANA list, such as TIME_ZONE=Europe/Berlin"
        )
    return TIME_ZONE


def sender_secrets_prefix() -> str:
    """Return SENDER_SECRETS_PREFIX. Raises ImproperlyConfigured if it admits a variable of Kindling, Django or a common tool."""
    own = {name for name in globals() if name.isupper()} - {"SENDER_SECRETS_PREFIX"}
    others = {"EMAIL_URL", "STATE_DIR", "DJANGO_SETTINGS_MODULE", "PATH", "HOME", "PGPASSWORD"}
    prefix = SENDER_SECRETS_PREFIX
    if not prefix.endswith("_") or any(name.startswith(prefix) for name in own | others):
        raise ImproperlyConfigured(
            f"SENDER_SECRETS_PREFIX is {prefix!r}, which senders cannot use: end it with _ and "
            "choose one that no other variable starts with, such as SENDER_SECRETS_PREFIX=SENDER_"
        )
    return prefix


def broker() -> str:
    """Return REDIS_URL in Celery's format: `unix:///path?db=1` is `redis+socket:///path?virtual_host=1`."""
    if not REDIS_URL.startswith("unix://"):
        return REDIS_URL or "redis://localhost:6379/0"
    return REDIS_URL.replace("unix://", "redis+socket://", 1).replace("?db=", "?virtual_host=", 1)
