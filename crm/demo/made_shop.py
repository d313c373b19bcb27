"""Load made-up customers, their orders and visits, segments, and the campaigns sent to them.

Everything goes in through the product's batch functions. fixtures/made_shop.json names segments, senders, templates and campaigns, with
the days before today on which they were sent; how customers respond follows from their habits (crm.demo.made_people).
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings
from django.utils import timezone

from analytics.models import SharedDashboard
from analytics.returns import Cost, replace_costs
from crm.demo.made_people import DAYS, FOREIGN_CURRENCY, Row, Shop, ShopMaker
from crm.demo.past_sends import Calendar, approve_if_needed, date_back, send
from customers import consent, identity, push
from customers.ingest import (
    clean_customer,
    clean_interest,
    clean_lines,
    clean_rate,
    clean_service,
    clean_visit,
    record_interests,
    record_service,
    record_visits,
    staging,
    upsert_customers,
    write_rates,
)
from customers.models import Customer, PushSubscription, Segment, Topic
from customers.models.consent import Channel
from customers.segments import refresh
from customers.timeline import NewInteraction, record_interactions, types
from marketing import campaigns, past_campaigns
from marketing.messages import batches
from marketing.models import (
    Campaign,
    CampaignExecution,
    CampaignRun,
    CampaignTemplate,
    FrequencyRule,
    QuietHours,
    Sender,
    Snippet,
)
from marketing.past_campaigns import clean_response, record_campaigns, record_responses
from marketing.tracking import MessageEvent, record

FIXTURES: Path = settings.BASE_DIR / "fixtures"
CUSTOMERS = 1_200
"""So many customers that every predictive model has enough data."""
EVIDENCE = "sign-up form"
PUSH_KEY = "sample data"
"""The application key of the browsers: a sender's own key differs, so that nothing is ever sent to them."""
PRODUCT_VIEWED = "Product Viewed"
BETWEEN_MESSAGES = timedelta(milliseconds=120)
REFUSED = 0.007
NO_SUCH_ADDRESS = "550 5.1.1 The e-mail account that you tried to reach does not exist."
UNSUBSCRIBES, COMPLAINS = 0.006, 0.0006
AT_THE_HOUR = 0.6
"""Share of opens at the customer's hour of reading."""
FOREIGN_RATE = 0.78
ROWS = 1_000


def load(calendar: Calendar, products: Sequence[Mapping[str, str]], number: int) -> None:
    """Load this many customers and all that belongs to them; profiles and campaign metrics are computed afterwards."""
    lists = _json("made_people")
    plan = _json("made_shop")
    rates = _exchange_rates(calendar)
    maker = ShopMaker(calendar.now, lists, products, rates)
    shop = maker.make(number)
    Topic.objects.bulk_create(Topic(**row) for row in plan["topics"])
    _load_rows(shop)
    segments = _load_segments(plan["segments"], calendar)
    _load_past_campaigns(plan["past_campaigns"], shop, maker.chance, calendar)
    sends = _Sends(maker, calendar)
    templates = _make_templates(plan["templates"])
    senders = _make_senders(plan["senders"])
    for row in sorted(plan["campaigns"], key=lambda row: -max(row["days_ago"])):
        sends.campaign(row, segments, templates, senders)
    _write_orders(sends.orders)
    _load_double_records(shop)
    _load_settings(calendar)


def refresh_segments(now: datetime) -> None:
    """Refresh every segment once more: some compare profiles, which are computed last."""
    for segment in Segment.objects.filter(kind=Segment.Kind.DYNAMIC):
        refresh(segment, now=now)


