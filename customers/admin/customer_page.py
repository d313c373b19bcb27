"""What the page of one customer shows above the form: who they are, what they are worth, what they did."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from babel import Locale
from django.conf import settings
from django.db.models import Prefetch, Sum
from django.db.models.functions import TruncMonth
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from crm.adminkit import display, panels
from customers.models import Customer, Order, OrderLine
from customers.models.consent import Channel, Consent
from customers.timeline import timeline

MONTHS = 12
RECENT_ORDERS = 5
LINES_SHOWN = 6


class Tile(NamedTuple):
    label: str | Promise
    figure: Any


class ConsentState(NamedTuple):
    channel: str
    looks: Any
    evidence: str
    at: Any


def profile(request: HttpRequest, customer: Customer) -> dict[str, Any]:
    """The context of admin/customers/customer/profile.html."""
    return {
        "customer": customer,
        "initials": _initials(customer),
        "subtitle": _subtitle(customer),
        "tiles": _tiles(customer),
        "segments": customer.segments.order_by("name"),
        "consents": _consents(customer),
        "timeline": timeline(customer),
        "orders": _orders(customer),
        "spend_chart": _spend_by_month(customer),
        "spend_chart_options": json.dumps({"plugins": {"legend": {"display": False}}}),
        "facts": sorted(customer.attributes.items())
        if isinstance(customer.attributes, dict)
        else [],
        "panels": panels.render("customers.customer", request, customer),
    }


def countries() -> list[tuple[str, str]]:
    """(code, name) of every country, in the reader's language."""
    locale = Locale.parse((get_language() or settings.LANGUAGE_CODE).replace("-", "_"))
    named = [(code, name) for code, name in locale.territories.items() if len(code) == 2]
    return sorted(named, key=lambda pair: pair[1])


def _initials(customer: Customer) -> str:
    words = (customer.name or customer.email or customer.external_id or "?").split()
    return "".join(word[0] for word in words[:2]).upper()


def _subtitle(customer: Customer) -> list[str]:
    place = ", ".join(part for part in (customer.city, customer.country) if part)
    return [part for part in (customer.email, customer.phone, customer.external_id, place) if part]


def _tiles(customer: Customer) -> list[Tile]:
    return [
        Tile(_("Total spend"), display.money(customer.total_spend)),
        Tile(_("Orders"), display.number(customer.order_count)),
        Tile(_("Average order"), display.money(customer.average_order_value)),
        Tile(_("Last order"), display.when(customer.last_order_at)),
        Tile(_("Visits"), display.number(customer.visit_count)),
    ]


def _consents(customer: Customer) -> list[ConsentState]:
    newest = (
        Consent.objects.filter(customer=customer, topic="")
        .order_by("channel", "-decided_at", "-id")
        .distinct("channel")
    )
    labels = dict(Channel.choices)
    return [
        ConsentState(
            str(labels.get(each.channel, each.channel)),
            display.badge(
                each.get_decision_display(),
                "success" if each.decision == Consent.Decision.OPTED_IN else "danger",
            ),
            each.evidence,
            display.when(each.decided_at),
        )
        for each in newest
    ]


def _orders(customer: Customer) -> list[dict[str, Any]]:
    lines = Prefetch("lines", OrderLine.objects.select_related("product").order_by("position"))
    orders = Order.objects.filter(customer=customer).order_by("-placed_at").prefetch_related(lines)
    return [_order(order) for order in orders[:RECENT_ORDERS]]


def _order(order: Order) -> dict[str, Any]:
    lines = list(order.lines.all())
    return {
        "order": order,
        "amount": display.money(order.amount, order.currency),
        "when": display.when(order.placed_at),
        "lines": [
            (line, display.money(line.amount, order.currency)) for line in lines[:LINES_SHOWN]
        ],
        "more": max(len(lines) - LINES_SHOWN, 0),
    }


def _spend_by_month(customer: Customer) -> str:
    """Chart.js data of the last months up to the last order; empty text where nothing was bought here."""
    if customer.last_order_at is None:
        return ""
    months = _months_to(timezone.localtime(customer.last_order_at))
    spent: dict[Any, Decimal] = dict(
        Order.objects.filter(customer=customer, placed_at__gte=months[0])
        .annotate(month=TruncMonth("placed_at"))
        .values_list("month")
        .annotate(Sum("amount"))
        .order_by("month")
    )
    by_month = {(month.year, month.month): amount for month, amount in spent.items()}
    return json.dumps(
        {
            "labels": [date_format(month, "M Y") for month in months],
            "datasets": [
                {
                    "label": str(_("Spend")),
                    "data": [float(by_month.get((month.year, month.month), 0)) for month in months],
                    "backgroundColor": "var(--color-primary-600)",
                    "borderRadius": 4,
                }
            ],
        }
    )


def _months_to(last: datetime) -> list[datetime]:
    first_of_month = last.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    numbers = [first_of_month.year * 12 + first_of_month.month - 1 - back for back in range(MONTHS)]
    return [first_of_month.replace(year=n // 12, month=n % 12 + 1) for n in reversed(numbers)]
