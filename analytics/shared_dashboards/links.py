"""Signed links to shared dashboards, valid until they expire or are revoked."""

from __future__ import annotations

from collections.abc import Iterable

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.db.models import F
from django.urls import reverse
from django.utils import timezone

from analytics.models import SharedDashboard


def address(link: SharedDashboard) -> str:
    """Return the full URL of a link."""
    return settings.SITE_URL + reverse("shared-dashboard", args=[token(link)])


def token(link: SharedDashboard) -> str:
    """Return the id of the link with its signature."""
    return _signer().sign(str(link.pk))


def find(text: str) -> SharedDashboard | None:
    """Return the link of a token, open or not; None if the signature is invalid."""
    try:
        pk = _signer().unsign(text)
    except BadSignature:
        return None
    return SharedDashboard.objects.filter(pk=pk).first()


def revoke(links: Iterable[SharedDashboard]) -> int:
    """Revoke the open links, one by one for the audit trail; return their number."""
    opened = [link for link in links if link.is_open]
    for link in opened:
        link.revoked_at = timezone.now()
        link.save(update_fields=["revoked_at"])
    return len(opened)


def count_view(link: SharedDashboard) -> None:
    """Count a view of the dashboard."""
    SharedDashboard.objects.filter(pk=link.pk).update(
        opened=F("opened") + 1, last_opened_at=timezone.now()
    )


def _signer() -> Signer:
    return Signer(salt="analytics.shared_dashboards.links", sep=".")
