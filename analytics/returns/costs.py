"""Costs of campaigns: entered once, per message or per click, and what providers charge per message."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext as _

from analytics.metrics import Totals
from analytics.models import CampaignCost
from marketing.models import Campaign, Sender

Basis = CampaignCost.Basis
CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Cost:
    """A cost by kind; `amount` is the sum, or the price of one message or click, as `basis` says."""

    kind: str
    amount: Decimal
    basis: str = Basis.FIXED


def costs_by_campaign(
    campaigns: Iterable[Campaign], totals: Mapping[int, Totals]
) -> dict[int, dict[str, Decimal]]:
    """Return the costs of each campaign by kind, in two queries; without a known cost, an empty dict.

    The price per message of the campaign or its sender applies unless a cost per message was entered.
    """
    by_id = {campaign.pk: campaign for campaign in campaigns}
    costs: dict[int, dict[str, Decimal]] = {pk: {} for pk in by_id}
    priced_by_message: set[int] = set()
    for entered in CampaignCost.objects.filter(campaign__in=by_id).order_by("kind"):
        pk = entered.campaign_id
        units = _units(entered.basis, totals.get(pk, Totals()))
        costs[pk][entered.kind] = costs[pk].get(entered.kind, Decimal(0)) + entered.amount * units
        if entered.basis == Basis.MESSAGE:
            priced_by_message.add(pk)
    for pk, price in _prices_per_message(by_id.values()).items():
        if price and pk not in priced_by_message:
            costs[pk][_("messages")] = price * totals.get(pk, Totals()).sent
    return {
        pk: {kind: amount.quantize(CENT) for kind, amount in by_kind.items()}
        for pk, by_kind in costs.items()
    }


@transaction.atomic
def replace_costs(campaign: Campaign, costs: Iterable[Cost]) -> None:
    """Replace the entered costs of a campaign."""
    CampaignCost.objects.filter(campaign=campaign).delete()
    CampaignCost.objects.bulk_create(
        CampaignCost(campaign=campaign, kind=cost.kind, amount=cost.amount, basis=cost.basis)
        for cost in costs
    )


def _units(basis: str, totals: Totals) -> int:
    return {Basis.FIXED: 1, Basis.MESSAGE: totals.sent, Basis.CLICK: totals.clicks}[Basis(basis)]


def _prices_per_message(campaigns: Collection[Campaign]) -> dict[int, Decimal]:
    """Return the price per message by campaign id: the campaign's own, else its sender's."""
    senders = Sender.objects.filter(pk__in={campaign.sender_id for campaign in campaigns})
    of_senders = dict(senders.values_list("pk", "cost_per_message"))
    return {
        campaign.pk: of_senders[campaign.sender_id]
        if campaign.cost_per_message is None
        else campaign.cost_per_message
        for campaign in campaigns
    }
