"""A small shop to look at: people, what they bought, segments, and campaigns in every state.

The files in fixtures/ say what there is, in days before today; everything goes in through the product's own functions, so that it is
as coherent as what people would enter. What lies in the past is sent and answered with the times that it would have had.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import transaction
from django.utils import timezone

from analytics import metrics
from analytics.people import rebuild_profiles
from analytics.returns import Cost, replace_costs
from crm.accounts.devices import TOTPDevice
from crm.accounts.models import User
from crm.demo import made_records, made_shop, made_workflows
from crm.demo.past_sends import Calendar, approve_if_needed, date_back, send
from crm.events import reader
from crm.roles import Role
from customers.ingest import (
    clean_customer,
    clean_lines,
    clean_product,
    staging,
    upsert_customers,
    upsert_products,
)
from customers.models import Customer, Order, Segment
from customers.segments import refresh
from customers.timeline import NewInteraction, record_interactions, types
from marketing import campaigns
from marketing.messages import batches
from marketing.models import Campaign, CampaignRun, CampaignTemplate, Sender
from marketing.sending import sender_accounts
from marketing.tracking import MessageEvent, count_orders, record, simulate_engagement

FIXTURES: Path = settings.BASE_DIR / "fixtures"
EVIDENCE = "sample data"
ACCOUNTS = [
    ("admin@marketing.com", "admin123", "Alex Admin", True),
    ("demo@demo.com", "demo123", "Dana Demo", False),
]
DEMO_ROLES = [Role.MARKETER, Role.APPROVER, Role.STEWARD]


def is_there() -> bool:
    """Return whether the sample data was loaded before."""
    return Customer.objects.filter(
        external_id__in=[row["external_id"] for row in _json("customers")]
    ).exists()


def has_other_data() -> bool:
    """Return whether the database is in use, so that it needs no sample data."""
    return Customer.objects.exists() or Campaign.objects.exists()


def load(now: datetime | None = None, *, made_up: int = 0) -> None:
    """Fill an empty database with the eight customers of the fixtures and `made_up` others, all of it or nothing."""
    calendar = Calendar(now or timezone.now())
    with transaction.atomic():
        make_accounts()
        _load_people(calendar)
        _load_orders(calendar)
        segments = _load_segments(calendar)
        _load_campaigns(calendar, segments)
        if made_up:
            made_shop.load(calendar, list(_csv("products")), made_up)
        count_orders(Order.objects.order_by("placed_at").values_list("pk", flat=True))
    if made_up:
        made_workflows.load(calendar)
        made_records.load(User.objects.filter(is_superuser=True).earliest("pk"))
    simulate_engagement(calendar.now)
    reader.catch_up(metrics.SUBSCRIBER)
    rebuild_profiles()
    if made_up:
        made_shop.refresh_segments(calendar.now)


def make_accounts() -> None:
    """Create the two demo accounts with public passwords, unless they exist."""
    for email, password, name, is_superuser in ACCOUNTS:
        if User.objects.filter(email__iexact=email).exists():
            continue
        user = User.objects.create_user(
            email, password, name=name, is_staff=True, is_superuser=is_superuser
        )
        if not is_superuser:
            user.groups.set(Group.objects.filter(name__in=DEMO_ROLES))
            TOTPDevice.objects.create(user=user, name="demo")


def _load_people(calendar: Calendar) -> None:
    upsert_products([clean_product(row) for row in _csv("products")])
    people = _json("customers")
    for person in people:
        days_ago = person.pop("registered_days_ago")
        person["registered_at"] = calendar.at(-days_ago, "09:00").isoformat()
    upsert_customers([clean_customer(person) for person in people], evidence=EVIDENCE)
    ids = _customer_ids()
    record_interactions(
        [
            NewInteraction(
                customer_id=ids[row["customer_id"]],
                type=row["type"],
                occurred_at=calendar.of(row),
                properties={row["property"]: row["value"]},
            )
            for row in _csv("interactions")
        ]
    )


def _load_orders(calendar: Calendar) -> None:
    lines = []
    for number, row in enumerate(_csv("orders"), start=2):
        placed_at = calendar.of(row).isoformat()
        given = {name: value for name, value in row.items() if name not in {"days_ago", "time"}}
        lines += clean_lines(number, {**given, "placed_at": placed_at})
    with staging() as orders:
        orders.add(lines)
        orders.assemble(create_missing=False, evidence=EVIDENCE)
        orders.write()


def _load_segments(calendar: Calendar) -> dict[str, Segment]:
    segments = {row["slug"]: Segment.objects.create(**row) for row in _json("segments")}
    for segment in segments.values():
        refresh(segment, now=calendar.now)
    return segments


def _load_campaigns(calendar: Calendar, segments: dict[str, Segment]) -> None:
    senders = _make_senders()
    templates = {
        row["name"]: CampaignTemplate.objects.create(
            name=row["name"],
            subject=row["subject"],
            body=(FIXTURES / row["body"]).read_text(encoding="utf-8"),
        )
        for row in _json("templates")
    }
    for row in _json("campaigns"):
        campaign = campaigns.create(
            Campaign(
                name=row["name"],
                description=row["description"],
                template=templates[row["template"]],
                sender=senders[row["sender"]],
                rules=row.get("rules"),
                budget=row.get("budget"),
                tags=row["tags"],
                timezone=settings.TIME_ZONE,
            ),
            by=None,
        )
        campaign.segments.set(segments[slug] for slug in row["segments"])
        campaign.exclude_segments.set(segments[slug] for slug in row.get("exclude_segments", []))
        replace_costs(
            campaign, [Cost(kind, Decimal(each)) for kind, each in row.get("costs", {}).items()]
        )
        _bring_to_state(campaign, row, calendar)


def _make_senders() -> dict[str, Sender]:
    default = sender_accounts.default_sender()
    default.name = "Kindling mail"
    default.save()
    simulator = Sender.objects.create(
        name="Simulator",
        provider="simulator",
        from_name="Northlight",
        from_address="hello@northlight.example",
    )
    return {sender.name: sender for sender in (default, simulator)}


def _bring_to_state(campaign: Campaign, row: dict[str, Any], calendar: Calendar) -> None:
    if {"scheduled", "sent"} & row.keys():
        approve_if_needed(campaign)
    if "scheduled" in row:
        when = row["scheduled"]
        at = calendar.at(when["in_days"], when["time"])
        campaigns.schedule_launch(campaign, at=at, by=None)
    if "sent" not in row:
        return
    sent = row["sent"]
    at = calendar.of(sent)
    refused = row.get("refused", {})
    run = send(
        campaign,
        at,
        every=timedelta(seconds=1),
        only=sent.get("only"),
        refusal=lambda customer: refused.get(customer, ""),
    )
    _record_responses(run, at, row.get("happened", {}))
    if row["state"] == "paused":
        campaigns.pause(campaign)
    elif row["state"] == "cancelled":
        campaigns.cancel(campaign)
    else:
        batches.finish(run)
    date_back(run, at)


def _record_responses(run: CampaignRun, at: datetime, happened: dict[str, list[Any]]) -> None:
    """Record responses: for each customer a list of [event, minutes after the start, number of the link]."""
    links = dict(run.version.links.values_list("position", "url"))
    executions = dict(run.executions.values_list("customer__external_id", "pk"))
    events = [
        MessageEvent(
            executions[customer],
            act,
            at + timedelta(minutes=minutes),
            link=links[position[0]] if act == types.MESSAGE_CLICKED else "",
        )
        for customer, acts in happened.items()
        for act, minutes, *position in acts
    ]
    record(sorted(events, key=lambda event: event.at))


def _customer_ids() -> dict[str | None, int]:
    return dict(Customer.objects.values_list("external_id", "pk"))


def _json(name: str) -> list[dict[str, Any]]:
    return list(json.loads((FIXTURES / f"{name}.json").read_text(encoding="utf-8")))


def _csv(name: str) -> Iterator[dict[str, str]]:
    with (FIXTURES / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)
