"""The days that a dashboard is of: chosen by a link or by two dates, and kept in the address, so that a link shows the same."""

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

from analytics.commerce import USUAL_DAYS, as_of

QUICK: tuple[tuple[int, Promise], ...] = (
    (30, _("30 days")),
    (90, _("90 days")),
    (365, _("12 months")),
)
LONGEST = timedelta(days=366 * 10)


class Compare(StrEnum):
    """What the figures of the days stand beside."""

    BEFORE = "before"
    YEAR = "year"
    NONE = "none"


COMPARISONS: tuple[tuple[str, Promise], ...] = (
    (Compare.BEFORE, _("the days before")),
    (Compare.YEAR, _("the year before")),
    (Compare.NONE, _("nothing")),
)


@dataclass(frozen=True, slots=True)
class Span:
    """From `first` to `last`, both included; `newest` is the day up to which there are figures."""

    first: date
    last: date
    newest: date
    kept: list[tuple[str, str]]

    @classmethod
    def asked(cls, request: HttpRequest, *kept: str, usual: int = USUAL_DAYS) -> Span:
        """By `days`, or `since` and `until`; what makes no sense is as if it were not asked. Parameters named in `kept` go along."""
        newest = as_of()
        given = request.GET
        last = _day(given.get("until")) or newest
        days = given.get("days", "")
        number = int(days) if days.isascii() and days.isdigit() and len(days) < 5 else usual
        first = _day(given.get("since")) or last - timedelta(days=max(number, 1) - 1)
        if not first <= last or last - first > LONGEST:
            first = last - timedelta(days=usual - 1)
        also = [(name, value) for name in kept for value in given.getlist(name)]
        return cls(first, last, newest, also)

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def before(self) -> tuple[date, date]:
        """As many days before, to compare with."""
        return self.first - timedelta(days=self.days), self.first - timedelta(days=1)

    def compared(self, how: Compare) -> tuple[date, date] | None:
        """The days to compare with; None for nothing."""
        if how is Compare.NONE:
            return None
        if how is Compare.BEFORE:
            return self.before
        return self.first - relativedelta(years=1), self.last - relativedelta(years=1)

    @property
    def name(self) -> str:
        return f"{date_format(self.first, 'j M Y')} – {date_format(self.last, 'j M Y')}"

    @property
    def query(self) -> str:
        """For addresses of the API that take the same days."""
        return urlencode({"since": self.first.isoformat(), "until": self.last.isoformat()})

    @property
    def links(self) -> list[dict[str, Any]]:
        return [
            {
                "name": name,
                "query": urlencode([*self.kept, ("days", days)]),
                "is_current": self.last == self.newest and self.days == days,
            }
            for days, name in QUICK
        ]


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text or "")
    except ValueError:
        return None
