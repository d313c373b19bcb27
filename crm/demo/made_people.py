"""Make up customers and 18 months of what they do: the same for a seed and a day, without a database.

The rows are as a source writes them; customers.ingest cleans them. Addresses are of domains that no mail reaches (RFC 2606), phones of
ranges that authorities set aside for fiction (NANPA, Ofcom, PTS, Bundesnetzagentur, Arcep). Purchases follow BG/NBD: each buyer has a
rate, and leaves after some purchase; seasons and weekends change how many there are.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

SEED = 1807
DAYS = 548
"""The days with orders and visits, up to today."""
KNOWN_BEFORE = 0.3
"""Share of the customers who registered in the year before these days."""
BUYERS = 0.82
SEASON = (0.75, 0.8, 0.9, 0.95, 1.0, 1.0, 0.85, 0.85, 1.0, 1.1, 1.45, 1.5)
WEEKEND = 1.25
BUSIEST = max(SEASON) * WEEKEND
WAKING_HOURS = (7, 22)
OWN_INTEREST = 0.62
"""Share of the products of a customer's main interest."""
DISCOUNTED, DISCOUNT = 0.15, Decimal("0.10")
REFUNDED, WHOLLY = 0.045, 0.6
FOREIGN_COUNTRY, FOREIGN_CURRENCY = "GB", "GBP"
"""Every other customer of the country pays in its currency."""
TICKETS_PER_ORDER = 0.12
RATINGS = {"complaint": (2.9, 1.2), "inquiry": (4.3, 0.7), "feedback": (4.5, 0.6)}
TICKET_TYPES = {"complaint": 35, "inquiry": 45, "feedback": 20}
TIERS = (("gold", 900), ("silver", 350), ("bronze", 0))
INACTIVE_AFTER, CHURNED_AFTER = timedelta(days=150), timedelta(days=270)
TOPICS = ("offers", "new-arrivals", "recipes")
A_MOMENT = timedelta(minutes=5)
CENT = Decimal("0.01")

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Habits:
    """Probabilities of an open, of a click after it and of an order after that; the hour of reading; bots that open."""

    opens: float
    clicks: float
    buys: float
    hour: int
    opens_by_machine: bool


@dataclass(slots=True)
class Person:
    """A made-up customer, and what the other rows say of them."""

    id: str
    country: Mapping[str, Any]
    city: str
    region: str
    zone: ZoneInfo
    interest: str
    since: datetime
    habits: Habits
    spent: Decimal = Decimal(0)
    ordered: list[datetime] = field(default_factory=list)
    bought: Counter[str] = field(default_factory=Counter)
    viewed: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class Shop:
    """Rows by kind; `views` are product views, `topics` maps a topic to the ids of customers who opted in and out."""

    people: dict[str, Person] = field(default_factory=dict)
    customers: list[Row] = field(default_factory=list)
    orders: list[Row] = field(default_factory=list)
    visits: list[Row] = field(default_factory=list)
    views: list[Row] = field(default_factory=list)
    tickets: list[Row] = field(default_factory=list)
    interests: list[Row] = field(default_factory=list)
    topics: dict[str, tuple[list[str], list[str]]] = field(default_factory=dict)
    browsers: list[Row] = field(default_factory=list)


