"""Query parameters of figures: days, months and limits."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import serializers

from analytics.days import EARLIEST, LATEST, as_of

LONGEST_DAYS = 366 * 5
USUAL_MONTHS = 24


class DaysQuery(serializers.Serializer[Any]):
    days = serializers.IntegerField(
        min_value=1,
        max_value=LONGEST_DAYS,
        default=30,
        help_text=gettext_lazy(
            "Number of days up to today, or to the newest order if it is older than a month."
        ),
    )


class MonthsQuery(serializers.Serializer[Any]):
    months = serializers.IntegerField(
        min_value=1,
        max_value=120,
        required=False,
        help_text=gettext_lazy(
            "Number of months up to that of “until”; by default 24, from the first with sales."
        ),
    )
    until = serializers.DateField(
        required=False,
        help_text=gettext_lazy(
            "A day of the last month: by default today, or that of the newest order if it is older than a month."
        ),
    )

    def validate_until(self, until: date) -> date:
        if not EARLIEST < until < LATEST:
            raise serializers.ValidationError(_("Enter a day from %s to %s.") % (EARLIEST, LATEST))
        return until


class LimitQuery(serializers.Serializer[Any]):
    limit = serializers.IntegerField(min_value=1, max_value=1_000, default=10)


class DateRangeQuery(serializers.Serializer[Any]):
    """Two days, both included; by default all days up to today, or to the newest order if it is older than a month."""

    usual_days: int | None = None
    """The number of days without `since`; None for all."""

    since = serializers.DateField(required=False)
    until = serializers.DateField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        return date_range(attrs, self.usual_days)


def date_range(given: dict[str, Any], usual_days: int | None) -> dict[str, Any]:
    """Return `first` and `last` of the days from `since` to `until`, both optional. Raises ValidationError."""
    until: date = given.get("until") or as_of()
    if not EARLIEST <= until <= LATEST:
        raise serializers.ValidationError(
            {
                "until": _("Enter a day from %(first)s to %(last)s.")
                % {"first": EARLIEST, "last": LATEST}
            }
        )
    since: date = given.get("since") or _usual_start(until, usual_days)
    if not EARLIEST <= since <= until:
        raise serializers.ValidationError(
            {"since": _("Enter a day from %s to the day in “until”.") % EARLIEST}
        )
    return {"first": since, "last": until}


def _usual_start(until: date, days: int | None) -> date:
    return EARLIEST if days is None else max(until - timedelta(days=days - 1), EARLIEST)
