"""BG/NBD: how often customers buy while they are alive, and how soon they are lost.

Source: Fader, Hardie and Lee 2005, "Counting Your Customers the Easy Way: An Alternative to the Pareto/NBD Model", Marketing Science 24;
the numbers of equations are the paper's. Rates of buying differ between customers by a gamma distribution (r, alpha), the chance to be
lost after a purchase by a beta distribution (a, b). Times are in weeks.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass

import numpy as np
import scipy
from scipy.special import digamma, expit, gammaln, hyp2f1

from analytics.lifetime.history import History, Numbers

FEWEST_CUSTOMERS = 50
START = (1.0, 4.0, 1.0, 2.5)


class TooLittleData(ValueError):
    """There are too few customers, or none of them came back: nothing can be said."""


@dataclass(frozen=True, slots=True)
class BgNbd:
    """The four parameters, and how to ask of a customer."""

    r: float
    alpha: float
    a: float
    b: float

    def alive(self, history: History) -> Numbers:
        """The probability that each customer still buys, 0 to 1 (equation 8 of the paper's note on P(alive), by Fader, Hardie and Lee
        2008). Who never came back is alive by definition: the model loses people after repeat purchases alone."""
        odds = _log_odds_lost(self, history)
        return np.where(history.repeats > 0, expit(-odds), 1.0)

    def purchases(self, history: History, weeks: float) -> Numbers:
        """How many purchases of each customer are to be expected in the next weeks (equation 10)."""
        x, age = history.repeats, history.age
        r, alpha, a, b = astuple(self)
        after = alpha + age + weeks
        series = hyp2f1(r + x, b + x, a + b + x - 1, weeks / after)
        expected = (a + b + x - 1) / (a - 1) * (1 - ((alpha + age) / after) ** (r + x) * series)
        return np.clip(expected, 0.0, None) * self.alive(history)

    def silent(self, history: History, weeks: float) -> Numbers:
        """The probability that each customer buys nothing in the next weeks, 0 to 1: lost already, or alive and no purchase of a rate
        that is Gamma(r + x, alpha + T) by now (equation A5 with no purchase in between)."""
        waited = self.alpha + history.age
        none = (waited / (waited + weeks)) ** (self.r + history.repeats)
        return 1 - self.alive(history) * (1 - none)

    def first_purchases(self, weeks: Numbers) -> Numbers:
        """How many repeat purchases somebody new makes within so many weeks (equation 9)."""
        r, alpha, a, b = astuple(self)
        series = hyp2f1(r, b, a + b - 1, weeks / (alpha + weeks))
        grown: Numbers = (a + b - 1) / (a - 1) * (1 - (alpha / (alpha + weeks)) ** r * series)
        return grown


def fit(history: History) -> tuple[BgNbd, float]:
    """The parameters of maximum likelihood (equation 6), and the log-likelihood. Raises TooLittleData."""
    if len(history) < FEWEST_CUSTOMERS or not history.repeats.any():
        raise TooLittleData
    shapes, customers = np.unique(
        np.column_stack([history.repeats, history.recency, history.age]),
        axis=0,
        return_counts=True,
    )

    def loss(logs: Numbers) -> tuple[float, Numbers]:
        value, slope = _log_likelihood(np.exp(logs), *shapes.T)
        return -float(customers @ value) / len(history), -(slope @ customers) * np.exp(logs) / len(
            history
        )

    found = scipy.optimize.minimize(
        loss,
        np.log(START),
        jac=True,
        method="L-BFGS-B",
        bounds=[(-12, 12)] * 4,
        options={"ftol": 1e-13, "gtol": 1e-9, "maxiter": 2_000},
    )
    return BgNbd(*map(float, np.exp(found.x))), -float(found.fun) * len(history)


def _log_likelihood(
    parameters: Numbers, x: Numbers, recency: Numbers, age: Numbers
) -> tuple[Numbers, Numbers]:
    """The log-likelihood of each customer, and its slopes by the four parameters (4 × customers)."""
    r, alpha, a, b = parameters
    alive = -(r + x) * np.log(alpha + age)
    with np.errstate(divide="ignore"):
        lost = np.where(
            x > 0,
            np.log(a) - np.log(np.maximum(b + x - 1, 1e-300)) - (r + x) * np.log(alpha + recency),
            -np.inf,
        )
    either = np.logaddexp(alive, lost)
    share_alive, share_lost = np.exp(alive - either), np.exp(lost - either)
    value = (
        gammaln(r + x) - gammaln(r) + r * np.log(alpha)
        + gammaln(a + b) + gammaln(b + x) - gammaln(b) - gammaln(a + b + x)
        + either
    )  # fmt: skip
    both = digamma(a + b) - digamma(a + b + x)
    last = np.where(x > 0, b + x - 1, 1.0)
    slopes = np.array([
        digamma(r + x) - digamma(r) + np.log(alpha)
        - share_alive * np.log(alpha + age) - share_lost * np.log(alpha + recency),
        r / alpha - (r + x) * (share_alive / (alpha + age) + share_lost / (alpha + recency)),
        both + share_lost / a,
        both + digamma(b + x) - digamma(b) - share_lost / last,
    ])  # fmt: skip
    return value, slopes


def _log_odds_lost(model: BgNbd, history: History) -> Numbers:
    x = history.repeats
    last = np.where(x > 0, model.b + x - 1, 1.0)
    waited = np.log(model.alpha + history.age) - np.log(model.alpha + history.recency)
    return np.log(model.a) - np.log(last) + (model.r + x) * waited
