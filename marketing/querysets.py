"""Querysets of messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models

if TYPE_CHECKING:
    from marketing.models import CampaignExecution, CampaignRun  # noqa: F401


class ExecutionQuerySet(models.QuerySet["CampaignExecution"]):
    def for_run(self, run: CampaignRun) -> ExecutionQuerySet:
        return self.filter(run=run)

    def waiting(self) -> ExecutionQuerySet:
        """Return messages that are still to be sent."""
        return self.filter(state__in=["pending", "retry"])

    def under_way(self) -> ExecutionQuerySet:
        """Return messages without a final outcome."""
        return self.filter(state__in=["pending", "retry", "sending"])

    def count_by_state(self) -> dict[str, int]:
        rows = self.order_by().values_list("state").annotate(number=models.Count("*"))
        return dict(rows)

    def count_by_error_kind(self) -> dict[str, int]:
        """Count the messages that were not delivered by kind of error."""
        erred = self.filter(state__in=["retry", "failed", "bounced", "unconfirmed"])
        rows = erred.filter(error_kind__gt="").order_by().values_list("error_kind")
        return dict(rows.annotate(number=models.Count("*")))

    def count_by_skip_reason(self) -> dict[str, int]:
        rows = self.filter(state="skipped").order_by().values_list("skip_reason")
        return dict(rows.annotate(number=models.Count("*")))