class ShopMaker:
    """Makes the customers of a shop one by one, up to `now`, out of the lists of fixtures/made_people.json and the products.

    `foreign_rates` holds what one unit of the site's currency costs in FOREIGN_CURRENCY, by day; without it there is one currency.
    """

    def __init__(
        self,
        now: datetime,
        lists: Mapping[str, Any],
        products: Sequence[Mapping[str, str]],
        foreign_rates: Mapping[date, Decimal],
    ) -> None:
        self.shop = Shop(topics={topic: ([], []) for topic in TOPICS})
        self.chance = Random(SEED)  # noqa: S311
        self._now = now
        self._begin = now - timedelta(days=DAYS)
        self._lists = lists
        self._products = products
        self._foreign_rates = foreign_rates

    def make(self, number: int) -> Shop:
        """Make the shop with this many customers."""
        for place in range(1, number + 1):
            person = self._person(f"M-{place:04}")
            self.shop.people[person.id] = person
            self._buy(person)
            self._visit(person)
            self._interests(person)
            self._customer(person, place)
            self._consents(person)
        return self.shop

    def order(self, person: Person, order_id: str, at: datetime) -> list[Row]:
        """Return the lines of an order, which is remembered of the customer."""
        chance = self.chance
        rate = self._rate(person, at)
        store = chance.choice(self._lists["stores"][person.country["country"]])
        discount = DISCOUNT if chance.random() < DISCOUNTED else Decimal(0)
        common = {"order_id": order_id, "customer_id": person.id, "placed_at": at.isoformat()}
        common |= {"store": store} | ({"currency": FOREIGN_CURRENCY} if rate != 1 else {})
        lines = []
        for _line in range(_weighted(chance, {1: 52, 2: 32, 3: 16})):
            product = self._product(person)
            quantity = _weighted(chance, {1: 78, 2: 16, 3: 6})
            full = (Decimal(product["price"]) * quantity * rate).quantize(CENT, ROUND_HALF_UP)
            less = (full * discount).quantize(CENT, ROUND_HALF_UP)
            lines.append(
                common
                | {"sku": product["sku"], "quantity": str(quantity)}
                | {"amount": str(full - less), "discount": str(less)}
            )
            person.bought[product["category"]] += 1
            person.spent += (full - less) / rate
        person.ordered.append(at)
        return lines

    def _person(self, id: str) -> Person:
        chance = self.chance
        countries = {each["country"]: each for each in self._lists["countries"]}
        country = countries[
            _weighted(chance, {code: of["weight"] for code, of in countries.items()})
        ]
        city, region, zone = chance.choice(country["places"])
        since = (
            self._begin - timedelta(days=chance.uniform(1, 365))
            if chance.random() < KNOWN_BEFORE
            # the shop grows: more register lately than at first
            else self._begin + timedelta(days=(DAYS - 1) * chance.random() ** 0.8)
        )
        habits = Habits(
            opens=chance.betavariate(2.2, 3),
            clicks=chance.betavariate(1.6, 5),
            buys=chance.betavariate(2, 5),
            hour=_weighted(chance, {7: 18, 8: 14, 12: 16, 18: 14, 20: 22, 21: 16}),
            opens_by_machine=chance.random() < 0.3,
        )
        interest = chance.choice(list(self._lists["clubs"]))
        zone = ZoneInfo(zone)
        return Person(id, country, city, region, zone, interest, self._waking(since, zone), habits)

    def _buy(self, person: Person) -> None:
        """Place orders with exponential gaps until the customer leaves, thinned by season and weekday."""
        chance = self.chance
        if chance.random() >= BUYERS:
            return
        a_day = chance.gammavariate(1.3, 1 / 46)
        leaves = chance.betavariate(1.1, 6.5)
        first = max(person.since, self._begin)
        at = first + timedelta(days=chance.expovariate(1 / (60 if first > person.since else 9)))
        while at < self._now:
            weekend = WEEKEND if at.weekday() >= 5 else 1
            if chance.random() < SEASON[at.month - 1] * weekend / BUSIEST:
                placed = max(self._waking(at, person.zone), person.since + A_MOMENT)
                self._place(person, placed)
                if chance.random() < leaves:
                    return
            at += timedelta(days=0.5 + chance.expovariate(a_day * BUSIEST))

    def _place(self, person: Person, at: datetime) -> None:
        lines = self.order(person, f"{person.id}-{len(person.ordered) + 1}", at)
        self.shop.orders += lines
        self._refund(person, lines, at)
        if self.chance.random() < TICKETS_PER_ORDER:
            self._ticket(person, lines[0], at)

    def _refund(self, person: Person, lines: list[Row], at: datetime) -> None:
        chance = self.chance
        refunded_at = at + timedelta(days=chance.uniform(3, 21))
        if chance.random() >= REFUNDED or refunded_at > self._now:
            return
        taken = lines if chance.random() < WHOLLY else lines[:1]
        amount = sum(Decimal(line["amount"]) for line in taken)
        person.spent -= amount / self._rate(person, at) if "currency" in lines[0] else amount
        self.shop.orders.append(
            {
                name: lines[0][name]
                for name in ("customer_id", "store", "currency")
                if name in lines[0]
            }
            | {"order_id": f"{lines[0]['order_id']}-R", "type": "refund"}
            | {"refund_of": lines[0]["order_id"], "placed_at": refunded_at.isoformat()}
            | {"order_amount": str(-amount)}
        )

    def _ticket(self, person: Person, line: Row, ordered_at: datetime) -> None:
        chance = self.chance
        at = self._waking(ordered_at + timedelta(days=chance.uniform(1, 14)), person.zone)
        if at > self._now:
            return
        kind = _weighted(chance, TICKET_TYPES)
        subject, resolution = chance.choice(self._lists["tickets"][kind])
        resolved_at = at + timedelta(hours=chance.lognormvariate(2.3, 1))
        ticket = {
            "external_id": f"T-{line['order_id']}",
            "customer_id": person.id,
            "type": kind,
            "occurred_at": at.isoformat(),
            "channel": _weighted(chance, {"email": 55, "chat": 30, "phone": 15}),
            "subject": subject,
            "sku": line["sku"],
        }
        if resolved_at < self._now and chance.random() < 0.93:
            ticket |= {"resolution": resolution, "resolved_at": resolved_at.isoformat()}
            if chance.random() < 0.75:
                ticket["satisfaction"] = str(min(5, max(1, round(chance.gauss(*RATINGS[kind])))))
        self.shop.tickets.append(ticket)

    def _visit(self, person: Person) -> None:
        """Visit before most orders, and at other times."""
        chance = self.chance
        times = [at - timedelta(minutes=chance.uniform(3, 40)) for at in person.ordered]
        first = max(person.since, self._begin)
        months = (self._now - first) / timedelta(days=30)
        for _visit in range(round(chance.gammavariate(1.1, 0.7) * months * 0.6)):
            day = first + (self._now - first) * chance.random()
            times.append(self._waking(day, person.zone))
        for number, at in enumerate(sorted(at for at in times if at < self._now), 1):
            self._visit_at(person, f"V-{person.id}-{number}", at)

    def _visit_at(self, person: Person, id: str, at: datetime) -> None:
        chance = self.chance
        product = self._product(person)
        pages = 1 + min(int(chance.expovariate(1 / 3.2)), 24)
        self.shop.visits.append(
            {
                "external_id": id,
                "customer_id": person.id,
                "occurred_at": at.isoformat(),
                "url": f"/{product['category'].lower()}/{product['sku'].lower()}",
                "title": product["name"],
                "referrer": _weighted(chance, self._lists["visit_sources"]),
                "device": _weighted(chance, self._lists["devices"]),
                "pages": str(pages),
                "seconds": str(round(pages * chance.lognormvariate(3.6, 0.6))),
            }
        )
        if pages > 1 and chance.random() < 0.5:
            person.viewed[product["category"]] += 1
            self.shop.views.append(
                {
                    "customer_id": person.id,
                    "occurred_at": at + timedelta(seconds=20),
                    "properties": {
                        name: product[name] for name in ("sku", "name", "category", "price")
                    },
                }
            )

    def _interests(self, person: Person) -> None:
        def add(category: str, source: str, score: float) -> None:
            self.shop.interests.append(
                {"customer_id": person.id, "category": category, "source": source}
                | {"score": f"{score:.2f}"}
            )

        if self.chance.random() < 0.35:
            add(person.interest, "stated", 1)
        for source, counts in (("purchased", person.bought), ("browsed", person.viewed)):
            for category, number in counts.most_common(2):
                add(category, source, number / counts.total())

    def _customer(self, person: Person, place: int) -> None:
        chance, country = self.chance, person.country
        first, last = chance.choice(country["first"]), chance.choice(country["last"])
        domain = self._lists["mail_domains"][place % len(self._lists["mail_domains"])]
        wants = chance.random() < 0.86
        tags = [self._lists["clubs"][person.interest]]
        tags += [tag for tag in (_weighted(chance, self._lists["occupations"]),) if tag]
        tags += ["newsletter"] if wants else []
        row = {
            "external_id": person.id,
            "first_name": first,
            "last_name": last,
            "email": f"{_ascii(first)}.{_ascii(last)}{place}@{domain}",
            "date_of_birth": str(date(1948, 1, 1) + timedelta(days=chance.randrange(58 * 365))),
            "city": person.city,
            "region": person.region,
            "country": country["country"],
            "language": country["language"],
            "timezone": person.zone.key,
            "source": _weighted(chance, self._lists["sources"]),
            "lifecycle_status": self._lifecycle(person),
            "tags": tags,
            "subscribed": wants,
            "registered_at": person.since.isoformat(),
            "attributes": {"loyalty_tier": _tier(person.spent), "household": chance.randint(1, 5)},
        }
        if chance.random() < 0.45:
            row["phone"] = country["phone"].format(chance.randint(*country["phones"]))
            row["sms_subscribed"] = chance.random() < 0.6
        self.shop.customers.append(row)

    def _consents(self, person: Person) -> None:
        chance = self.chance
        for opted_in, opted_out in self.shop.topics.values():
            if (draw := chance.random()) < 0.4:
                opted_in.append(person.id)
            elif draw > 0.94:
                opted_out.append(person.id)
        if chance.random() < 0.1:
            self.shop.browsers.append(
                {
                    "customer_id": person.id,
                    "endpoint": f"https://push.example.com/send/{chance.randbytes(18).hex()}",
                    "key": chance.getrandbits(255) + 1,
                    "auth": chance.randbytes(16),
                    "user_agent": chance.choice(self._lists["browsers"]),
                }
            )

    def _lifecycle(self, person: Person) -> str:
        if not person.ordered:
            return "lead"
        silent = self._now - person.ordered[-1]
        if silent > CHURNED_AFTER:
            return "churned"
        return "inactive" if silent > INACTIVE_AFTER else "active"

    def _product(self, person: Person) -> Mapping[str, str]:
        own = self.chance.random() < OWN_INTEREST
        among = [each for each in self._products if not own or each["category"] == person.interest]
        # what is cheap is bought more often
        weights = [1 / (20 + float(each["price"])) for each in among]
        return self.chance.choices(among, weights)[0]

    def _rate(self, person: Person, at: datetime) -> Decimal:
        """Return what one unit of the site's currency costs in the currency of an order of that time."""
        is_foreign = person.country["country"] == FOREIGN_COUNTRY and int(person.id[2:]) % 2
        return self._foreign_rates.get(at.date(), Decimal(1)) if is_foreign else Decimal(1)

    def _waking(self, at: datetime, zone: ZoneInfo) -> datetime:
        """Move a time to an hour at which people are awake, on the same local day, and not past `now`."""
        hour = min(max(round(self.chance.gauss(16, 4)), WAKING_HOURS[0]), WAKING_HOURS[1])
        local = at.astimezone(zone).replace(
            hour=hour, minute=self.chance.randrange(60), second=self.chance.randrange(60)
        )
        return min(local, self._now.astimezone(zone) - A_MOMENT)


def _weighted(chance: Random, weights: Mapping[Any, float]) -> Any:
    return chance.choices(list(weights), list(weights.values()))[0]


def _tier(spent: Decimal) -> str:
    return next(name for name, least in TIERS if spent >= least)


def _ascii(name: str) -> str:
    folded = unicodedata.normalize("NFKD", name.replace(" ", "")).encode("ascii", "ignore")
    return folded.decode().lower()
