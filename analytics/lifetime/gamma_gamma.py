"""Gamma-gamma: a model of the mean amount of a purchase, which differs between customers.

Source: Fader, Hardie and Lee 2005, "RFM and CLV: Using Iso-Value Curves for Customer Base Analysis", Journal of Marketing Research 42,
and Fader and Hardie 2013, "The Gamma-Gamma Model of Monetary Value" (equations 1a and 5 there).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy
from scipy.special import digamma, gammaln

from analytics.lifetime.bg_nbd import MIN_CUSTOMERS, TooLittleData
from analytics.lifetime.purchase_history import History, Numbers


@dataclass(frozen=True, slots=True)
class GammaGamma:
    """The three fitted parameters; `v` is in units of money."""

    p: float
    q: float
    v: float

    def spend(self, history: History) -> Numbers:
        """Return the expected mean amount of a purchase of each customer (equation 5); NaN where q ≤ 1, as no mean exists."""
        if self.q <= 1:
            return np.full(len(history), np.nan)
        x = history.repeats
        return self.p * (self.v + x * history.spend) / (self.p * x + self.q - 1)


def fit(history: History) -> tuple[GammaGamma, float]:
    """Fit the parameters by maximum likelihood (equation 1a) for customers with repeat purchases above zero.

    Returns them and the log-likelihood. Raises TooLittleData.
    """
    is_known = (history.repeats > 0) & (history.spend > 0)
    x, spend = history.repeats[is_known], history.spend[is_known]
    if len(x) < MIN_CUSTOMERS:
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
