"""Models that share each conversion out by where a touchpoint stood, or how long before the end it was."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

from analytics.attribution.paths import Journeys

ENDS = 0.4
"""What the first and the last step get each of a position-based conversion; the steps between share the rest."""


def first(journeys: Journeys) -> csr_array:
    """Everything to the first step. Answers journeys × touchpoints, rows of which add up to 1, as all models here do."""
    return journeys.per_touchpoint((journeys.place == 0).astype(float))


def last(journeys: Journeys) -> csr_array:
    """Everything to the last step."""
    return journeys.per_touchpoint(_is_last(journeys).astype(float))


def linear(journeys: Journeys) -> csr_array:
    """The same to every step."""
    return journeys.per_touchpoint(np.ones(len(journeys.journey)))


def time_decay(journeys: Journeys, half_life_days: float) -> csr_array:
    """A step that is `half_life_days` older gets half as much: 2^(−age / half-life).

    Ages count from the last step, so that no weight of an old journey falls to zero; shares are the same from any origin.
    """
    youngest = np.full(len(journeys), np.inf)
    np.minimum.at(youngest, journeys.journey, journeys.age)
    age = journeys.age - youngest[journeys.journey]
    return journeys.per_touchpoint(np.exp2(-age / half_life_days))


def position(journeys: Journeys) -> csr_array:
    """40 % to the first step, 40 % to the last, 20 % shared by those between; two steps get half each."""
    length = journeys.length[journeys.journey]
    between = (1 - 2 * ENDS) / np.maximum(length - 2, 1)
    is_end = (journeys.place == 0) | _is_last(journeys)
    return journeys.per_touchpoint(np.where(is_end, ENDS, between))


def _is_last(journeys: Journeys) -> np.ndarray:
    return journeys.place == journeys.length[journeys.journey] - 1
