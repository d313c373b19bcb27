"""Attribution models that divide each conversion among the touchpoints of its own path.

Each model returns a matrix of paths × touchpoints whose rows add up to 1.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

from analytics.attribution.paths import Paths

END_SHARE = 0.4
"""The share of the first and of the last step in the position-based model; the steps between divide the rest."""


def first(paths: Paths) -> csr_array:
    """Credit the first step."""
    return paths.per_touchpoint((paths.place == 0).astype(float))


def last(paths: Paths) -> csr_array:
    """Credit the last step."""
    return paths.per_touchpoint(_is_last(paths).astype(float))


def linear(paths: Paths) -> csr_array:
    """Credit every step equally."""
    return paths.per_touchpoint(np.ones(len(paths.path)))


def time_decay(paths: Paths, half_life_days: float) -> csr_array:
    """Credit a step that is `half_life_days` older with half as much: 2^(−age / half-life).

    Ages count from the last step, so that no weight of an old path underflows; the shares are the same from any origin.
    """
    youngest = np.full(len(paths), np.inf)
    np.minimum.at(youngest, paths.path, paths.age)
    age = paths.age - youngest[paths.path]
    return paths.per_touchpoint(np.exp2(-age / half_life_days))


def position(paths: Paths) -> csr_array:
    """Credit 40 % to the first step, 40 % to the last and 20 % to those between; two steps get half each."""
    length = paths.length[paths.path]
    between = (1 - 2 * END_SHARE) / np.maximum(length - 2, 1)
    is_end = (paths.place == 0) | _is_last(paths)
    return paths.per_touchpoint(np.where(is_end, END_SHARE, between))


def shapley(paths: Paths) -> csr_array:
    """Credit the Shapley value of each touchpoint.

    The worth of a set of touchpoints is that of the paths without any other. Each path is then a unanimity game of its touchpoints,
    whose Shapley value is an equal part for each, whatever their order and number, so that the sum over all sets need not be taken
    (Zhao, Mahboobi and Bagheri 2018, "Shapley Value Methods for Attribution Modeling in Online Advertising", arXiv:1804.05327, 3.1).
    """
    touched = paths.per_touchpoint(np.ones(len(paths.path)))
    touched.data = np.ones_like(touched.data)
    touched.data /= np.repeat(touched.sum(axis=1), np.diff(touched.indptr))
    return touched


def _is_last(paths: Paths) -> np.ndarray:
    return paths.place == paths.length[paths.path] - 1
