"""A snapshot adds every customer of the audience once and counts skip reasons."""

from __future__ import annotations

import pytest

from crm.api import ids
from customers import consent
from customers.identity import merge
from customers.models import Segment, Suppression
from customers.segments import suggestions
from customers.segments.language import validate
from customers.segments.membership.refresh import refresh
from marketing.campaigns import audience, moves, runs
from marketing.campaigns.audience import dry_run
from marketing.campaigns.states import NobodyToSendTo
from marketing.models import CampaignExecution
from tests.factories.customers import make_customer
from tests.factories.marketing import make_campaign

pytestmark = pytest.mark.django_db

EVERYONE = {"operator": "AND", "conditions": []}


def in_country(country: str) -> dict[str, object]:
    rule = {"field": "country", "operator": "=", "value": country}
    return {"operator": "AND", "conditions": [rule]}


def make_segment(slug: str, country: str) -> Segment:
    segment = Segment.objects.create(name=slug, slug=slug, rules=in_country(country))
    refresh(segment)
    return segment


def test_segments_exclusions_and_filter_form_the_audience() -> None:
    german = make_customer(country="DE", city="Berlin")
    french = make_customer(country="FR", city="Paris")
    make_customer(country="US")
    campaign = make_campaign(
        segments=[make_segment("de", "DE"), make_segment("fr", "FR")], rules=None
    )
    assert set(audience.customers_of(campaign)) == {german, french}

    campaign.rules = {
        "operator": "AND",
        "conditions": [{"field": "city", "operator": "=", "value": "berlin"}],
    }
    assert set(audience.customers_of(campaign)) == {german}

    campaign.rules = None
    campaign.exclude_segments.add(Segment.objects.get(slug="de"))
    assert set(audience.customers_of(campaign)) == {french}


def test_a_campaign_without_filters_has_no_audience() -> None:
    with pytest.raises(audience.NoAudience):
        audience.customers_of(make_campaign(rules=None))


def test_unreachable_customers_are_counted_by_reason() -> None:
    make_customer(email="fine@example.com")
    make_customer(email=None, external_id="no-address")
    opted_out = make_customer(email="out@example.com")
    consent.opt_out(opted_out.pk, "email", "asked on the phone")
    make_customer(email="Bounced@example.com")
    consent.suppress("email", "bounced@EXAMPLE.com", Suppression.Reason.HARD_BOUNCE, "550")

    reach = dry_run(make_campaign(rules=EVERYONE))

    assert (reach.audience, reach.reachable) == (4, 1)
    assert reach.skipped == {"no_address": 1, "not_subscribed": 1, "suppressed": 1}


def test_a_repeated_snapshot_adds_every_customer_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(runs, "CHUNK", 2)
    for number in range(5):
        make_customer(email=f"p{number}@example.com")
    make_customer(email=None, external_id="no-address")
    run = moves.launch(make_campaign(rules=EVERYONE))

    assert runs.fill(run)
    while runs.fill(run):
        pass
    assert not runs.fill(run)

    assert CampaignExecution.objects.count_by_state() == {"pending": 5, "skipped": 1}
    run.refresh_from_db()
    assert (run.state, run.audience) == ("sending", 6)


def test_a_merge_during_the_snapshot_leaves_one_message(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(runs, "CHUNK", 1)
    first, middle, last = [make_customer(email=f"{name}@example.com") for name in "abc"]
    run = moves.launch(make_campaign(rules=EVERYONE))
    assert runs.fill(run)
    merge(last.pk, first.pk, by=None)
    while runs.fill(run):
        pass

    run.refresh_from_db()
    assert (run.state, run.audience) == ("sending", 2)
    assert set(run.executions.values_list("customer", flat=True)) == {middle.pk, last.pk}


def test_the_snapshot_excludes_later_customers() -> None:
    make_customer(email="first@example.com")
    campaign = make_campaign(rules=EVERYONE)
    run = moves.launch(campaign)
    while runs.fill(run):
        pass
    moves.pause(campaign)
    make_customer(email="late@example.com")

    moves.resume(campaign)
    runs.fill(run)

    assert run.executions.count() == 1


def test_a_snapshot_uses_current_segment_members() -> None:
    segment = make_segment("de", "DE")
    run = moves.launch(make_campaign(segments=[segment], rules=None))
    newcomer = make_customer(country="DE", email="new@example.com")

    while runs.fill(run):
        pass

    assert [each.customer for each in run.executions.all()] == [newcomer]


def test_a_filter_uses_its_segment_until_the_campaign_ends() -> None:
    segment = make_segment("de", "DE")
    speaks = {"field": "segment", "operator": "contains", "value": "de"}
    campaign = make_campaign(rules={"operator": "AND", "conditions": [speaks]})
    also_chosen = make_campaign(segments=[segment], rules=campaign.rules)
    make_campaign(rules=EVERYONE)

    assert set(validate.users_of(segment)) == {campaign, also_chosen}
    assert len(validate.users_of(segment)) == 2
    with pytest.raises(validate.SegmentInUse):
        validate.check_can_delete(segment)

    type(campaign).objects.update(state="completed")
    assert validate.users_of(segment) == [also_chosen]


def test_suggestions_find_campaigns_by_name_and_id() -> None:
    make_campaign(name="Summer sale")
    winter = make_campaign(name="Winter sale")
    public = ids.encode("cmp", winter.pk)

    for written in ("wint", public):
        (found,) = suggestions.suggest_property_values("message_opened", "campaign", written)
        assert (found.value, found.label, found.hint) == (public, "Winter sale", "Draft")


def test_segments_are_refreshed_before_a_start_is_refused() -> None:
    make_customer(country="DE", email=None, external_id="x")
    campaign = make_campaign(segments=[make_segment("de", "DE")])
    with pytest.raises(NobodyToSendTo):
        moves.launch(campaign)
    make_customer(country="DE")
    assert moves.launch(campaign)
