"""BG/NBD and gamma-gamma recover known parameters and predict later purchases."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from scipy.optimize import approx_fprime

from analytics.lifetime import bg_nbd, gamma_gamma
from analytics.lifetime.bg_nbd import BgNbd, TooLittleData
from analytics.lifetime.gamma_gamma import GammaGamma
from analytics.lifetime.purchase_history import History

TRUE = BgNbd(r=0.4, alpha=5.0, a=0.9, b=2.5)
SPEND = GammaGamma(p=6.0, q=4.0, v=15.0)
CUSTOMERS, WEEKS = 20_000, 39


def test_the_likelihood_matches_the_published_spreadsheet() -> None:
    """Fader, Hardie and Lee 2005, "Implementing the BG/NBD Model for Customer Base Analysis in Excel": the first customers of CDNOW."""
    history = History(
        np.array([2.0, 1.0, 0.0]), np.array([30.43, 1.71, 0.0]), np.array([38.86] * 3), np.zeros(3)
    )
    model = BgNbd(0.243, 4.414, 0.793, 2.426)

    values, _slopes = bg_nbd._log_likelihood(
        np.array([model.r, model.alpha, model.a, model.b]), history.repeats, history.recency, history.age
    )  # fmt: skip

    assert values == pytest.approx([-9.4596, -4.4711, -0.5538], abs=3e-3)


def test_the_gradient_matches_the_likelihood() -> None:
    shapes = np.array([[0.0, 0.0, 30.0], [1.0, 4.0, 20.0], [7.0, 30.0, 39.0]]).T
    at = np.array([0.3, 4.0, 0.8, 2.4])

    _values, slopes = bg_nbd._log_likelihood(at, *shapes)

    for customer in range(3):
        one = shapes[:, customer : customer + 1]
        numeric = approx_fprime(at, lambda each, one=one: bg_nbd._log_likelihood(each, *one)[0][0])
        assert slopes[:, customer] == pytest.approx(numeric, rel=1e-4, abs=1e-5)


def test_the_fit_recovers_the_purchase_parameters() -> None:
    model, _likelihood = bg_nbd.fit(_people()[0])

    assert model.r == pytest.approx(TRUE.r, rel=0.08)
    assert model.alpha == pytest.approx(TRUE.alpha, rel=0.08)
    assert model.a / (model.a + model.b) == pytest.approx(TRUE.a / (TRUE.a + TRUE.b), rel=0.08)


def test_the_fit_recovers_the_spend_parameters() -> None:
    model, _likelihood = gamma_gamma.fit(_people()[0])

    mean = model.p * model.v / (model.q - 1)
    assert mean == pytest.approx(SPEND.p * SPEND.v / (SPEND.q - 1), rel=0.04)
    assert model.q == pytest.approx(SPEND.q, rel=0.15)


def test_future_purchases_are_predicted() -> None:
    history, next_purchases = _people()
    model, _likelihood = bg_nbd.fit(history)

    expected = model.purchases(history, WEEKS)

    assert expected.sum() == pytest.approx(next_purchases.sum(), rel=0.05)
    frequent = history.repeats >= 3
    assert expected[frequent].sum() == pytest.approx(next_purchases[frequent].sum(), rel=0.08)


def test_new_customers_buy_as_the_model_predicts() -> None:
    history, _next = _people()

    assert TRUE.first_purchases(history.age).sum() == pytest.approx(history.repeats.sum(), rel=0.05)


def test_a_long_absence_lowers_the_probability_alive() -> None:
    history = History(
        np.array([5.0, 5.0, 0.0]), np.array([38.0, 6.0, 0.0]), np.array([39.0] * 3), np.zeros(3)
    )

    lately, long_ago, never_again = TRUE.alive(history)

    assert lately > 0.8
    assert long_ago < 0.1
    assert never_again == 1.0


def test_the_spend_of_few_purchases_shrinks_to_the_mean() -> None:
    history = History(np.array([1.0, 50.0]), np.zeros(2), np.zeros(2), np.array([100.0, 100.0]))
    everybody = SPEND.p * SPEND.v / (SPEND.q - 1)

    few, many = SPEND.spend(history)

    assert everybody < few < many < 100.0
    assert many == pytest.approx(100.0, rel=0.03)


def test_too_few_customers_give_no_model() -> None:
    nobody = History(*(np.zeros(3) for _each in range(4)))

    with pytest.raises(TooLittleData):
        bg_nbd.fit(nobody)
    with pytest.raises(TooLittleData):
        gamma_gamma.fit(nobody)


@cache
def _people() -> tuple[History, np.ndarray]:
    """Return customers simulated from the model for WEEKS, and their purchases in as many weeks after."""
    random = np.random.default_rng(3)
    rates = random.gamma(TRUE.r, 1 / TRUE.alpha, CUSTOMERS)
    chances = random.beta(TRUE.a, TRUE.b, CUSTOMERS)
    mean_rates = random.gamma(SPEND.q, 1 / SPEND.v, CUSTOMERS)
    repeats, recency, spend, later = (np.zeros(CUSTOMERS) for _each in range(4))
    for customer in range(CUSTOMERS):
        at = random.exponential(1 / rates[customer])
        while at < 2 * WEEKS:
            if at < WEEKS:
                repeats[customer] += 1
                recency[customer] = at
                spend[customer] += random.gamma(SPEND.p, 1 / mean_rates[customer])
            else:
                later[customer] += 1
            if random.random() < chances[customer]:
                break
            at += random.exponential(1 / rates[customer])
    mean_spend = np.divide(spend, repeats, out=np.zeros(CUSTOMERS), where=repeats > 0)
    return History(repeats, recency, np.full(CUSTOMERS, float(WEEKS)), mean_spend), later
