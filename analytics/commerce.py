"""What customers bought: periods, months, the best customers and categories. Amounts are taken to be in the site's currency."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from dateutil.relativedelta import relativedelta
from django.db.models import Count, Max, Q, QuerySet, Sum, Value
from django.db.models.functions import Coalesce, TruncDate, TruncMonth
from django.utils import timezone

from analytics.background_cache import keep
from customers.models import Customer, Order, OrderLine

ZERO = Decimal(0)
FRESH = timedelta(minutes=5)
USUAL_DAYS = 90
RECENT = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Sales:
    """Orders placed within some time. Refunds are orders with negative amounts: they lower the revenue and count as orders."""

    revenue: Decimal = ZERO
    orders: int = 0

    @property
    def average(self) -> Decimal | None:
        return self.revenue / self.orders if self.orders else None


@dataclass(frozen=True, slots=True)
class Period:
    """Some whole days up to and with `last`, and as many before them to compare with; `by_day` is the revenue of each, oldest first, and
    `orders_by_day` its orders."""

    last: date
    days: int
    now: Sales
    before: Sales
    by_day: list[Decimal] = field(default_factory=list)
    orders_by_day: list[int] = field(default_factory=list)

    @property
    def first(self) -> date:
        return self.last - timedelta(days=self.days - 1)

    @property
    def revenue_change(self) -> Decimal | None:
        """As a fraction of the time before; None where that brought nothing."""
        return _change(self.now.revenue, self.before.revenue)

    @property
    def orders_change(self) -> Decimal | None:
        return _change(self.now.orders, self.before.orders)


@dataclass(frozen=True, slots=True)
class Month:
    """A calendar month in the site's time zone, by its first day."""

    first_day: date
    revenue: Decimal = ZERO
    orders: int = 0
    new_customers: int = 0

    @property
    def is_empty(self) -> bool:
        return not (self.orders or self.new_customers)

    @property
    def average(self) -> Decimal | None:
        return self.revenue / self.orders if self.orders else None


@dataclass(frozen=True, slots=True)
class Category:
    """What was sold of one category of products ("" is products without one)."""

    name: str
    revenue: Decimal
    quantity: Decimal
    orders: int
    customers: int


def latest_order_day() -> date | None:
    """The local day of the newest order that is not in the future."""
    newest: datetime | None = Order.objects.filter(placed_at__lte=timezone.now()).aggregate(
        newest=Max("placed_at")
    )["newest"]
    return timezone.localdate(newest) if newest else None


def as_of() -> date:
    """The day up to which figures are shown: today, or that of the newest order when it is long gone."""
    today = timezone.localdate()
    newest = latest_order_day()
    return newest if newest and today - newest > RECENT else today


def period(last: date, days: int = 30) -> Period:
    """The sales of the `days` days that end with `last`, beside those of as many days before."""
    first = last - timedelta(days=2 * days - 1)
    rows = (
        _placed(first, last)
        .annotate(day=TruncDate("placed_at"))
        .values_list("day")
        .annotate(Sum("amount"), Count("pk"))
        .order_by()
    )
    by_day = {day: Sales(revenue, orders) for day, revenue, orders in rows}
    series = [by_day.get(first + timedelta(days=each), Sales()) for each in range(2 * days)]
    return Period(
        last,
        days,
        now=_sum(series[days:]),
        before=_sum(series[:days]),
        by_day=[each.revenue for each in series[days:]],
        orders_by_day=[each.orders for each in series[days:]],
    )


def months(last: date, number: int = 12) -> list[Month]:
    """The calendar months up to the one of `last`, oldest first, empty ones among them."""
    first = last.replace(day=1) - relativedelta(months=number - 1)
    end = last.replace(day=1) + relativedelta(months=1, days=-1)
    sales = {
        timezone.localdate(month): (revenue, orders)
        for month, revenue, orders in _placed(first, end)
        .annotate(month=TruncMonth("placed_at"))
        .values_list("month")
        .annotate(Sum("amount"), Count("pk"))
        .order_by()
    }
    new = _new_customers_by_month(first, end)
    starts = [first + relativedelta(months=each) for each in range(number)]
    return [Month(start, *sales.get(start, (ZERO, 0)), new.get(start, 0)) for start in starts]


def new_customers(last: date, days: int = 30) -> int:
    """How many customers registered in the `days` days that end with `last`."""
    return _registered(last - timedelta(days=days - 1), last).count()


def new_customers_by_day(first: date, last: date) -> dict[date, int]:
    """How many customers registered on each of these days; days without any are not there."""
    rows = (
        _registered(first, last)
        .annotate(day=TruncDate(Coalesce("registered_at", "created_at")))
        .values_list("day")
        .annotate(Count("pk"))
        .order_by()
    )
    return dict(rows)


def top_customers(limit: int = 10) -> QuerySet[Customer]:
    """Those who spent most, all time, those who spent nothing left out."""
    return Customer.objects.filter(total_spend__gt=0).order_by("-total_spend", "pk")[:limit]


@keep(FRESH)
def categories(first: date, last: date) -> list[Category]:
    """The categories sold in these days, best first; lines without a product of the catalogue are of no category.

    Every line of the days is read, a second or so for a million, so the answer is kept.
    """
    rows = (
        OrderLine.objects.filter(order__in=_placed(first, last))
        .order_by()
        .values_list(Coalesce("product__category", Value("")))
        .annotate(
            revenue=Sum("amount"),
            quantity=Sum("quantity"),
            orders=Count("order", distinct=True),
            customers=Count("order__customer", distinct=True),
        )
        .order_by("-revenue")
    )
    return [Category(*row) for row in rows]


def buyers(first: date, last: date) -> int:
    """How many different customers placed orders in these days."""
    return _placed(first, last).aggregate(number=Count("customer", distinct=True))["number"] or 0


def day_bounds(first: date, last: date) -> tuple[datetime, datetime]:
    """The moment at which the first of these local days begins, and that at which the last one is over."""
    return _midnight(first), _midnight(last + timedelta(days=1))


def _placed(first: date, last: date) -> QuerySet[Order]:
    start, end = day_bounds(first, last)
    return Order.objects.filter(placed_at__gte=start, placed_at__lt=end)


def _registered(first: date, last: date) -> QuerySet[Customer]:
    """Whoever came in these days: when a source says so, and else when they came to be known here."""
    start, end = day_bounds(first, last)
    return Customer.objects.filter(
        Q(registered_at__gte=start, registered_at__lt=end)
        | Q(registered_at__isnull=True, created_at__gte=start, created_at__lt=end)
    )


def _new_customers_by_month(first: date, last: date) -> dict[date, int]:
    rows = (
        _registered(first, last)
        .annotate(month=TruncMonth(Coalesce("registered_at", "created_at")))
        .values_list("month")
        .annotate(Count("pk"))
        .order_by()
    )
    return {timezone.localdate(month): number for month, number in rows}


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


def _change(now: Decimal | int, before: Decimal | int) -> Decimal | None:
    return (Decimal(now) - before) / before if before > 0 else None


def _sum(parts: list[Sales]) -> Sales:
    return Sales(sum((each.revenue for each in parts), ZERO), sum(each.orders for each in parts))
