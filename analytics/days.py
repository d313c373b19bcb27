"""The local days that figures cover, and the moments at which they begin and end."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

from django.db.models import Max
from django.utils import timezone

from customers.models import Order

USUAL_DAYS = 90
EARLIEST, LATEST = date(1900, 1, 1), date(2200, 12, 31)
"""The first and last day of figures."""
RECENT = timedelta(days=30)


def as_of() -> date:
    """Return the last day with figures: today, or the newest order's if that is over a month old."""
    today = timezone.localdate()
    newest = newest_order_day()
    return newest if newest and today - newest > RECENT else today


def newest_order_day() -> date | None:
    """Return the local day of the newest order that is not in the future."""
    newest: datetime | None = (
        Order.objects.purchases()
        .filter(placed_at__lte=timezone.now())
        .aggregate(newest=Max("placed_at"))["newest"]
    )
    return timezone.localdate(newest) if newest else None


def day_bounds(first: date, last: date) -> tuple[datetime, datetime]:
    """Return the moment at which `first` begins and the moment at which `last` ends."""
    return midnight(first), midnight(last + timedelta(days=1))


def midnight(day: date) -> datetime:
    """Return the moment at which a day begins in the site's time zone."""
    return timezone.make_aware(datetime.combine(day, time.min))


def each_day(first: date, last: date) -> Iterator[date]:
    """Yield every day from `first` to `last`, both included."""
    return (first + timedelta(days=number) for number in range((last - first).days + 1))
