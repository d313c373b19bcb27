"""Paths to conversion: the touchpoints of customers in order, and whether the customers bought."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

Numbers = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Path:
    """A sequence of touchpoints, and how many customers took it.

    `ages` are the days from each step to the end of the path. `conversions` customers bought for `value` in all, `nulls` did not buy.
    """

    steps: Sequence[str]
    conversions: float
    value: float = 0.0
    nulls: float = 0.0
    ages: Sequence[float] | None = None


@dataclass(frozen=True)
class Paths:
    """Many paths as arrays.

    `touchpoint`, `path` and `age` have an entry for each step, `conversions`, `values` and `nulls` one for each path.
    """

    names: list[str]
    touchpoint: Indices
    path: Indices
    age: Numbers
    conversions: Numbers
    values: Numbers
    nulls: Numbers

    @classmethod
    def of(cls, paths: Iterable[Path]) -> Paths:
        """Build the arrays; a path without a step is left out, and steps without ages are a day apart."""
        paths = [path for path in paths if path.steps]
        names = sorted({step for path in paths for step in path.steps})
        index = {name: place for place, name in enumerate(names)}
        return cls(
            names,
            touchpoint=_indices(index[step] for each in paths for step in each.steps),
            path=np.repeat(np.arange(len(paths)), [len(each.steps) for each in paths]),
            age=_numbers(age for each in paths for age in _ages(each)),
            conversions=_numbers(each.conversions for each in paths),
            values=_numbers(each.value for each in paths),
            nulls=_numbers(each.nulls for each in paths),
        )

    def __len__(self) -> int:
        return len(self.conversions)

    @cached_property
    def length(self) -> Indices:
        """Return the number of steps of each path."""
        return np.bincount(self.path, minlength=len(self))

    @cached_property
    def place(self) -> Indices:
        """Return the position of each step in its path, from 0."""
        starts = np.cumsum(self.length) - self.length
        return np.arange(len(self.path)) - starts[self.path]

    def resampled(self, random: np.random.Generator) -> Paths:
        """Draw other numbers of customers for the same paths: a Poisson bootstrap (Chamandy, Muralidharan, Najmi and Naidu 2012,
        "Estimating Uncertainty for Massive Data Streams"), equivalent to resampling the customers behind the counts."""
        conversions = random.poisson(self.conversions).astype(float)
        with np.errstate(invalid="ignore"):
            share = np.where(self.conversions > 0, conversions / self.conversions, 0.0)
        nulls = random.poisson(self.nulls).astype(float)
        return replace(self, conversions=conversions, values=self.values * share, nulls=nulls)

    def per_touchpoint(self, weights: Numbers) -> csr_array:
        """Add up the weights of steps in a matrix of paths × touchpoints, scaled so that each row adds up to 1."""
        shape = (len(self), len(self.names))
        shares = csr_array((weights, (self.path, self.touchpoint)), shape=shape)
        shares.sum_duplicates()
        shares.data /= np.repeat(shares.sum(axis=1), np.diff(shares.indptr))
        return shares


def _ages(path: Path) -> Sequence[float]:
    return range(len(path.steps) - 1, -1, -1) if path.ages is None else path.ages


def _numbers(values: Iterable[float]) -> Numbers:
    return np.fromiter(values, dtype=np.float64)


def _indices(values: Iterable[int]) -> Indices:
    return np.fromiter(values, dtype=np.intp)
