"""How many conversions would be lost without a touchpoint, in a Markov chain of journeys: its removal effect.

Source: Anderl, Becker, von Wangenheim and Schumann 2016, "Mapping the customer journey: Lessons learned from graph-based online
attribution modeling", International Journal of Research in Marketing 33. A state is the last `order` touchpoints. Taking a touchpoint
away sends whoever would come to a state with it to "not converted"; the chance of a conversion is solved for, not simulated.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array, eye_array
from scipy.sparse.linalg import splu

from analytics.attribution.paths import Indices, Journeys, Numbers

START = 0


@dataclass(frozen=True)
class Chain:
    """The states of some journeys. Each step of a journey comes from state `source` to state `state`; state 0 is the start.

    `members` is states × touchpoints: which touchpoints a state consists of.
    """

    journeys: Journeys
    source: Indices
    state: Indices
    last_state: Indices
    members: np.ndarray

    @classmethod
    def of(cls, journeys: Journeys, order: int) -> Chain:
        """The chain of an order from 1 up: how many touchpoints back a person remembers."""
        recent = np.column_stack([_earlier(journeys, back) for back in range(order)])
        found, state = np.unique(recent, axis=0, return_inverse=True)
        state = state.reshape(-1) + 1
        source = np.where(journeys.place == 0, START, np.roll(state, 1))
        members = np.zeros((len(found) + 1, len(journeys.names)), dtype=bool)
        for back in range(order):
            known = found[:, back] >= 0
            members[1:][known, found[known, back]] = True
        ends = np.cumsum(journeys.length) - 1
        return cls(journeys, source, state, state[ends], members)

    def removal_effects(self, journeys: Journeys) -> tuple[Numbers, Numbers]:
        """The part of conversions, and of their value, that would be lost without each touchpoint, for the journeys of the chain with
        any numbers of people."""
        states = len(self.members)
        people = journeys.conversions + journeys.nulls
        flow = csr_array(
            (people[journeys.journey], (self.source, self.state)), shape=(states, states)
        )
        leaving = np.asarray(flow.sum(axis=1)) + self._ending(people)
        rate = np.divide(1.0, leaving, out=np.zeros(states), where=leaving > 0)
        step = csr_array(flow * rate[:, None])
        ends = np.column_stack([self._ending(journeys.conversions), self._ending(journeys.values)])
        won = ends * rate[:, None]
        everything = _worth_at_start(step, won)
        without = np.array([self._without(step, won, each) for each in range(len(journeys.names))])
        with np.errstate(invalid="ignore", divide="ignore"):
            effects = np.where(everything > 0, 1 - without / everything, 0.0)
        return effects[:, 0], effects[:, 1]

    def _without(self, step: csr_array, won: Numbers, touchpoint: int) -> Numbers:
        stays = np.flatnonzero(~self.members[:, touchpoint])
        return _worth_at_start(step[stays][:, stays], won[stays])

    def _ending(self, amounts: Numbers) -> Numbers:
        return np.bincount(self.last_state, amounts, minlength=len(self.members)).astype(float)


def _worth_at_start(step: csr_array, won: Numbers) -> Numbers:
    """What is won from the start on: x = won + step · x, at state 0."""
    system = (eye_array(step.shape[0]) - step).tocsc()
    worth: Numbers = splu(system).solve(won)
    return worth[START]


def _earlier(journeys: Journeys, back: int) -> Indices:
    """The touchpoint so many steps before each step; −1 before the beginning of its journey."""
    return np.where(journeys.place >= back, np.roll(journeys.touchpoint, back), -1)