def _exchange_rates(calendar: Calendar) -> dict[date, Decimal]:
    """Write a rate for each day of the orders; returns what one unit of the site's currency costs in FOREIGN_CURRENCY."""
    if settings.CURRENCY == FOREIGN_CURRENCY:
        return {}
    today = timezone.localdate(calendar.now)
    days = [today - timedelta(days=back) for back in range(DAYS + 2)]
    rates = {
        day: Decimal(f"{FOREIGN_RATE + 0.02 * math.sin(day.toordinal() / 40):.4f}") for day in days
    }
    given = {"base": settings.CURRENCY, "currency": FOREIGN_CURRENCY}
    own = {"base": settings.CURRENCY, "currency": settings.CURRENCY, "rate": "1"}
    write_rates(
        [
            clean_rate({"day": str(day), **row})
            for day, rate in rates.items()
            for row in (given | {"rate": str(rate)}, own)
        ]
    )
    return rates


def _load_rows(shop: Shop) -> None:
    upsert_customers([clean_customer(row) for row in shop.customers], evidence=EVIDENCE)
    ids = _ids()
    _write_orders(shop.orders)
    for clean, write, rows in (
        (clean_visit, record_visits, shop.visits),
        (clean_service, record_service, shop.tickets),
        (clean_interest, record_interests, shop.interests),
    ):
        for chunk in _chunks(rows):
            write([clean(row) for row in chunk])
    record_interactions(
        [
            NewInteraction(
                ids[row["customer_id"]], PRODUCT_VIEWED, row["occurred_at"], row["properties"]
            )
            for row in shop.views
        ]
    )
    for topic, (opted_in, opted_out) in shop.topics.items():
        for decide, names in ((consent.opt_in_many, opted_in), (consent.opt_out_many, opted_out)):
            decide([ids[name] for name in names], Channel.EMAIL, EVIDENCE, topic=topic)
    _subscribe(shop.browsers, ids)


def _write_orders(rows: Sequence[Row]) -> None:
    with staging() as orders:
        for at, chunk in enumerate(_chunks(rows)):
            numbered = enumerate(chunk, start=at * ROWS + 2)
            orders.add([line for number, row in numbered for line in clean_lines(number, row)])
        orders.assemble(create_missing=False, evidence=EVIDENCE)
        orders.write()


def _subscribe(browsers: Sequence[Row], ids: Mapping[str, int]) -> None:
    PushSubscription.objects.bulk_create(
        PushSubscription(
            customer_id=ids[row["customer_id"]],
            endpoint=row["endpoint"],
            p256dh=_base64(_public_key(row["key"])),
            auth=_base64(row["auth"]),
            application_key=PUSH_KEY,
            user_agent=row["user_agent"],
        )
        for row in browsers
    )
    push.keep_addresses(ids[row["customer_id"]] for row in browsers)


def _load_segments(rows: Sequence[Row], calendar: Calendar) -> dict[str, Segment]:
    for row in rows:
        Segment.objects.create(**row)
    refresh_segments(calendar.now)
    return {segment.slug: segment for segment in Segment.objects.all()}


def _load_past_campaigns(
    rows: Sequence[Row], shop: Shop, chance: Random, calendar: Calendar
) -> None:
    """Import the campaigns of earlier tools, with their messages and responses."""
    for row in rows:
        at = calendar.at(-row["days_ago"], "10:00")
        row |= {"start_date": at, "end_date": at + timedelta(days=3)}
        row["tags"] = [row["tags"]]
        row["budget"] = Decimal(row["budget"])
    record_campaigns(
        [{k: v for k, v in row.items() if k in past_campaigns.CAMPAIGN} for row in rows]
    )
    responses = [
        clean_response({"campaign_id": row["campaign_id"], **response})
        for row in rows
        for response in _past_responses(row, shop, chance)
    ]
    for chunk in _chunks(responses):
        record_responses(chunk)


def _past_responses(row: Row, shop: Shop, chance: Random) -> Iterator[Row]:
    at = row["start_date"]
    for person in shop.people.values():
        if person.since > at or chance.random() > row["share"]:
            continue
        given = {"customer_id": person.id}
        yield given | {"type": "sent", "occurred_at": at.isoformat()}
        opened = at + timedelta(minutes=chance.lognormvariate(5, 1.2))
        if chance.random() < person.habits.opens * row["appeal"]:
            yield given | {"type": "open", "occurred_at": opened.isoformat()}
            clicked = opened + timedelta(minutes=chance.uniform(0.2, 4))
            if chance.random() < person.habits.clicks:
                yield given | {"type": "click", "occurred_at": clicked.isoformat()}


