"""The page of one customer above the form: identity, value, consent, orders, timeline."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from babel import Locale
from django.conf import settings
from django.db.models import Prefetch, Sum
from django.db.models.functions import Coalesce, Lower, TruncMonth
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from crm.adminkit import display, panels
from crm.adminkit.charts import Chart, Series
from crm.api import ids
from customers import push, timeline
from customers.admin import customer_timeline
from customers.models import Customer, CustomerProfile, Order, OrderLine
from customers.models.consent import Channel, Consent, Suppression

MONTHS = 12
RECENT_ORDERS = 5
LINES_SHOWN = 6

LIFECYCLE_TONES: dict[str, display.Tone] = {
    Customer.Lifecycle.LEAD: "info",
    Customer.Lifecycle.ACTIVE: "success",
    Customer.Lifecycle.INACTIVE: "warning",
    Customer.Lifecycle.CHURNED: "danger",
}

DECISION_TONES: dict[str, display.Tone] = {
    Consent.Decision.OPTED_IN: "success",
    Consent.Decision.OPTED_OUT: "danger",
    Consent.Decision.PENDING: "warning",
}


class Tile(NamedTuple):
    label: str | Promise
    figure: Any


class ConsentState(NamedTuple):
    channel: str
    looks: Any
    evidence: str
    at: Any


def profile(request: HttpRequest, customer: Customer) -> dict[str, Any]:
    """Return the context of admin/customers/customer/profile.html."""
    return {
        "customer": customer,
        "public_id": ids.encode("cus", customer.pk),
        "initials": _initials(customer),
        "subtitle": _subtitle(customer),
        "lifecycle": display.badge(
            customer.get_lifecycle_status_display(), LIFECYCLE_TONES[customer.lifecycle_status]
        ),
        "tags": display.tags(customer.tags, shown=8) if customer.tags else "",
        "tiles": _tiles(customer),
        "memberships": customer.memberships.select_related("segment").order_by("segment__name"),
        "figures": _figures(customer),
        "consents": _consents(customer),
        "browsers": [
            (push.browser_of(each), display.when(each.created_at))
            for each in customer.push_subscriptions.order_by("-pk")
        ],
        "orders": _orders(customer),
        "spend_chart": _spend_by_month(customer),
        "facts": sorted(customer.attributes.items())
        if isinstance(customer.attributes, dict)
        else [],
        **customer_timeline.entries(customer, request),
        "panels": panels.render("customers.customer", request, customer),
    }


def countries() -> list[tuple[str, str]]:
    """Return (code, name) of every country in the user's language."""
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
        Tile(_("Last order"), display.day(customer.last_order_at)),
        Tile(_("Visits"), display.number(customer.visit_count)),
    ]


def _figures(customer: Customer) -> list[Tile]:
    """Return tiles of computed scores; a missing one is a dash."""
    profile = CustomerProfile.objects.filter(customer=customer).first() or CustomerProfile()
    scores = (profile.recency_score, profile.frequency_score, profile.monetary_score)
    rfm = " · ".join(map(str, scores)) if None not in scores else ""
    hour = f"{profile.best_hour:02}:00" if profile.best_hour is not None else ""
    channel = str(dict(Channel.choices).get(profile.preferred_channel, profile.preferred_channel))
    last = profile.last_interaction_type
    return [
        Tile(_("Customer since"), display.day(customer.registered_at)),
        Tile(
            _("Date of birth"),
            date_format(customer.date_of_birth, "j M Y")
            if customer.date_of_birth
            else display.NOTHING,
        ),
        Tile(_("Lifetime value"), _lifetime_value(customer, profile)),
        Tile(_("Expected orders in a year"), _one_decimal(profile.expected_orders)),
        Tile(_("Still a customer"), _percent(profile.alive_probability)),
        Tile(_("Churn risk"), _percent(profile.churn_risk)),
        Tile(_("RFM"), " ".join(filter(None, (profile.rfm_segment, rfm))) or display.NOTHING),
        Tile(_("Engagement"), _of_hundred(profile.engagement_score)),
        Tile(_("Satisfaction"), _of_five(profile.satisfaction)),
        Tile(_("Response rate"), _percent(profile.response_rate)),
        Tile(_("Preferred channel"), channel or display.NOTHING),
        Tile(_("Best send time"), hour or display.NOTHING),
        Tile(_("Favourite category"), profile.favourite_category or display.NOTHING),
        Tile(_("Favourite brand"), profile.favourite_brand or display.NOTHING),
        Tile(_("Most viewed category"), profile.most_viewed_category or display.NOTHING),
        Tile(_("Last interaction"), timeline.label_of_type(last) if last else display.NOTHING),
        Tile(_("Time on the site"), _duration(profile.seconds_on_site)),
        Tile(_("Time per visit"), _duration(profile.average_time_on_site)),
    ]


