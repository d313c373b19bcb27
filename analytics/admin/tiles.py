"""Headline figures as tiles, and results as columns, funnel steps and cells of heat maps."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from analytics.funnels import Step
from analytics.headlines import CampaignFigures
from analytics.metrics import Totals
from analytics.returns import Roi
from crm.adminkit import display
from crm.adminkit.charts import spark


@dataclass(frozen=True, slots=True)
class Change:
    """A relative change, the figure that it compares with, and whether the figure rose; None if it shows as unchanged."""

    rate: str
    rises: bool | None
    compared_with: str


@dataclass(frozen=True, slots=True)
class Tile:
    name: str | Promise
    number: str
    note: str = ""
    change: Change | None = None
    label: SafeString | str = ""
    spark: str = ""


def change(
    now: Decimal | int | None, before: Decimal | int | None, compared_with: str
) -> Change | None:
    """Return the change from one figure to another; None without a figure before."""
    if not before or before < 0 or now is None:
        return None
    rate = display.rate(abs(Decimal(now) - before), before)
    is_same = rate == display.rate(Decimal(0), before)
    return Change(rate, None if is_same else now > before, compared_with)


def campaign_tiles(
    now: CampaignFigures, before: CampaignFigures, period: str, label: SafeString | str = ""
) -> dict[str, Tile]:
    """Return the tiles of campaigns by key; `period` names the days of the figures before."""
    totals, earlier = now.totals, before.totals
    number, rate, money = display.number, display.rate, display.money

    def tile(
        key: str, name: str, text: str, note: str, figures: tuple[Any, Any], text_before: str
    ) -> Tile:
        changed = change(*figures, f"{text_before} ({period})")
        return Tile(name, text, note, changed, label, spark(now.by_day.get(key, ())))

    def counter(key: str, name: str, note: str) -> Tile:
        figures = getattr(totals, key), getattr(earlier, key)
        return tile(key, name, number(figures[0]), note, figures, number(figures[1]))

    def rate_of(key: str, counted: str, name: str, note: str) -> Tile:
        return tile(
            key,
            name,
            rate(getattr(totals, counted), totals.arrived),
            note % {"number": number(getattr(totals, counted))},
            (getattr(totals, key), getattr(earlier, key)),
            rate(getattr(earlier, counted), earlier.arrived),
        )

    delivered = _("%(rate)s delivered") % {"rate": rate(totals.arrived, totals.attempted)}
    profit = _("%(profit)s profit on %(cost)s") % {
        "profit": money(now.roi.profit),
        "cost": money(now.roi.cost),
    }
    return {
        "sent": counter("sent", _("Messages sent"), delivered if totals.sent else _("None sent")),
        "open_rate": rate_of("open_rate", "opened", _("Open rate"), _("%(number)s opened")),
        "click_rate": rate_of("click_rate", "clicked", _("Click rate"), _("%(number)s clicked")),
        "unsubscribed": Tile(
            _("Unsubscribed"),
            rate(totals.unsubscribed, totals.arrived),
            _("%(rate)s bounced") % {"rate": rate(totals.bounced, totals.attempted)}
            if totals.attempted
            else "",
        ),
        "converted": counter(
            "converted",
            _("Conversions"),
            _("%(rate)s of delivered") % {"rate": rate(totals.converted, totals.arrived)}
            if totals.arrived
            else "",
        ),
        "revenue": tile(
            "revenue",
            _("Attributed revenue"),
            money(totals.revenue),
            _("to the last message clicked"),
            (totals.revenue, earlier.revenue),
            money(earlier.revenue),
        ),
        "roi": tile(
            "revenue",
            _("ROI"),
            rate(now.roi.profit, now.roi.cost),
            _("Enter the cost of a campaign") if now.roi.cost is None else profit,
            (now.roi.roi, before.roi.roi),
            rate(before.roi.profit, before.roi.cost),
        ),
    }


def campaign_columns(totals: Totals, roi: Roi | None = None) -> list[tuple[str, str]]:
    """Return the results of a campaign or channel as pairs of column and value."""
    has_results = bool(totals.sent or totals.revenue)
    columns = [
        (_("Sent"), display.number(totals.sent or None)),
        (_("Opened"), display.rate(totals.opened, totals.arrived)),
        (_("Clicked"), display.rate(totals.clicked, totals.arrived)),
        (_("Converted"), display.rate(totals.converted, totals.arrived)),
        (_("Revenue"), display.money(totals.revenue if has_results else None)),
    ]
    if roi is not None:
        columns.append((_("ROI"), display.rate(roi.profit if has_results else None, roi.cost)))
    return columns


def funnel_step(step: Step) -> dict[str, Any]:
    """Return a step of a funnel as its template draws it."""
    return {
        "label": step.label,
        "count": display.number(step.count),
        "height": f"{float(step.share) * 100:.1f}%",
        "rate": display.rate(step.of_previous, 1) if step.of_previous is not None else "",
    }


def heat_cell(text: str, part: float, title: str = "") -> dict[str, Any]:
    """Return a cell of a heat map that is `part` of the darkest colour."""
    return {
        "text": text,
        "title": title,
        "heat": f"{part:.3f}",
    }
