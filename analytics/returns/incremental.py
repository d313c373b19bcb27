"""Incremental revenue of a campaign: what its recipients spent beyond the holdout group."""

from __future__ import annotations

from dataclasses import dataclass

from analytics.experiments import HOLDOUT, Mean, difference, experiment
from marketing.models import Campaign


@dataclass(frozen=True, slots=True)
class IncrementalRevenue:
    """Number and mean revenue of recipients and holdout, and the difference per recipient with its 95 % interval."""

    recipients: int
    holdout: int
    per_recipient: float
    per_holdout: float
    per_recipient_more: float
    per_recipient_more_interval: tuple[float, float]

    @property
    def revenue(self) -> float:
        return self.per_recipient_more * self.recipients

    @property
    def revenue_interval(self) -> tuple[float, float]:
        low, high = self.per_recipient_more_interval
        return low * self.recipients, high * self.recipients


def incremental_revenue(campaign: Campaign) -> IncrementalRevenue | None:
    """Compare the recipients of a campaign with its holdout; None if either group is empty."""
    measures = {
        arm.name: arm.measure
        for arm in experiment(campaign, "revenue").report.arms
        if isinstance(arm.measure, Mean)
    }
    holdout = measures.pop(HOLDOUT, None)
    if holdout is None or not holdout.customers or not measures:
        return None
    recipients = _pooled(list(measures.values()))
    return IncrementalRevenue(
        recipients.customers,
        holdout.customers,
        recipients.value,
        holdout.value,
        recipients.value - holdout.value,
        difference(recipients, holdout),
    )


def _pooled(means: list[Mean]) -> Mean:
    """Pool several arms into one; its variance is that within the arms and between their means."""
    customers = sum(mean.customers for mean in means)
    value = sum(mean.customers * mean.value for mean in means) / customers
    squares = sum(
        (mean.customers - 1) * mean.variance + mean.customers * (mean.value - value) ** 2
        for mean in means
    )
    return Mean(
        customers, sum(mean.count for mean in means), value, squares / max(customers - 1, 1)
    )
