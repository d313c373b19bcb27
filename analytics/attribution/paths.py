"""Journeys: which touchpoints people met, in order, and whether they bought in the end."""

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
class Journey:
    """One way that people went, and how many of them.

    `steps` are the touchpoints in order; `ages` are the days from each step to the end of the journey. `conversions` people bought for
    `value` in all, `nulls` did not buy.
    """

    steps: Sequence[str]
    conversions: float
    value: float = 0.0
    nulls: float = 0.0
    ages: Sequence[float] | None = None


@dataclass(frozen=True)
class Journeys:
    """Many journeys as arrays. Steps of all journeys stand in one row: `touchpoint`, `journey` and `age` tell of each.

    `conversions`, `values` and `nulls` have an entry a journey.
    """

    names: list[str]
    touchpoint: Indices
    journey: Indices
    age: Numbers
    conversions: Numbers
    values: Numbers
    nulls: Numbers

    @classmethod
    def of(cls, journeys: Iterable[Journey]) -> Journeys:
        """Lay out journeys; those without a step are owed to nobody and are left out. Without ages, steps are a day apart."""
        kept = [journey for journey in journeys if journey.steps]
        names = sorted({step for journey in kept for step in journey.steps})
        index = {name: place for place, name in enumerate(names)}
        return cls(
            names,
            touchpoint=_indices(index[step] for each in kept for step in each.steps),
            journey=np.repeat(np.arange(len(kept)), [len(each.steps) for each in kept]),
            age=_numbers(age for each in kept for age in _ages(each)),
            conversions=_numbers(each.conversions for each in kept),
            values=_numbers(each.value for each in kept),
            nulls=_numbers(each.nulls for each in kept),
        )

    def __len__(self) -> int:
        return len(self.conversions)

    @cached_property
    def length(self) -> Indices:
        """How many steps each journey has."""
        return np.bincount(self.journey, minlength=len(self))

    @cached_property
    def place(self) -> Indices:
        """The number of each step in its journey, from 0."""
        starts = np.cumsum(self.length) - self.length
        return np.arange(len(self.journey)) - starts[self.journey]

    def resampled(self, random: np.random.Generator) -> Journeys:
        """The same journeys with other numbers of people: a Poisson bootstrap (Chamandy, Muralidharan, Najmi and Naidu 2012,
        "Estimating Uncertainty for Massive Data Streams"), which is the bootstrap of the people behind the counts."""
        conversions = random.poisson(self.conversions).astype(float)
        with np.errstate(invalid="ignore"):
            share = np.where(self.conversions > 0, conversions / self.conversions, 0.0)
        nulls = random.poisson(self.nulls).astype(float)
        return replace(self, conversions=conversions, values=self.values * share, nulls=nulls)

    def per_touchpoint(self, weights: Numbers) -> csr_array:
        """A matrix of journeys × touchpoints that adds up the weights of steps, scaled so that each journey has 1 to give."""
        shape = (len(self), len(self.names))
        given = csr_array((weights, (self.journey, self.touchpoint)), shape=shape)
        given.sum_duplicates()
        given.data /= np.repeat(given.sum(axis=1), np.diff(given.indptr))
        return given


def _ages(journey: Journey) -> Sequence[float]:
    return range(len(journey.steps) - 1, -1, -1) if journey.ages is None else journey.ages


def _numbers(values: Iterable[float]) -> Numbers:
    return np.fromiter(values, dtype=np.float64)


def _indices(values: Iterable[int]) -> Indices:
    return np.fromiter(values, dtype=np.intp)
