"""The date range of a dashboard, chosen by a link or by two dates, and part of the address."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any
from urllib.parse import urlencode

from dateutil.relativedelta import relativedelta
from django.http import HttpRequest
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from analytics.days import EARLIEST, LATEST, USUAL_DAYS, as_of

QUICK_RANGES: tuple[tuple[int, Promise], ...] = (
    (30, _("30 days")),
    (90, _("90 days")),
    (365, _("12 months")),
)
LONGEST = timedelta(days=366 * 10)


class Compare(StrEnum):
    """The days that figures are compared with."""

    BEFORE = "before"
    YEAR = "year"
    NONE = "none"


COMPARISONS: dict[Compare, Promise] = {
    Compare.BEFORE: _("previous period"),
    Compare.YEAR: _("previous year"),
    Compare.NONE: _("no comparison"),
}


@dataclass(frozen=True, slots=True)
class DateRange:
    """From `first` to `last`, both included; `newest` is the last day with figures, `filters` the other parameters of the address.

    `refused` are two given days that are no range, for which the usual days stand in.
    """

    first: date
    last: date
    newest: date
    filters: list[tuple[str, str]]
    refused: tuple[date, date] | None = None

    @classmethod
    def of(cls, request: HttpRequest, *filters: str, usual_days: int = USUAL_DAYS) -> DateRange:
        """Read `days`, or `since` and `until`; the named filters stay in links."""
        newest = as_of()
        given = request.GET
        last = _day(given.get("until")) or newest
        text = given.get("days", "")
        days = int(text) if text.isascii() and text.isdigit() and len(text) < 5 else usual_days
        first = _day(given.get("since")) or last - timedelta(days=max(days, 1) - 1)
        kept = [(name, value) for name in filters for value in given.getlist(name)]
        if first <= last and last - first <= LONGEST:
            return cls(first, last, newest, kept)
        usual = newest - timedelta(days=usual_days - 1)
        return cls(usual, newest, newest, kept, refused=(first, last))

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def before(self) -> tuple[date, date]:
        """Return the first and last day of the previous period, of the same length."""
        return self.first - timedelta(days=self.days), self.first - timedelta(days=1)

    def compared(self, compare: Compare) -> tuple[date, date] | None:
        """Return the first and last day to compare with; None for no comparison."""
        if compare is Compare.NONE:
            return None
        if compare is Compare.BEFORE:
            return self.before
        return self.first - relativedelta(years=1), self.last - relativedelta(years=1)

    @property
    def error(self) -> str:
        """Return what is wrong with the given days; "" if nothing is."""
        if self.refused is None:
            return ""
        first, last = (date_format(day, "j M Y") for day in self.refused)
        if self.refused[0] > self.refused[1]:
            text = _("%(first)s is after %(last)s: choose a first day that is not after the last.")
        else:
            text = _("From %(first)s to %(last)s is longer than ten years: choose fewer days.")
        return str(text) % {"first": first, "last": last}

    @property
    def name(self) -> str:
        return f"{date_format(self.first, 'j M Y')} – {date_format(self.last, 'j M Y')}"

    @property
    def query(self) -> str:
        """Return the query string of the API for the same days."""
        return urlencode({"since": self.first.isoformat(), "until": self.last.isoformat()})

    @property
    def links(self) -> list[dict[str, Any]]:
        return [
            {
                "name": name,
                "query": urlencode([*self.filters, ("days", days)]),
                "is_current": self.last == self.newest and self.days == days,
            }
            for days, name in QUICK_RANGES
        ]


def _day(text: str | None) -> date | None:
    """Return the day of a parameter; None for an invalid one, and before EARLIEST or after LATEST."""
    try:
        day = date.fromisoformat(text or "")
    except ValueError:
        return None
    return day if EARLIEST <= day <= LATEST else None
