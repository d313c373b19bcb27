"""Hold a batch that bounces or is reported as spam too often, before it costs the sender's reputation."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.db.models import Count, Q
from django.utils.translation import gettext as _

from marketing.messages import batches
from marketing.models import CampaignExecution, CampaignRun

PauseReason = CampaignRun.PauseReason
State = CampaignExecution.State
HARD = CampaignExecution.ErrorKind.HARD_BOUNCE


@dataclass(frozen=True, slots=True)
class Rates:
    """Counts of a batch's messages that providers took, or refused because of their address."""

    messages: int
    bounced: int
    complained: int

    def too_high(self) -> tuple[str, str] | None:
        """Return the reason to hold the batch, as a code and in words; None where there is none, or too few messages."""
        if self.messages < settings.PAUSE_RATES_FROM:
            return None
        if _above(self.complained, self.messages, settings.PAUSE_COMPLAINT_RATE):
            text = _("%(number)d of %(messages)d messages were reported as spam.")
            return PauseReason.COMPLAINTS, text % self._numbers(self.complained)
        if _above(self.bounced, self.messages, settings.PAUSE_BOUNCE_RATE):
            text = _("%(number)d of %(messages)d messages bounced permanently.")
            return PauseReason.BOUNCES, text % self._numbers(self.bounced)
        return None

    def _numbers(self, number: int) -> dict[str, int]:
        return {"number": number, "messages": self.messages}


def rates(batch: CampaignRun) -> Rates:
    """Count the batch's messages, or those since a user resumed it in spite of its rates.

    Soft bounces and blocks do not count; an address that the provider refuses counts as bounced.
    """
    since = Q(sending_at__gte=batch.watched_from) if batch.watched_from else Q()
    return Rates(
        **CampaignExecution.objects.filter(since, run=batch).aggregate(
            messages=Count("pk", filter=Q(sent_at__isnull=False) | Q(error_kind=HARD)),
            bounced=Count("pk", filter=Q(error_kind=HARD)),
            complained=Count("pk", filter=Q(complained_at__isnull=False)),
        )
    )


def hold_batches() -> None:
    """Hold every sending batch with rates that are too high. Simulated ones cost no reputation."""
    for batch in CampaignRun.objects.filter(state=CampaignRun.State.SENDING, simulated=False):
        if found := rates(batch).too_high():
            reason, detail = found
            batches.hold(batch, reason=reason, detail=detail)


def _above(part: int, of: int, limit: float) -> bool:
    return bool(limit) and part > of * limit
