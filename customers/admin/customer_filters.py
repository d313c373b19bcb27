"""Filters of the list of customers."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any, ClassVar

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Lower
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter, RangeDateFilter, TextFilter
from unfold.utils import parse_date_str

from customers.admin import customer_page
from customers.consent import has_no_address, is_suppressed, is_unwanted
from customers.models import Customer, Segment, SegmentMembership
from customers.models.consent import ADDRESS_FIELDS, Channel

Customers = QuerySet[Customer]


class CountryFilter(DropdownFilter):
    title = _("country")
    parameter_name = "country"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return customer_page.countries()

    def queryset(self, request: HttpRequest, queryset: Customers) -> Customers:
        return queryset.filter(country=self.value()) if self.value() else queryset


class CityFilter(TextFilter):
    title = _("city")
    parameter_name = "city"

    def queryset(self, request: HttpRequest, queryset: Customers) -> Customers:
        city = _typed(self.value())
        return (
            queryset.alias(folded=Lower("city")).filter(folded=city.lower()) if city else queryset
        )


class TagFilter(TextFilter):
    title = _("tag")
    parameter_name = "tag"

    def queryset(self, request: HttpRequest, queryset: Customers) -> Customers:
        tag = _typed(self.value())
        return queryset.filter(tags__contains=[tag]) if tag else queryset


class SegmentFilter(DropdownFilter):
    title = _("segment")
    parameter_name = "segment"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(Segment.objects.order_by("name").values_list("slug", "name"))

    def queryset(self, request: HttpRequest, queryset: Customers) -> Customers:
        if not self.value():
            return queryset
        inside = SegmentMembership.objects.filter(
            customer=OuterRef("pk"), segment__slug=self.value()
        )
        return queryset.filter(Exists(inside))


class ConsentFilter(DropdownFilter):
    """Filter by reachability on a channel: reachable, opted out, suppressed, or without an address."""

    title = _("consent")
    parameter_name = "consent"
    STATES: ClassVar[dict[str, Promise]] = {
        "reachable": _("%(channel)s: reachable"),
        "unwanted": _("%(channel)s: opted out, paused or unconfirmed"),
        "suppressed": _("%(channel)s: suppressed"),
        "no_address": _("%(channel)s: no address"),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            (f"{channel.value}:{state}", str(label) % {"channel": channel.label})
            for channel in ADDRESS_FIELDS
            for state, label in self.STATES.items()
        ]

    def queryset(self, request: HttpRequest, queryset: Customers) -> Customers:
        channel, _colon, state = (self.value() or "").partition(":")
        if channel not in ADDRESS_FIELDS or state not in self.STATES:
            return queryset
        return queryset.filter(_in_state(Channel(channel), state))


class DayRange(RangeDateFilter):
    """Filter by days in the site's time zone, both included; an invalid day is ignored."""

    def queryset(self, request: HttpRequest, queryset: Customers) -> Customers:
        first, last = (self._day(end) for end in ("from", "to"))
        if first:
            queryset = queryset.filter(**{f"{self.field_path}__gte": _midnight(first)})
        if last:
            after = _midnight(last + timedelta(days=1))
            queryset = queryset.filter(**{f"{self.field_path}__lt": after})
        return queryset

    def _day(self, end: str) -> date | None:
        return parse_date_str(str(self.used_parameters.get(f"{self.field_path}_{end}") or ""))


def _in_state(channel: Channel, state: str) -> Q:
    address = ADDRESS_FIELDS[channel]
    states = {
        "no_address": has_no_address(address),
        "unwanted": is_unwanted(channel),
        "suppressed": Q(is_suppressed(channel, address)),
    }
    if state != "reachable":
        return states[state]
    return ~states["no_address"] & ~states["unwanted"] & ~states["suppressed"]


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


def _typed(value: str | None) -> str:
    return (value or "").replace("\x00", "").strip()
