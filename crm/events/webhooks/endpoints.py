"""Create endpoints, rotate their secrets, and switch off those that no longer answer."""

from __future__ import annotations

import hmac
from datetime import datetime, timedelta

from django.conf import settings
from django.core.mail import send_mail
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm import credentials
from crm.events.models import WebhookEndpoint
from crm.events.webhooks import signature

MOVED = gettext_lazy(
    "Enter the secret of the webhook, because its address changes. If you do not have it, rotate it first."
)
BOTH_SIGN = timedelta(hours=24)
"""Time after a rotation in which the old secret signs beside the new one."""
HOLD_FROM = 3
LONGEST_HOLD = 300


def create(endpoint: WebhookEndpoint) -> str:
    """Save a new endpoint with a secret and return the secret, which is not shown again."""
    secret = signature.new_secret()
    endpoint.secret = credentials.seal(secret)
    endpoint.save()
    return secret


def rotate(endpoint: WebhookEndpoint) -> str:
    """Set a new secret and return it; the old one also signs for BOTH_SIGN."""
    secret = signature.new_secret()
    endpoint.previous_secret = endpoint.secret
    endpoint.previous_until = timezone.now() + BOTH_SIGN
    endpoint.secret = credentials.seal(secret)
    endpoint.save(update_fields=["secret", "previous_secret", "previous_until"])
    return secret


def is_secret(endpoint: WebhookEndpoint, given: str) -> bool:
    """Return whether a text is the present secret of an endpoint, which a new address requires."""
    try:
        secret = credentials.read(endpoint.secret)
    except credentials.Unreadable:
        return False
    return hmac.compare_digest(secret.encode(), given.strip().encode())


def signing_keys(endpoint: WebhookEndpoint, now: datetime) -> list[str]:
    """Return the secrets that sign now, newest first. Raises credentials.Unreadable."""
    keys = [credentials.read(endpoint.secret)]
    if endpoint.previous_until and endpoint.previous_until > now:
        keys.append(credentials.read(endpoint.previous_secret))
    return keys


def signed(endpoint: WebhookEndpoint, id: str, body: str, now: datetime) -> dict[str, str]:
    """Return the headers that sign a body for an endpoint. Raises credentials.Unreadable."""
    return signature.headers(id, int(now.timestamp()), body, signing_keys(endpoint, now))


def switch_on(endpoint: WebhookEndpoint) -> None:
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(
        is_active=True, failures=0, failing_since=None, held_until=None, switched_off_why=""
    )


def note_success(endpoint: WebhookEndpoint) -> None:
    WebhookEndpoint.objects.filter(pk=endpoint.pk, failures__gt=0).update(
        failures=0, failing_since=None, held_until=None
    )


def note_failure(endpoint: WebhookEndpoint, *, gone: bool) -> None:
    """Pause an endpoint after a few failures; switch it off after 410 Gone or too long a time of failures."""
    now = timezone.now()
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(failures=F("failures") + 1)
    WebhookEndpoint.objects.filter(pk=endpoint.pk, failing_since=None).update(failing_since=now)
    endpoint.refresh_from_db(fields=["failures", "failing_since"])
    if endpoint.failures >= HOLD_FROM:
        pause = timedelta(seconds=min(2 ** min(endpoint.failures, 10), LONGEST_HOLD))
        WebhookEndpoint.objects.filter(pk=endpoint.pk).update(held_until=now + pause)
    limit = timedelta(hours=settings.WEBHOOK_SWITCH_OFF_HOURS)
    if gone:
        _switch_off(endpoint, _("It answered 410 Gone."))
    elif endpoint.failing_since and now - endpoint.failing_since >= limit:
        _switch_off(
            endpoint, _("No delivery succeeded since %s.") % f"{endpoint.failing_since:%F %R}"
        )


def _switch_off(endpoint: WebhookEndpoint, why: str) -> None:
    won = WebhookEndpoint.objects.filter(pk=endpoint.pk, is_active=True).update(
        is_active=False, switched_off_why=why
    )
    if won and endpoint.notify:
        send_mail(
            _("The webhook “%s” was switched off") % endpoint.name,
            _("%(why)s\n\nIts deliveries wait until you switch it on: %(site)s")
            % {"why": why, "site": f"{settings.SITE_URL}/admin/events/webhookendpoint/"},
            settings.DEFAULT_FROM_EMAIL,
            [endpoint.notify],
            fail_silently=True,
        )
