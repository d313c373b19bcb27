"""A campaign that bounces or is reported as spam too often pauses by itself, before it costs the sender's good name."""

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
    """Of messages of a run that providers took or refused because of their address."""

    messages: int
    bounced: int
    complained: int

    def too_high(self) -> tuple[str, str] | None:
        """The reason for a pause and the same in words; None where there is none, or too few messages to tell."""
        if self.messages < settings.PAUSE_RATES_FROM:
            return None
        if _above(self.complained, self.messages, settings.PAUSE_COMPLAINT_RATE):
            text = _("%(number)d of %(messages)d messages were reported as spam.")
            return PauseReason.COMPLAINTS, text % self._named(self.complained)
        if _above(self.bounced, self.messages, settings.PAUSE_BOUNCE_RATE):
            text = _("%(number)d of %(messages)d messages bounced for good.")
            return PauseReason.BOUNCES, text % self._named(self.bounced)
        return None

    def _named(self, number: int) -> dict[str, int]:
        return {"number": number, "messages": self.messages}


def rates(run: CampaignRun) -> Rates:
    """Count the run's messages, or those handed over since a person let it go on in spite of its rates.

    Soft bounces and blocks are no hard ones; a provider that refuses an address at once tells the same as a bounce.
    """
    since = Q(sending_at__gte=run.watched_from) if run.watched_from else Q()
    return Rates(
        **CampaignExecution.objects.filter(since, run=run).aggregate(
            messages=Count("pk", filter=Q(sent_at__isnull=False) | Q(error_kind=HARD)),
            bounced=Count("pk", filter=Q(error_kind=HARD)),
            complained=Count("pk", filter=Q(complained_at__isnull=False)),
        )
    )


def pause_where_bad() -> None:
    """Pause every sending run whose rates are too high, and say why on it. What is simulated costs no good name."""
    for run in CampaignRun.objects.filter(state=CampaignRun.State.SENDING, simulated=False):
        if found := rates(run).too_high():
            reason, detail = found
            batches.hold(run, reason=reason, detail=detail)


def _above(part: int, of: int, limit: float) -> bool:
    return bool(limit) and part > of * limit
