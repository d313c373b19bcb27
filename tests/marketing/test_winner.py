"""Time, confidence or a bandit chooses the winner for the remaining customers."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from marketing.campaigns import moves, winner
from marketing.campaigns.posteriors import Tally, probabilities_to_be_best, thompson
from marketing.messages import queue
from marketing.models import CampaignRun
from marketing.sending import turn
from tests.factories.customers import make_customer
from tests.factories.marketing import make_campaign, make_sender, make_variants, take_snapshot

FIRST_ID = 1_000_000


def run_with_clicks(clicks: dict[str, int], **fields: Any) -> CampaignRun:
    """Create a run of 60 customers with a sent test and these clicks per variant.

    Fixed ids make the assignment deterministic.
    """
    for number in range(60):
        make_customer(pk=FIRST_ID + number)
    campaign = make_campaign(
        pk=FIRST_ID,
        sender=make_sender(provider="simulator"),
        **{"test_share": 50, "winner_by": "time", "winner_after_hours": Decimal(4), **fields},
    )
    make_variants(campaign, **dict.fromkeys(clicks, 1))
    run = moves.launch(campaign)
    take_snapshot(run)
    while turn.work_on(run.pk):
        pass
    for name, number in clicks.items():
        chosen = run.executions.filter(variant=name).values("pk")[:number]
        run.executions.filter(pk__in=list(chosen.values_list("pk", flat=True))).update(
            clicked_at=timezone.now(), revenue=10
        )
    run.refresh_from_db()
    return run


def after(run: CampaignRun, **time: float) -> None:
    winner.decide_tests(now=timezone.now() + timedelta(**time))
    run.refresh_from_db()
    run.campaign.refresh_from_db()


def waiting(run: CampaignRun) -> int:
    return run.executions.filter(variant="").count()


@pytest.mark.django_db
def test_remaining_customers_receive_the_most_clicked() -> None:
    run = run_with_clicks({"A": 2, "B": 9})
    rest = waiting(run)
    assert rest > 10
    assert not queue.has_due(run)

    after(run, hours=3.9)
    assert (waiting(run), run.campaign.winner) == (rest, "")

    after(run, hours=4.1)
    assert (run.campaign.winner, run.decides_at, waiting(run)) == ("B", None, 0)
    assert "2 of" in run.campaign.winner_why
    assert "B is the best with a probability of 9" in run.campaign.winner_why

    while turn.work_on(run.pk):
        pass
    run.refresh_from_db()
    assert run.state == "finished"
    assert Counter(run.executions.values_list("state", flat=True)) == {"sent": 60}


@pytest.mark.django_db
def test_undecided_messages_are_never_sent() -> None:
    run = run_with_clicks({"A": 1, "B": 1})
    run.executions.filter(variant="").update(next_attempt_at=timezone.now())
    assert not queue.has_due(run)
    assert not turn.work_on(run.pk)
    assert waiting(run) == run.executions.filter(state="pending").count() > 10


@pytest.mark.django_db
def test_high_confidence_decides_early() -> None:
    sure = run_with_clicks(
        {"A": 0, "B": 12}, winner_by="confidence", winner_confidence=Decimal("0.95")
    )
    after(sure, minutes=1)
    assert sure.campaign.winner == "B"


@pytest.mark.django_db
def test_low_confidence_decides_at_the_end_of_the_test() -> None:
    unsure = run_with_clicks(
        {"A": 5, "B": 5}, winner_by="confidence", winner_confidence=Decimal("0.999")
    )
    after(unsure, minutes=1)
    assert unsure.campaign.winner == ""
    after(unsure, hours=5)
    assert unsure.campaign.winner in {"A", "B"}


@pytest.mark.django_db
def test_a_bandit_assigns_batches_mostly_to_the_best() -> None:
    run = run_with_clicks({"A": 0, "B": 14}, winner_by="bandit")
    rest, before = waiting(run), Counter(run.executions.values_list("variant", flat=True))

    after(run, minutes=5)
    assert waiting(run) == rest
    after(run, minutes=13)
    given_at_once = rest - waiting(run)
    assert 0 < given_at_once < rest / 5
    after(run, minutes=14)
    assert rest - waiting(run) == given_at_once

    after(run, hours=4.1)
    assert waiting(run) == 0
    more = Counter(run.executions.values_list("variant", flat=True)) - before
    assert more["B"] > more["A"]
    assert (run.campaign.winner, run.decides_at) == ("B", None)


@pytest.mark.django_db
def test_a_paused_campaign_decides_after_resuming() -> None:
    run = run_with_clicks({"A": 1, "B": 9})
    moves.pause(run.campaign)
    after(run, hours=5)
    assert run.campaign.winner == ""
    moves.resume(run.campaign)
    after(run, hours=5)
    assert run.campaign.winner == "B"


@pytest.mark.django_db
def test_the_revenue_metric_compares_revenue_per_message() -> None:
    run = run_with_clicks({"A": 3, "B": 8}, winner_metric="revenue")
    found = {tally.name: tally for tally in winner.tallies(run, "revenue")}
    assert (found["A"].total, found["B"].total) == (30, 80)
    assert found["A"].squares == 300
    after(run, hours=5)
    assert run.campaign.winner == "B"
    assert "per message of" in run.campaign.winner_why


@given(
    a=st.integers(0, 200),
    b=st.integers(0, 200),
    more_a=st.integers(0, 500),
    more_b=st.integers(0, 500),
)
def test_the_probability_to_be_best_matches_beta_posteriors(
    a: int, b: int, more_a: int, more_b: int
) -> None:
    """Compare with the normal approximation if all counts are large; the sum is always 1."""
    found = probabilities_to_be_best([Tally("A", a + more_a, a), Tally("B", b + more_b, b)])
    assert found["A"] + found["B"] == pytest.approx(1)
    one, other = stats.beta(1 + a, 1 + more_a), stats.beta(1 + b, 1 + more_b)
    if min(a, b, more_a, more_b) > 30:
        spread = (one.var() + other.var()) ** 0.5
        expected = stats.norm.cdf((one.mean() - other.mean()) / spread)
        assert found["A"] == pytest.approx(expected, abs=0.02)


def test_variants_without_data_are_equally_likely() -> None:
    rates = probabilities_to_be_best([Tally("A", 0, 0), Tally("B", 0, 0), Tally("C", 0, 0)])
    assert all(abs(share - 1 / 3) < 0.01 for share in rates.values())
    silence = [Tally("A", 40, 0, 0.0), Tally("B", 40, 0, 0.0)]
    assert probabilities_to_be_best(silence) == {"A": 0.5, "B": 0.5}
    assert 350 < Counter(thompson(silence, 1000, [1]))["A"] < 650


def test_mean_revenue_has_a_student_t_posterior() -> None:
    known = Tally("A", 25, 250.0, 250.0**2 / 25 + 24 * 100.0)  # mean 10, standard deviation 10
    nothing = Tally("B", 10**9, 12.0 * 10**9, 144.0 * 10**9 + 1)
    found = probabilities_to_be_best([known, nothing])
    assert found["A"] == pytest.approx(stats.t.sf(1, df=24), abs=0.01)


def test_thompson_sampling_matches_the_probabilities() -> None:
    tallies = [Tally("A", 40, 10), Tally("B", 40, 13), Tally("C", 40, 4)]
    likely = probabilities_to_be_best(tallies)
    chosen = Counter(thompson(tallies, 20_000, [7]))
    for name, share in likely.items():
        assert chosen[name] / 20_000 == pytest.approx(share, abs=0.02)
    assert thompson(tallies, 50, [7, 1]) == thompson(tallies, 50, [7, 1])
