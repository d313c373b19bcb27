"""Charts as data, drawn by static/kindling/charts.js, each with a table of its numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from django.conf import settings
from django.template.loader import render_to_string
from django.utils.functional import Promise
from django.utils.safestring import SafeString

from crm import masking
from crm.adminkit import display

Text = str | Promise


@dataclass(frozen=True, slots=True)
class Series:
    """`colour` is one of the --chart-… colours of charts.css, or for a doughnut one per value; `unit` formats its values."""

    label: Text
    values: Sequence[Decimal | int]
    colour: str | list[str] = "primary"
    type: Literal["", "line"] = ""
    axis: Literal["", "right"] = ""
    unit: Literal["number", "money", "people"] = "number"

    def formatted(self, place: int) -> str:
        value = self.values[place]
        if self.unit == "people":
            return display.people(int(value))
        return display.money(value) if self.unit == "money" else display.number(value)

    @property
    def drawn(self) -> list[float]:
        """Return the values, those of people as display.people() rounds them."""
        people = self.unit == "people"
        return [masking.rounded(int(each)) if people else float(each) for each in self.values]


@dataclass(frozen=True, slots=True)
class Bubbles:
    """Points of a bubble chart with one label: x, y, size from 0 to 1, and a note; `mark` is a point style of Chart.js."""

    label: Text
    points: Sequence[tuple[float, float, float, str]]
    colour: str
    mark: str


@dataclass(frozen=True, slots=True)
class Chart:
    """`id` is stable, so that an open table stays open when the chart is drawn again.

    `unfinished` draws the values of the last label as preliminary. `half` makes a doughnut a
    gauge, `legend` names its parts beside it. `csv` is the address of its numbers as a file. `axes` names the axes of labels and values;
    that of values is otherwise named by its only series. A chart of `bubbles` draws them between the axes; its series are the numbers of
    its table.
    """

    id: str
    type: Literal["bar", "line", "doughnut", "bubble"]
    about: Text
    labels: Sequence[str]
    series: Sequence[Series]
    shape: Literal["", "tall", "flat"] = ""
    unfinished: bool = False
    horizontal: bool = False
    half: bool = False
    legend: bool = False
    csv: str = ""
    bubbles: Sequence[Bubbles] = ()
    axes: tuple[Text, Text] = ("", "")

    @property
    def data(self) -> dict[str, Any]:
        """Return the input of charts.js."""
        return {
            "type": self.type,
            "currency": settings.CURRENCY,
            "unfinished": self.unfinished,
            "horizontal": self.horizontal,
            "half": self.half,
            "legend": self.legend,
            "labels": list(self.labels),
            "axes": [str(axis) for axis in self.axes],
            "bubbles": [
                {
                    "label": str(each.label),
                    "points": each.points,
                    "colour": each.colour,
                    "mark": each.mark,
                }
                for each in self.bubbles
            ],
            "series": [
                {
                    "label": str(each.label),
                    "values": each.drawn,
                    "unit": "number" if each.unit == "people" else each.unit,
                    "colour": each.colour,
                    "type": each.type,
                    "axis": each.axis,
                }
                for each in self.series
            ],
        }

    @property
    def rows(self) -> list[tuple[str, list[str]]]:
        """Return the rows of the table: label and formatted values."""
        return [
            (label, [each.formatted(place) for each in self.series])
            for place, label in enumerate(self.labels)
        ]

    def __str__(self) -> SafeString:
        """Render the chart, so that a template writes `{{ chart }}`."""
        return render_to_string("admin/chart.html", {"chart": self})


def spark(values: Sequence[Decimal | int]) -> str:
    """Return the SVG path of an area 100 wide and 30 high; "" if all values are zero."""
    highest = max(values, default=0)
    if highest <= 0 or len(values) < 2:
        return ""
    step = 100 / (len(values) - 1)
    points = (
        f"{place * step:.1f},{30 - 28 * max(float(value), 0.0) / float(highest):.1f}"
        for place, value in enumerate(values)
    )
    return f"M0,30 L{' '.join(points)} L100,30 Z"