def _load_double_records(shop: Shop) -> None:
    """Register two customers a second time: one pair is merged, and the other one waits in the list of likely duplicates."""
    rows = shop.customers[:2]
    names = ("external_id", "first_name", "last_name", "email", "country", "registered_at")
    upsert_customers(
        [
            clean_customer(
                {name: row[name] for name in names}
                | {
                    "external_id": f"{row['external_id']}-2",
                    "email": row["email"].replace("@", "+2@"),
                }
            )
            for row in rows
        ],
        evidence=EVIDENCE,
    )
    ids = _ids()
    merged = rows[0]["external_id"]
    identity.merge(ids[merged], ids[f"{merged}-2"])
    identity.find_duplicates()


def _load_settings(calendar: Calendar) -> None:
    """Add what a site sets once: a cap, quiet hours of text messages, a snippet and a shared dashboard."""
    FrequencyRule.objects.create(name="Ten messages a week", messages=10, days=7)
    QuietHours.objects.create(
        name="No texts at night", channel=Channel.SMS, starts_at=time(21), ends_at=time(8)
    )
    Snippet.objects.create(
        name="address",
        description="The sender's address, which commercial e-mail has to name.",
        body="Northlight, 12 Harbour Street, Northlight",
    )
    SharedDashboard.objects.create(
        name="Customers of the last 90 days",
        dashboard="customers",
        query="days=90",
        expires_at=calendar.now + timedelta(days=30),
    )


def _make_templates(rows: Sequence[Row]) -> dict[str, CampaignTemplate]:
    for row in rows:
        if file := row.pop("file", None):
            row["body"] = (FIXTURES / file).read_text(encoding="utf-8")
        CampaignTemplate.objects.create(**row)
    return {template.name: template for template in CampaignTemplate.objects.all()}


def _make_senders(rows: Sequence[Row]) -> dict[str, Sender]:
    for row in rows:
        Sender.objects.create(provider="simulator", from_name="Northlight", **row)
    return {sender.name: sender for sender in Sender.objects.all()}


