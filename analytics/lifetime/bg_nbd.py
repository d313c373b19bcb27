"""BG/NBD: a model of how often customers buy while they are active, and how soon they churn.

Source: Fader, Hardie and Lee 2005, "Counting Your Customers the Easy Way: An Alternative to the Pareto/NBD Model", Marketing Science 24;
equations are numbered as in the paper. Purchase rates are gamma distributed between customers (r, alpha), the probability to churn after a
purchase is beta distributed (a, b). Times are in weeks.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass

import numpy as np
import scipy
from scipy.special import digamma, expit, gammaln, hyp2f1

from analytics.lifetime.purchase_history import History, Numbers

MIN_CUSTOMERS = 50
START = (1.0, 4.0, 1.0, 2.5)


class TooLittleData(ValueError):
    """There are too few customers, or none of them bought again."""


@dataclass(frozen=True, slots=True)
class BgNbd:
    """The four fitted parameters, and the predictions that follow from them."""

    r: float
    alpha: float
    a: float
    b: float

    def alive(self, history: History) -> Numbers:
        """Return the probability that each customer is still active, 0 to 1.

        Equation 8 of the note on P(alive) by Fader, Hardie and Lee 2008. A customer without a repeat purchase is active by definition.
        """
        odds = _log_odds_lost(self, history)
        return np.where(history.repeats > 0, expit(-odds), 1.0)

    def purchases(self, history: History, weeks: float) -> Numbers:
        """Return the expected purchases of each customer in the next weeks (equation 10)."""
        x, age = history.repeats, history.age
        r, alpha, a, b = astuple(self)
        after = alpha + age + weeks
        series = hyp2f1(r + x, b + x, a + b + x - 1, weeks / after)
        expected = (a + b + x - 1) / (a - 1) * (1 - ((alpha + age) / after) ** (r + x) * series)
        return np.clip(expected, 0.0, None) * self.alive(history)

    def silent(self, history: History, weeks: float) -> Numbers:
        """Return the probability that each customer buys nothing in the next weeks, 0 to 1.

        The customer has churned, or is active without a purchase at a rate that is Gamma(r + x, alpha + T) by now (equation A5).
        """
        waited = self.alpha + history.age
        none = (waited / (waited + weeks)) ** (self.r + history.repeats)
        return 1 - self.alive(history) * (1 - none)

    def first_purchases(self, weeks: Numbers) -> Numbers:
        """Return the expected repeat purchases of a new customer within the given weeks (equation 9)."""
        r, alpha, a, b = astuple(self)
        series = hyp2f1(r, b, a + b - 1, weeks / (alpha + weeks))
        grown: Numbers = (a + b - 1) / (a - 1) * (1 - (alpha / (alpha + weeks)) ** r * series)
        return grown


def fit(history: History) -> tuple[BgNbd, float]:
    """Fit the parameters by maximum likelihood (equation 6); return them and the log-likelihood. Raises TooLittleData."""
    if len(history) < MIN_CUSTOMERS or not history.repeats.any():
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
    """Return the log-likelihood of each customer, and its gradient (4 × customers)."""
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
