"""What each touchpoint adds to every set of the others, on average: its Shapley value."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

from analytics.attribution.paths import Journeys


def shapley(journeys: Journeys) -> csr_array:
    """Journeys × touchpoints, rows adding up to 1.

    The worth of a set of touchpoints is what came of journeys that met no others. Each journey is then a unanimity game of the
    touchpoints that it met, whose Shapley value is an equal part for each, whatever their order and number of times, so that the sum
    over all sets need not be taken (Zhao, Mahboobi and Bagheri 2018, "Shapley Value Methods for Attribution Modeling in Online
    Advertising", arXiv:1804.05327, 3.1).
    """
    met = journeys.per_touchpoint(np.ones(len(journeys.journey)))
    met.data = np.ones_like(met.data)
    met.data /= np.repeat(met.sum(axis=1), np.diff(met.indptr))
    return met
