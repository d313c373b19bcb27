"""Links that show a dashboard to whoever has them: signed, for some time, until somebody revokes them."""

from __future__ import annotations

from collections.abc import Iterable

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.db.models import F
from django.urls import reverse
from django.utils import timezone

from analytics.models import SharedDashboard


def address(link: SharedDashboard) -> str:
    """The whole address, with the host."""
    return settings.SITE_URL + reverse("shared-dashboard", args=[token(link)])


def token(link: SharedDashboard) -> str:
    """The number of the link and its signature: only we can have made it."""
    return _signer().sign(str(link.pk))


def find(text: str) -> SharedDashboard | None:
    """The link of a token that we made, be it open or not; None of any other text."""
    try:
        pk = _signer().unsign(text)
    except BadSignature:
        return None
    return SharedDashboard.objects.filter(pk=pk).first()


def revoke(links: Iterable[SharedDashboard]) -> int:
    """Shut the links that are open; returns how many were. One by one, so that the audit trail has each."""
    opened = [link for link in links if link.is_open]
    for link in opened:
        link.revoked_at = timezone.now()
        link.save(update_fields=["revoked_at"])
    return len(opened)


def note_opened(link: SharedDashboard) -> None:
    SharedDashboard.objects.filter(pk=link.pk).update(
        opened=F("opened") + 1, last_opened_at=timezone.now()
    )


def _signer() -> Signer:
    return Signer(salt="analytics.shared_dashboards.links", sep=".")