class _Sends:
    """Campaigns sent in the past, with the responses of their recipients; `orders` are those placed after a click."""

    def __init__(self, maker: ShopMaker, calendar: Calendar) -> None:
        self.orders: list[Row] = []
        self._maker = maker
        self._people = maker.shop.people
        self._chance = maker.chance
        self._calendar = calendar
        self._numbers = count(1)

    def campaign(
        self,
        row: Row,
        segments: Mapping[str, Segment],
        templates: Mapping[str, CampaignTemplate],
        senders: Mapping[str, Sender],
    ) -> None:
        """Create a campaign and send it on each of its days."""
        recurs = bool(row.get("frequency"))
        sender = senders[row["sender"]]
        campaign = campaigns.create(
            Campaign(
                name=row["name"],
                description=row["description"],
                type=Campaign.Type.RECURRING if recurs else Campaign.Type.ONE_TIME,
                frequency=row.get("frequency", ""),
                channel=sender.channel,
                template=templates[row["template"]],
                sender=sender,
                topic=Topic.objects.filter(slug=row.get("topic")).first(),
                holdout_percent=row.get("holdout_percent", 0),
                budget=row.get("budget"),
                tags=row["tags"],
                timezone=settings.TIME_ZONE,
            ),
            by=None,
        )
        campaign.segments.set(segments[slug] for slug in row["segments"])
        variants = row.get("variants", [])
        campaigns.set_variants(
            campaign,
            [
                {"name": name, "template": templates[template]}
                for name, template, _appeal in variants
            ],
        )
        costs = [Cost(kind, Decimal(each)) for kind, each in row.get("costs", {}).items()]
        replace_costs(campaign, costs)
        approve_if_needed(campaign)
        if recurs:
            first = self._calendar.at(-max(row["days_ago"]), row["time"])
            campaigns.schedule_launch(campaign, at=first, by=None)
        appeal = {name: each for name, _template, each in variants} | {"": row.get("appeal", 1)}
        for days in row["days_ago"]:
            self._send(campaign, self._calendar.at(-days, row["time"]), appeal)

    def _send(self, campaign: Campaign, at: datetime, appeal: Mapping[str, float]) -> None:
        refused = NO_SUCH_ADDRESS if not campaign.sender.simulated else ""
        run = send(
            campaign,
            at,
            every=BETWEEN_MESSAGES,
            refusal=lambda customer: refused if self._chance.random() < REFUSED else "",
        )
        if not run.simulated:
            record(sorted(self._responses(run, appeal), key=lambda event: event.at))
        batches.finish(run)
        date_back(run, at)
        campaign.refresh_from_db()

    def _responses(self, run: CampaignRun, appeal: Mapping[str, float]) -> Iterator[MessageEvent]:
        links = list(run.version.links.values_list("url", flat=True))
        sent = run.executions.filter(state=CampaignExecution.State.SENT).order_by("pk")
        rows = sent.values_list("pk", "customer__external_id", "variant", "sent_at")
        for pk, customer, variant, sent_at in rows:
            if customer in self._people and sent_at:
                likes = appeal[variant]
                yield from self._response(pk, customer, sent_at, likes, links)

    def _response(
        self, pk: int, customer: str, sent_at: datetime, likes: float, links: Sequence[str]
    ) -> Iterator[MessageEvent]:
        chance, habits = self._chance, self._people[customer].habits
        now = self._calendar.now
        if habits.opens_by_machine:
            yield MessageEvent(
                pk,
                types.MESSAGE_OPENED_BY_MACHINE,
                sent_at + timedelta(seconds=chance.uniform(2, 90)),
            )
        if chance.random() >= habits.opens * likes:
            return
        opened_at = self._opened_at(customer, sent_at)
        clicked_at = opened_at + timedelta(seconds=chance.uniform(5, 200))
        if clicked_at > now:
            return
        yield MessageEvent(pk, types.MESSAGE_OPENED, opened_at)
        if (draw := chance.random()) < UNSUBSCRIBES + COMPLAINS:
            leaves = types.MESSAGE_COMPLAINED if draw < COMPLAINS else types.UNSUBSCRIBED
            yield MessageEvent(pk, leaves, clicked_at)
        elif chance.random() < habits.clicks * likes:
            yield MessageEvent(pk, types.MESSAGE_CLICKED, clicked_at, link=chance.choice(links))
            self._order_after(customer, clicked_at, habits.buys * likes)

    def _opened_at(self, customer: str, sent_at: datetime) -> datetime:
        """Return a time some hours after the message, or the next one at the customer's hour of reading."""
        chance, person = self._chance, self._people[customer]
        if chance.random() >= AT_THE_HOUR:
            return sent_at + timedelta(minutes=chance.lognormvariate(4.6, 1.2))
        local = sent_at.astimezone(person.zone)
        hour = local.replace(hour=person.habits.hour, minute=chance.randrange(60))
        return hour if hour > local else hour + timedelta(days=1)

    def _order_after(self, customer: str, clicked_at: datetime, probability: float) -> None:
        at = clicked_at + timedelta(minutes=self._chance.lognormvariate(4, 1.5))
        if at < self._calendar.now and self._chance.random() < probability:
            number = next(self._numbers)
            self.orders += self._maker.order(self._people[customer], f"{customer}-C{number}", at)


def _ids() -> dict[str, int]:
    return {name: pk for name, pk in Customer.objects.values_list("external_id", "pk") if name}


def _public_key(number: int) -> bytes:
    """Return the point of a browser's public key, from a private one."""
    key = ec.derive_private_key(number, ec.SECP256R1()).public_key()
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _chunks(rows: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (rows[at : at + ROWS] for at in range(0, len(rows), ROWS))


def _json(name: str) -> Any:
    return json.loads((FIXTURES / f"{name}.json").read_text(encoding="utf-8"))
