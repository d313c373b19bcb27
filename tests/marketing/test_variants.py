"""Variants are assigned by weight, stable across runs, and rendered separately."""

from __future__ import annotations

import uuid
from collections import Counter
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketing.campaigns import assignment, moves
from marketing.messages import batches, queue
from marketing.models import Campaign, CampaignRun, CampaignTemplate
from marketing.sending.compose import Composer
from tests.factories.customers import make_customer
from tests.factories.marketing import make_campaign, make_variants, take_snapshot


def launched(campaign: Campaign) -> CampaignRun:
    run = moves.launch(campaign)
    take_snapshot(run)
    run.refresh_from_db()
    return run


def variants_of(run: CampaignRun) -> dict[int, str]:
    return dict(run.executions.values_list("customer_id", "variant"))


@given(campaign=st.integers(1, 10**9), share=st.floats(0.05, 0.95))
def test_buckets_are_even_within_four_standard_deviations(campaign: int, share: float) -> None:
    salt, people = assignment.salt("variant", campaign), 3_000
    drawn = sum(assignment.bucket(salt, person) < share for person in range(people))
    assert abs(drawn - share * people) < 4.5 * (share * (1 - share) * people) ** 0.5


@pytest.mark.django_db
def test_shares_follow_the_weights() -> None:
    for _ in range(300):
        make_customer()
    campaign = make_campaign()
    make_variants(campaign, A=1, B=2, C=3)

    found = Counter(variants_of(launched(campaign)).values())

    assert set(found) == {"A", "B", "C"}
    assert abs(found["A"] - 50) < 30
    assert abs(found["B"] - 100) < 40
    assert abs(found["C"] - 150) < 40


@pytest.mark.django_db
def test_the_database_computes_the_same_buckets() -> None:
    everybody = [make_customer() for _ in range(40)]
    campaign = make_campaign()
    make_variants(campaign, A=1, B=3)
    salt = assignment.salt("variant", campaign.pk)
    assert variants_of(launched(campaign)) == {
        each.pk: "A" if assignment.bucket(salt, each.pk) < 0.25 else "B" for each in everybody
    }


@pytest.mark.django_db
def test_a_single_variant_goes_to_every_customer() -> None:
    customer, campaign = make_customer(), make_campaign()
    make_variants(campaign, Only=1)
    assert variants_of(launched(campaign)) == {customer.pk: "Only"}


@pytest.mark.django_db
def test_customers_keep_their_variant_in_later_runs() -> None:
    for _ in range(40):
        make_customer()
    campaign = make_campaign()
    a, _b = make_variants(campaign, A=1, B=1)
    first = variants_of(launched(campaign))
    moves.complete(campaign)
    a.weight = 100
    a.save()
    newcomer = make_customer()
    Campaign.objects.filter(pk=campaign.pk).update(state="draft", winner="B")
    campaign.refresh_from_db()

    second = variants_of(launched(campaign))

    assert second.pop(newcomer.pk) == "B"
    assert second == first


@pytest.mark.django_db
def test_customers_outside_the_test_wait_for_the_winner() -> None:
    everybody = [make_customer() for _ in range(60)]
    campaign = make_campaign(test_share=30, winner_by="time", winner_after_hours=Decimal(6))
    make_variants(campaign, A=1, B=1)

    run = launched(campaign)

    salt = assignment.salt("test", campaign.pk)
    tested = {each.pk for each in everybody if assignment.bucket(salt, each.pk) < 0.3}
    assert {pk for pk, variant in variants_of(run).items() if variant} == tested
    waiting = run.executions.filter(variant="")
    assert set(waiting.values_list("next_attempt_at", flat=True)) == {run.decides_at}
    assert run.started_at is not None
    assert run.decides_at == run.started_at + timedelta(hours=6)
    assert not run.executions.exclude(variant="").exclude(next_attempt_at=None).exists()


@pytest.mark.django_db
def test_each_message_uses_its_variant_frozen_at_launch() -> None:
    for _ in range(12):
        make_customer()
    campaign = make_campaign()
    make_variants(campaign, A=1, B=1)
    run = launched(campaign)
    CampaignTemplate.objects.update(subject="Changed since")

    composer = Composer(batches.plan_of(run))
    for claimed in queue.claim(run, uuid.uuid4()):
        assert composer.compose(claimed).subject == claimed.variant
    for message in run.executions.all():
        assert message.version.subject == message.variant
