"""The picture of an overlap: two circles whose areas, and the area that they share, are as large as the numbers."""

from __future__ import annotations

from dataclasses import dataclass
from math import acos, pi, sqrt

from customers.segments.preview.overlap import Overlap

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
    """How far apart the centres are where the circles share that area; found by halving, since no formula gives it."""
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
    """The area that two circles share (Weisstein, "Circle-Circle Intersection", MathWorld, eq. 14)."""
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
