"""What campaigns cost so far: what was entered, once or by the message or click, and what providers take for each message."""

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
    """`amount` is in all, or of each message or click."""

    kind: str
    amount: Decimal
    basis: str = Basis.FIXED


def by_kind(
    campaigns: Iterable[Campaign], totals: Mapping[int, Totals]
) -> dict[int, dict[str, Decimal]]:
    """Of each campaign by its id the costs by kind, in two queries; nothing of a campaign of which none is known.

    What a campaign or its sender says that a message costs counts for every message sent, unless costs by the message were entered.
    """
    known = {campaign.pk: campaign for campaign in campaigns}
    costs: dict[int, dict[str, Decimal]] = {pk: {} for pk in known}
    by_message: set[int] = set()
    for entered in CampaignCost.objects.filter(campaign__in=known).order_by("kind"):
        pk = entered.campaign_id
        units = _units(entered.basis, totals.get(pk, Totals()))
        costs[pk][entered.kind] = costs[pk].get(entered.kind, Decimal(0)) + entered.amount * units
        if entered.basis == Basis.MESSAGE:
            by_message.add(pk)
    for pk, each in _of_a_message(known.values()).items():
        if each and pk not in by_message:
            costs[pk][_("messages")] = each * totals.get(pk, Totals()).sent
    return {
        pk: {kind: amount.quantize(CENT) for kind, amount in of_campaign.items()}
        for pk, of_campaign in costs.items()
    }


@transaction.atomic
def enter(campaign: Campaign, costs: Iterable[Cost]) -> None:
    """Put these costs in the place of those that the campaign has."""
    CampaignCost.objects.filter(campaign=campaign).delete()
    CampaignCost.objects.bulk_create(
        CampaignCost(campaign=campaign, kind=cost.kind, amount=cost.amount, basis=cost.basis)
        for cost in costs
    )


def _units(basis: str, totals: Totals) -> int:
    return {Basis.FIXED: 1, Basis.MESSAGE: totals.sent, Basis.CLICK: totals.clicks}[Basis(basis)]


def _of_a_message(campaigns: Collection[Campaign]) -> dict[int, Decimal]:
    """By campaign id: what the campaign says, else its sender."""
    senders = Sender.objects.filter(pk__in={campaign.sender_id for campaign in campaigns})
    usual = dict(senders.values_list("pk", "cost_per_message"))
    return {
        campaign.pk: usual[campaign.sender_id]
        if campaign.cost_per_message is None
        else campaign.cost_per_message
        for campaign in campaigns
    }
