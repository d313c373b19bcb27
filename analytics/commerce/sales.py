"""Orders and registrations by day, month and category."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from dateutil.relativedelta import relativedelta
from django.db.models import Count, F, Q, QuerySet, Sum, Value
from django.db.models.functions import Coalesce, NullIf, TruncDate, TruncMonth
from django.utils import timezone

from analytics.background_cache import cached
from analytics.days import day_bounds
from customers.models import Customer, Order, OrderLine
from customers.querysets import OrderQuerySet

ZERO = Decimal(0)
REVENUE = Coalesce(Sum("net"), ZERO)
ORDERS = Count("pk", filter=Q(kind=Order.Kind.ORDER))
_IS_PURCHASE = Q(order__kind=Order.Kind.ORDER)


@dataclass(frozen=True, slots=True)
class Sales:
    """Revenue net of refunds, in the site's currency, and number of orders; a refund lowers the revenue of the day of its order."""

    revenue: Decimal = ZERO
    orders: int = 0

    @property
    def average(self) -> Decimal | None:
        return self.revenue / self.orders if self.orders else None


@dataclass(frozen=True, slots=True)
class Period:
    """Sales of `days` whole days up to and with `last`, and of as many days before; daily figures are oldest first."""

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
        """Return the change as a fraction of the revenue before; None if there was none."""
        return _change(self.now.revenue, self.before.revenue)

    @property
    def orders_change(self) -> Decimal | None:
        return _change(self.now.orders, self.before.orders)


@dataclass(frozen=True, slots=True)
class Month:
    """Sales and new customers of a calendar month in the site's time zone."""

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
    """Sales of one product category; "" stands for products without a category."""

    name: str
    revenue: Decimal
    quantity: Decimal
    orders: int
    customers: int


def period(last: date, days: int = 30) -> Period:
    """Return the sales of the `days` days that end with `last`, and of as many days before."""
    first = last - timedelta(days=2 * days - 1)
    rows = (
        _orders(first, last)
        .annotate(day=TruncDate("placed_at"))
        .values_list("day")
        .annotate(revenue=REVENUE, orders=ORDERS)
        .order_by()
    )
    by_day = {day: Sales(revenue, orders) for day, revenue, orders in rows}
    series = [by_day.get(first + timedelta(days=number), Sales()) for number in range(2 * days)]
    return Period(
        last,
        days,
        now=_sum(series[days:]),
        before=_sum(series[:days]),
        by_day=[each.revenue for each in series[days:]],
        orders_by_day=[each.orders for each in series[days:]],
    )


def months(last: date, number: int = 12) -> list[Month]:
    """Return the `number` calendar months up to that of `last`, oldest first, empty months included."""
    first = last.replace(day=1) - relativedelta(months=number - 1)
    end = last.replace(day=1) + relativedelta(months=1, days=-1)
    sales = _by_month(_orders(first, end), "placed_at", revenue=REVENUE, orders=ORDERS)
    new = _by_month(
        _registered(first, end), Coalesce("registered_at", "created_at"), new=Count("pk")
    )
    starts = [first + relativedelta(months=each) for each in range(number)]
    return [Month(start, *sales.get(start, (ZERO, 0)), *new.get(start, (0,))) for start in starts]


def new_customers_by_day(first: date, last: date) -> dict[date, int]:
    """Count the customers who registered on each of these days; days without any are missing."""
    rows = (
        _registered(first, last)
        .annotate(day=TruncDate(Coalesce("registered_at", "created_at")))
        .values_list("day")
        .annotate(Count("pk"))
        .order_by()
    )
    return dict(rows)


def customers_until(last: date) -> int:
    """Count the customers who registered by the end of a day."""
    _start, end = day_bounds(last, last)
    return (
        Customer.objects.present()
        .filter(Q(registered_at__lt=end) | Q(registered_at__isnull=True, created_at__lt=end))
        .count()
    )


def top_customers(limit: int = 10) -> QuerySet[Customer]:
    """Return the customers with the highest total spend above zero."""
    return (
        Customer.objects.present().filter(total_spend__gt=0).order_by("-total_spend", "pk")[:limit]
    )


def categories(first: date, last: date) -> list[Category]:
    """Return the categories sold on these days, highest revenue first.

    Every order line of the days is read: about a second for a million of them.
    """
    rows = (
        OrderLine.objects.filter(order__in=_orders(first, last).money())
        .order_by()
        .values_list(Coalesce("product__category", Value("")))
        .annotate(
            revenue=Coalesce(Sum((F("amount") - F("refunded")) * F("order__rate")), ZERO),
            quantity=Sum(
                Coalesce(
                    F("quantity") * (1 - F("refunded") / NullIf(F("amount"), ZERO)), F("quantity")
                )
            ),
            orders=Count("order", distinct=True, filter=_IS_PURCHASE),
            customers=Count("order__customer", distinct=True, filter=_IS_PURCHASE),
        )
        .order_by("-revenue")
    )
    return [Category(*row) for row in rows]


cached_categories = cached(timedelta(minutes=5))(categories)


def buyers(first: date, last: date) -> int:
    """Count the distinct customers who placed orders on these days."""
    return (
        _orders(first, last)
        .purchases()
        .aggregate(number=Count("customer", distinct=True))["number"]
        or 0
    )


def _orders(first: date, last: date) -> OrderQuerySet:
    """Return orders and refunds of these days."""
    start, end = day_bounds(first, last)
    return Order.objects.filter(placed_at__gte=start, placed_at__lt=end)


def _registered(first: date, last: date) -> QuerySet[Customer]:
    """Return customers registered on these days; without a registration date, their creation counts."""
    start, end = day_bounds(first, last)
    return Customer.objects.present().filter(
        Q(registered_at__gte=start, registered_at__lt=end)
        | Q(registered_at__isnull=True, created_at__gte=start, created_at__lt=end)
    )


def _by_month(rows: QuerySet[Any], moment: Any, **figures: Any) -> dict[date, tuple[Any, ...]]:
    months = (
        rows.annotate(month=TruncMonth(moment)).values_list("month").annotate(**figures).order_by()
    )
    moments: list[tuple[datetime, Any]] = [(month, values) for month, *values in months]
    return {timezone.localdate(month): tuple(values) for month, values in moments}


def _change(now: Decimal | int, before: Decimal | int) -> Decimal | None:
    return (Decimal(now) - before) / before if before > 0 else None


def _sum(parts: list[Sales]) -> Sales:
    return Sales(sum((each.revenue for each in parts), ZERO), sum(each.orders for each in parts))
