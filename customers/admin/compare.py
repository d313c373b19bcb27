"""The page that compares two segments: customers in one of them only, and in both."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from math import acos, pi, sqrt
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action
from unfold.widgets import UnfoldAdminSelect2Widget

from crm import masking
from crm.adminkit import display
from crm.adminkit.base import page
from customers.models import Segment
from customers.segments import Overlap, overlap


class CompareForm(forms.Form):
    first = forms.ModelChoiceField(
        Segment.objects.all(), label=gettext_lazy("Segment"), widget=UnfoldAdminSelect2Widget()
    )
    second = forms.ModelChoiceField(
        Segment.objects.all(),
        label=gettext_lazy("Compare with"),
        widget=UnfoldAdminSelect2Widget(),
    )


@dataclass(frozen=True, slots=True)
class Part:
    """One row next to the diagram: a number of customers, and its share of each segment."""

    kind: str
    label: str
    people: int
    of_first: str
    of_second: str

    @property
    def shown(self) -> str:
        return display.people(self.people)


class Compare:
    """A mixin for the segment admin: `compare` in its URLs, `compare_with` in `actions_detail`."""

    @action(description=gettext_lazy("Compare"), icon="join_inner", permissions=["view"])
    def compare_with(self: Any, request: HttpRequest, object_id: str) -> HttpResponse:
        url = reverse("admin:customers_segment_compare")
        return HttpResponseRedirect(f"{url}?first={int(object_id)}")

    @page("compare", "compare/", "view")
    def compare(self: Any, request: HttpRequest) -> HttpResponse:
        form = CompareForm(
            request.GET if "second" in request.GET else None, initial=_chosen(request)
        )
        context = {
            **self.admin_site.each_context(request),
            "opts": self.model._meta,
            "title": _("Compare segments"),
            "form": form,
            "media": self.media + form.media,
            **(_compared(form.cleaned_data) if form.is_valid() else {}),
        }
        return TemplateResponse(request, "admin/customers/segment/compare.html", context)


def _chosen(request: HttpRequest) -> dict[str, str]:
    return {"first": request.GET.get("first", "")}


def _compared(chosen: dict[str, Segment]) -> dict[str, Any]:
    first, second = chosen["first"], chosen["second"]
    found = overlap(first, second)
    rounded = Overlap(*map(masking.rounded, astuple(found)))
    return {
        "first": first,
        "second": second,
        "first_size": display.people(first.size),
        "second_size": display.people(second.size),
        "either": display.people(found.either),
        "overlap": found,
        "venn": venn(rounded),
        "parts": _parts(first, second, rounded),
    }


def _parts(first: Segment, second: Segment, found: Overlap) -> list[Part]:
    size, other_size = found.only_first + found.both, found.only_second + found.both
    return [
        Part(
            "first",
            _("only in %s") % first,
            found.only_first,
            display.rate(found.only_first, size),
            "",
        ),
        Part(
            "both",
            _("in both"),
            found.both,
            display.rate(found.both, size),
            display.rate(found.both, other_size),
        ),
        Part(
            "second",
            _("only in %s") % second,
            found.only_second,
            "",
            display.rate(found.only_second, other_size),
        ),
    ]


LARGEST_RADIUS = 100.0
MARGIN = 6.0
STEPS = 50


@dataclass(frozen=True, slots=True)
class Venn:
    """Centres on one line and radii, in units of the drawing, which is `width` × `height`."""

    first_x: float
    first_radius: float
    second_x: float
    second_radius: float
    width: float
    height: float

    @property
    def y(self) -> float:
        return self.height / 2


def venn(overlap: Overlap) -> Venn:
    """Draw an overlap; the larger segment has LARGEST_RADIUS. An empty segment is a point."""
    first, second = overlap.only_first + overlap.both, overlap.only_second + overlap.both
    scale = LARGEST_RADIUS / sqrt(max(first, second, 1))
    one, other = scale * sqrt(first), scale * sqrt(second)
    distance = _distance(one, other, shared=pi * scale**2 * overlap.both)
    left = min(-one, distance - other)
    right = max(one, distance + other)
    first_x = MARGIN - left
    return Venn(
        first_x,
        one,
        first_x + distance,
        other,
        width=right - left + 2 * MARGIN,
        height=2 * (LARGEST_RADIUS + MARGIN),
    )


def _distance(one: float, other: float, *, shared: float) -> float:
    """Return the distance of the centres at which the circles share that area, found by bisection, since no formula gives it."""
    near, far = abs(one - other), one + other
    if shared <= 0:
        return far + MARGIN
    for _step in range(STEPS):
        middle = (near + far) / 2
        if _lens(one, other, middle) > shared:
            near = middle
        else:
            far = middle
    return (near + far) / 2


def _lens(one: float, other: float, distance: float) -> float:
    """Return the area that two circles share (Weisstein, "Circle-Circle Intersection", MathWorld, eq. 14)."""
    if distance <= abs(one - other):
        return pi * min(one, other) ** 2
    if distance >= one + other:
        return 0.0
    a = one**2 * acos(_cosine((distance**2 + one**2 - other**2) / (2 * distance * one)))
    b = other**2 * acos(_cosine((distance**2 + other**2 - one**2) / (2 * distance * other)))
    kite = (
        (-distance + one + other)
        * (distance + one - other)
        * (distance - one + other)
        * (distance + one + other)
    )
    return a + b - sqrt(max(kite, 0)) / 2


def _cosine(value: float) -> float:
    """Rounding must not lead out of what acos takes."""
    return min(max(value, -1.0), 1.0)