def _lifetime_value(customer: Customer, profile: CustomerProfile) -> str:
    """Return the value with its predicted part; without a prediction it is the total spend, which is shown already."""
    if profile.lifetime_value is None or profile.expected_orders is None:
        return str(_("not predicted yet"))
    predicted = profile.lifetime_value - customer.total_spend
    return _("%(value)s, %(predicted)s of it predicted") % {
        "value": display.money(profile.lifetime_value),
        "predicted": display.money(predicted),
    }


def _duration(seconds: float | None) -> str:
    return display.NOTHING if seconds is None else str(timedelta(seconds=round(seconds)))


def _one_decimal(value: float | None) -> str:
    return display.NOTHING if value is None else display.number(round(value, 1))


def _percent(share: float | None) -> str:
    return display.NOTHING if share is None else display.rate(Decimal(share), 1)


def _of_hundred(score: float | None) -> Any:
    return display.NOTHING if score is None else display.bar(round(score), 100)


def _of_five(value: float | None) -> str:
    return display.NOTHING if value is None else f"{value:.1f} / 5"


def _consents(customer: Customer) -> list[ConsentState]:
    """Return reasons that stop all messages first, then the newest decision by channel and topic."""
    return [*_pause(customer), *_suppressed(customer), *_decisions(customer)]


def _pause(customer: Customer) -> list[ConsentState]:
    until = customer.paused_until
    if until is None or until <= timezone.now():
        return []
    looks = display.badge(_("Paused"), "warning")
    return [ConsentState(str(_("Everything")), looks, str(_("until")), display.when(until))]


def _suppressed(customer: Customer) -> list[ConsentState]:
    addresses = [address.lower() for address in (customer.email, customer.phone) if address]
    found = Suppression.objects.alias(folded=Lower("address")).filter(folded__in=addresses)
    return [
        ConsentState(
            f"{each.get_channel_display()} · {each.address}",
            display.badge(_("Suppressed"), "danger"),
            each.evidence or each.get_reason_display(),
            display.when(each.created_at),
        )
        for each in found
    ]


def _decisions(customer: Customer) -> list[ConsentState]:
    newest = (
        Consent.objects.filter(customer=customer)
        .order_by("channel", "topic", "-decided_at", "-id")
        .distinct("channel", "topic")
    )
    return [
        ConsentState(
            f"{each.get_channel_display()} · {each.topic}".removesuffix(" · "),
            display.badge(each.get_decision_display(), DECISION_TONES[each.decision]),
            each.evidence,
            display.when(each.decided_at),
        )
        for each in newest
    ]


def _orders(customer: Customer) -> list[dict[str, Any]]:
    lines = Prefetch("lines", OrderLine.objects.select_related("product").order_by("position"))
    orders = (
        Order.objects.purchases()
        .filter(customer=customer)
        .order_by("-placed_at")
        .prefetch_related(lines)
    )
    return [_order(order) for order in orders[:RECENT_ORDERS]]


def _order(order: Order) -> dict[str, Any]:
    lines = list(order.lines.all())
    return {
        "order": order,
        "amount": display.money(order.amount, order.currency),
        "when": display.when(order.placed_at),
        "lines": [
            (line, display.money(line.amount, order.currency) if line.amount else "")
            for line in lines[:LINES_SHOWN]
        ],
        "more": max(len(lines) - LINES_SHOWN, 0),
    }


def _spend_by_month(customer: Customer) -> Chart | None:
    """Return a chart of the months up to the last order; None without orders."""
    if customer.last_order_at is None:
        return None
    months = _months_to(timezone.localtime(customer.last_order_at))
    spent: dict[Any, Decimal] = dict(
        Order.objects.filter(customer=customer, placed_at__gte=months[0])
        .annotate(month=TruncMonth("placed_at"))
        .values_list("month")
        .annotate(spent=Coalesce(Sum("net"), Decimal(0)))
        .order_by("month")
    )
    by_month = {(month.year, month.month): amount for month, amount in spent.items()}
    amounts = [by_month.get((month.year, month.month), Decimal(0)) for month in months]
    return Chart(
        "spend-by-month",
        "bar",
        _("Spend by month"),
        [date_format(month, "M Y") for month in months],
        [Series(_("Spend"), amounts, unit="money")],
        shape="flat",
    )


def _months_to(last: datetime) -> list[datetime]:
    first_of_month = last.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    numbers = [first_of_month.year * 12 + first_of_month.month - 1 - back for back in range(MONTHS)]
    return [first_of_month.replace(year=n // 12, month=n % 12 + 1) for n in reversed(numbers)]
