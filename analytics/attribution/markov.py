"""Attribution by removal effects: the conversions that a Markov chain of paths loses without a touchpoint.

Source: Anderl, Becker, von Wangenheim and Schumann 2016, "Mapping the customer path: Lessons learned from graph-based online
attribution modeling", International Journal of Research in Marketing 33. A state is the last `order` touchpoints. Removing a touchpoint
turns every transition to a state with it into "not converted"; the probability of a conversion is solved for, not simulated.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array, eye_array
from scipy.sparse.linalg import splu

from analytics.attribution.paths import Indices, Numbers, Paths

START = 0


@dataclass(frozen=True)
class Chain:
    """The states of some paths. Each step is a transition from state `source` to state `state`; state 0 is the start.

    `members` is a matrix of states × touchpoints: the touchpoints of each state.
    """

    paths: Paths
    source: Indices
    state: Indices
    last_state: Indices
    members: np.ndarray

    @classmethod
    def of(cls, paths: Paths, order: int) -> Chain:
        """Build the chain of a given order: the number of touchpoints in a state, from 1."""
        recent = np.column_stack([_earlier(paths, back) for back in range(order)])
        found, state = np.unique(recent, axis=0, return_inverse=True)
        state = state.reshape(-1) + 1
        source = np.where(paths.place == 0, START, np.roll(state, 1))
        members = np.zeros((len(found) + 1, len(paths.names)), dtype=bool)
        for back in range(order):
            known = found[:, back] >= 0
            members[1:][known, found[known, back]] = True
        ends = np.cumsum(paths.length) - 1
        return cls(paths, source, state, state[ends], members)

    def removal_effects(self, paths: Paths) -> tuple[Numbers, Numbers]:
        """Return the fractions of conversions and of value lost without each touchpoint.

        `paths` are those of the chain with any numbers of customers.
        """
        states = len(self.members)
        customers = paths.conversions + paths.nulls
        flow = csr_array((customers[paths.path], (self.source, self.state)), shape=(states, states))
        leaving = np.asarray(flow.sum(axis=1)) + self._ending(customers)
        rate = np.divide(1.0, leaving, out=np.zeros(states), where=leaving > 0)
        step = csr_array(flow * rate[:, None])
        ends = np.column_stack([self._ending(paths.conversions), self._ending(paths.values)])
        won = ends * rate[:, None]
        everything = _worth_at_start(step, won)
        without = np.array([self._without(step, won, each) for each in range(len(paths.names))])
        with np.errstate(invalid="ignore", divide="ignore"):
            effects = np.where(everything > 0, 1 - without / everything, 0.0)
        return effects[:, 0], effects[:, 1]

    def _without(self, step: csr_array, won: Numbers, touchpoint: int) -> Numbers:
        stays = np.flatnonzero(~self.members[:, touchpoint])
        return _worth_at_start(step[stays][:, stays], won[stays])

    def _ending(self, amounts: Numbers) -> Numbers:
        return np.bincount(self.last_state, amounts, minlength=len(self.members)).astype(float)


def _worth_at_start(step: csr_array, won: Numbers) -> Numbers:
    """Solve x = won + step · x, and return x at the start."""
    system = (eye_array(step.shape[0]) - step).tocsc()
    worth: Numbers = splu(system).solve(won)
    return worth[START]


def _earlier(paths: Paths, back: int) -> Indices:
    """Return the touchpoint `back` steps before each step; −1 before the beginning of its path."""
    return np.where(paths.place >= back, np.roll(paths.touchpoint, back), -1)
