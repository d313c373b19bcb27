"""Campaigns that another system sent: imported as completed ones with one finished run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.api import ids
from customers.ingest import Outcome, Refused, Result
from customers.models.consent import Channel
from marketing.content import freeze
from marketing.models import Campaign, CampaignRun, CampaignTemplate, Sender

_LOCK = "SELECT pg_advisory_xact_lock(hashtext('marketing.past_campaigns'))"

Row = dict[str, Any]


def check_campaign(row: Row) -> Row:
    """Return the row. Raises Refused for missing or invalid fields."""
    if not row.get("campaign_id"):
        raise Refused(_("is missing."), "campaign_id")
    if row.get("budget", Decimal(0)) < 0:
        raise Refused(_("is negative."), "budget")
    return row


def record_campaigns(rows: Sequence[Row]) -> list[Result]:
    """Save cleaned rows one by one, matched by external ID."""
    with transaction.atomic():
        lock()
        return [_record(row) for row in rows]


def lock() -> None:
    """Lock imports of campaigns and results until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(_LOCK)


def find(names: Iterable[str]) -> dict[str, Campaign]:
    """Return the campaigns with these external IDs, public IDs or unambiguous names."""
    wanted = set(names)
    pks = {ids.decode("cmp", name): name for name in wanted}
    campaigns = Campaign.objects.filter(
        Q(external_id__in=wanted) | Q(pk__in=[pk for pk in pks if pk]) | Q(name__in=wanted)
    ).order_by("pk")
    found: dict[str, Campaign] = {}
    ambiguous: set[str] = set()
    for campaign in campaigns:
        if campaign.name in found:
            ambiguous.add(campaign.name)
        found.setdefault(campaign.name, campaign)
    found = {name: campaign for name, campaign in found.items() if name not in ambiguous}
    for campaign in campaigns:
        found |= {name: campaign for name in (campaign.external_id, pks.get(campaign.pk)) if name}
    return {name: campaign for name, campaign in found.items() if name in wanted}


def run_of(campaign: Campaign, at: datetime) -> CampaignRun:
    """Return the run that results belong to: the newest, or a new finished one."""
    newest = campaign.runs.order_by("-number").first()
    if newest:
        return newest
    return CampaignRun.objects.create(
        campaign=campaign,
        number=1,
        state=CampaignRun.State.FINISHED,
        version=freeze(campaign.template),
        sender=campaign.sender,
        started_at=campaign.launched_at or at,
        finished_at=campaign.completed_at or at,
    )


def _record(row: Row) -> Result:
    campaign = Campaign.objects.filter(external_id=row["campaign_id"]).first()
    if campaign and not campaign.historical:
        return Result(Outcome.FAILED, reason=_("A campaign that was not imported has this ID."))
    values = _values(row)
    if campaign is None:
        return Result(Outcome.CREATED, _create(row, values).pk)
    changed = [name for name, value in values.items() if getattr(campaign, name) != value]
    if not changed:
        return Result(Outcome.UNCHANGED, campaign.pk)
    for name in changed:
        setattr(campaign, name, values[name])
    campaign.save(update_fields=[*changed, "updated_at"])
    return Result(Outcome.UPDATED, campaign.pk)


def _values(row: Row) -> Row:
    columns = {
        "name": "name",
        "description": "description",
        "channel": "channel",
        "start_date": "launched_at",
        "end_date": "completed_at",
        "budget": "budget",
        "tags": "tags",
    }
    return {column: row[name] for name, column in columns.items() if name in row}


def _create(row: Row, values: Row) -> Campaign:
    channel = values.get("channel", str(Channel.EMAIL))
    started = values.get("launched_at") or timezone.now()
    campaign = Campaign.objects.create(
        **{"name": _("Campaign %s") % row["campaign_id"], "completed_at": started}
        | values
        | {"channel": channel, "launched_at": started},
        external_id=row["campaign_id"],
        historical=True,
        state=Campaign.State.COMPLETED,
        sender=_sender(channel),
        template=_template(channel),
    )
    run_of(campaign, started)
    return campaign


def _sender(channel: str) -> Sender:
    sender, _made = Sender.objects.get_or_create(
        name=f"Past campaigns: {channel}",
        defaults={"channel": _stand_in(channel), "from_address": ""},
    )
    return sender


def _stand_in(channel: str) -> str:
    """Return the channel of a sender and template that send nothing: a medium such as TV has neither."""
    return channel if channel in Channel.values else str(Channel.SOCIAL)


def _template(channel: str) -> CampaignTemplate:
    template, _made = CampaignTemplate.objects.get_or_create(
        name=f"Past campaigns: {channel}",
        defaults={
            "channel": _stand_in(channel),
            "subject": _("Sent by another system"),
            "body": _("The content is not known here."),
        },
    )
    return template
