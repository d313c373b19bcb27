"""What may be asked of figures: the days that they are of."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import serializers

from analytics.commerce import as_of

LONGEST_DAYS = 366 * 5
USUAL_MONTHS = 24
EARLIEST = date(1900, 1, 1)


class DaysQuery(serializers.Serializer[Any]):
    days = serializers.IntegerField(
        min_value=1,
        max_value=LONGEST_DAYS,
        default=30,
        help_text=gettext_lazy(
            "How many days, up to today or to the newest order if it is older than a month."
        ),
    )


class MonthsQuery(serializers.Serializer[Any]):
    months = serializers.IntegerField(
        min_value=1,
        max_value=120,
        required=False,
        help_text=gettext_lazy(
            "Up to the one of today or of the newest order; without it 24, or those since the first."
        ),
    )


class LimitQuery(serializers.Serializer[Any]):
    limit = serializers.IntegerField(min_value=1, max_value=1_000, default=10)


class SpanQuery(serializers.Serializer[Any]):
    """Two days, both included; without them all up to today, or to the newest order if it is older than a month."""

    usual_days: int | None = None
    """Without `since`, so many days; None is since ever."""

    since = serializers.DateField(required=False)
    until = serializers.DateField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        return span(attrs, self.usual_days)


def span(given: dict[str, Any], usual_days: int | None) -> dict[str, Any]:
    """`first` and `last` of the days from `since` to `until`, where both or one may be missing. Raises ValidationError for no days."""
    until: date = given.get("until") or as_of()
    since: date = given.get("since") or _usual_start(until, usual_days)
    if not EARLIEST <= since <= until:
        raise serializers.ValidationError(
            {"since": _("From %s up to the day of “until”.") % EARLIEST}
        )
    if until.year > 2200:
        raise serializers.ValidationError({"until": _("That is too far in the future.")})
    return {"first": since, "last": until}


def _usual_start(until: date, days: int | None) -> date:
    return EARLIEST if days is None else max(until - timedelta(days=days - 1), EARLIEST)
