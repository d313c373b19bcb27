"""Gamma-gamma: what customers spend on a purchase, on average, when it differs between them more than between their purchases.

Source: Fader, Hardie and Lee 2005, "RFM and CLV: Using Iso-Value Curves for Customer Base Analysis", Journal of Marketing Research 42,
and Fader and Hardie 2013, "The Gamma-Gamma Model of Monetary Value" (equations 1a and 5 there).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy
from scipy.special import digamma, gammaln

from analytics.lifetime.bg_nbd import FEWEST_CUSTOMERS, TooLittleData
from analytics.lifetime.history import History, Numbers


@dataclass(frozen=True, slots=True)
class GammaGamma:
    """The three parameters; `v` is in units of money."""

    p: float
    q: float
    v: float

    def spend(self, history: History) -> Numbers:
        """The mean amount of a purchase to be expected of each customer: between what this one spent and what all do, the nearer to this
        one's the more purchases there were (equation 5). Not a number for all where q ≤ 1, as no mean exists then."""
        if self.q <= 1:
            return np.full(len(history), np.nan)
        x = history.repeats
        return self.p * (self.v + x * history.spend) / (self.p * x + self.q - 1)


def fit(history: History) -> tuple[GammaGamma, float]:
    """The parameters of maximum likelihood (equation 1a) for those who bought again for more than nothing, and the log-likelihood.

    Raises customers of too small a number as TooLittleData.
    """
    is_known = (history.repeats > 0) & (history.spend > 0)
    x, spend = history.repeats[is_known], history.spend[is_known]
    if len(x) < FEWEST_CUSTOMERS:
        raise TooLittleData

    def loss(logs: Numbers) -> tuple[float, Numbers]:
        p, q, v = np.exp(logs)
        px, whole = p * x, v + x * spend
        value = (
            gammaln(px + q) - gammaln(px) - gammaln(q) + q * np.log(v)
            + (px - 1) * np.log(spend) + px * np.log(x) - (px + q) * np.log(whole)
        )  # fmt: skip
        slopes = np.array([
            x * (digamma(px + q) - digamma(px) + np.log(spend) + np.log(x) - np.log(whole)),
            digamma(px + q) - digamma(q) + np.log(v) - np.log(whole),
            q / v - (px + q) / whole,
        ])  # fmt: skip
        return -float(value.mean()), -slopes.mean(axis=1) * np.exp(logs)

    found = scipy.optimize.minimize(
        loss,
        np.log([1.0, 2.0, float(spend.mean())]),
        jac=True,
        method="L-BFGS-B",
        bounds=[(-12, 18)] * 3,
        options={"ftol": 1e-13, "gtol": 1e-9, "maxiter": 2_000},
    )
    return GammaGamma(*map(float, np.exp(found.x))), -float(found.fun) * len(x)
