"""Customer profiles are rebuilt at night, and refreshed after each event during the day."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from analytics.models import ModelRun, ProfileRebuild
from analytics.people import profiles
from crm import jobs
from crm.events.models import MarketingEvent
from customers import customer_totals
from customers.models import Customer, CustomerProfile, ServiceInteraction, Visit
from customers.timeline import NewInteraction, record_interactions, types
from tests.factories.customers import make_customer, make_order, make_product
from tests.factories.marketing import make_campaign, make_execution, make_run, make_sender

pytestmark = pytest.mark.django_db

NOW = timezone.now()
DAY = timedelta(days=1)


def test_favourites_have_the_highest_spend() -> None:
    customer = make_customer()
    books = make_product(category="Books", brand="Penguin")
    toys = make_product(category="Toys", brand="Lego")
    make_order(customer, 30, products=[books])
    make_order(customer, 20, products=[toys])
    make_order(customer, 25, products=[toys])

    assert _profile(customer).favourite_category == "Toys"
    assert _profile(customer).favourite_brand == "Lego"


def test_visits_pages_and_service_are_summed_up() -> None:
    customer = make_customer()
    for number, seconds in enumerate((60, None, 40)):
        Visit.objects.create(
            external_id=f"v{number}", customer=customer, occurred_at=NOW, seconds=seconds
        )
    for category in ("Toys", "Books", "Books"):
        _add_event(customer, types.PAGE_VIEWED, category=category)
    for number, mark in enumerate((5, 2, None)):
        ServiceInteraction.objects.create(
            external_id=f"s{number}", customer=customer, occurred_at=NOW, satisfaction=mark
        )

    profile = _profile(customer)

    assert profile.seconds_on_site == 100
    assert profile.most_viewed_category == "Books"
    assert profile.satisfaction == pytest.approx(3.5)
    assert profile.last_interaction_type == types.PAGE_VIEWED


def test_response_rates_use_real_messages_only() -> None:
    customer = make_customer()
    mail = make_run(make_campaign(), state="finished")
    text = make_run(make_campaign(channel="sms"))
    invented = make_run(make_campaign(sender=make_sender(provider="simulator")), simulated=True)
    make_execution(mail, customer, state="sent", sent_at=NOW, opened_at=NOW)
    make_execution(text, customer, state="sent", sent_at=NOW, clicked_at=NOW)
    make_execution(make_run(mail.campaign), customer, state="sent", sent_at=NOW)
    make_execution(invented, customer, state="sent", sent_at=NOW, clicked_at=NOW)

    profile = _profile(customer)

    assert profile.response_rate == pytest.approx(2 / 3, abs=1e-6)
    assert profile.preferred_channel == "sms"


def test_the_best_send_time_is_local_to_the_customer() -> None:
    customer = make_customer(timezone="Asia/Tokyo")
    at = (NOW - DAY).replace(hour=23, minute=30)
    for days in range(5):
        _add_event(customer, types.MESSAGE_OPENED, at=at - days * DAY)

    assert _profile(customer).best_hour == 8


def test_few_opens_give_the_common_best_send_time() -> None:
    at = (NOW - DAY).replace(hour=9, minute=0)
    for _reader in range(5):
        reader = make_customer()
        for days in range(8):
            _add_event(reader, types.MESSAGE_OPENED, at=at - days * DAY)
    newcomer, owl = make_customer(), make_customer()
    _add_event(newcomer, types.MESSAGE_OPENED, at=at.replace(hour=22))
    for days in range(30):
        _add_event(owl, types.MESSAGE_OPENED, at=at.replace(hour=22) - days * DAY)

    assert _profile(newcomer).best_hour == 9
    assert _profile(owl).best_hour == 22


def test_bots_do_not_count_as_opens() -> None:
    customer = make_customer()
    _add_event(customer, types.MESSAGE_OPENED, machine=True)

    profile = _profile(customer)

    assert profile.best_hour is None
    assert profile.engagement_score == 0


def test_recent_activity_counts_most_for_engagement() -> None:
    lately, long_ago = make_customer(), make_customer()
    for days, customer in ((1, lately), (200, long_ago)):
        for _page in range(4):
            _add_event(customer, types.PAGE_VIEWED, at=NOW - days * DAY)

    assert (_profile(lately).engagement_score or 0) > 30 > 5 > (
        _profile(long_ago).engagement_score or 0
    )  # fmt: skip


def test_too_little_data_gives_no_predictions() -> None:
    customer = make_customer(total_spend=Decimal(80))

    profile = _profile(customer)

    assert profile.lifetime_value == Decimal(80)
    assert profile.churn_risk is None
    assert profile.alive_probability is None
    run = ModelRun.objects.get(kind=ModelRun.Kind.BG_NBD)
    assert run.parameters == {}


def test_enough_customers_give_lifetime_value_and_churn_risk() -> None:
    regular, lapsed = _shop_of_many()

    staying, gone = _profile(regular), CustomerProfile.objects.get(customer=lapsed)

    assert staying.churn_risk is not None
    assert gone.churn_risk is not None
    assert staying.churn_risk < gone.churn_risk
    assert (staying.alive_probability or 0) > (gone.alive_probability or 0)
    regular.refresh_from_db()
    assert staying.lifetime_value is not None
    assert staying.lifetime_value > regular.total_spend
    run = ModelRun.objects.get(kind=ModelRun.Kind.BG_NBD)
    assert set(run.parameters) == {"r", "alpha", "a", "b"}


def test_a_single_refresh_equals_a_full_rebuild() -> None:
    regular, _lapsed = _shop_of_many()
    make_order(regular, 12, products=[make_product(category="Tea")])
    profiles.rebuild()
    expected = CustomerProfile.objects.values().get(customer=regular)
    CustomerProfile.objects.all().delete()

    profiles.refresh([regular.pk])

    found = CustomerProfile.objects.values().get()
    for name in profiles.COLUMNS:
        assert found[name] == expected[name], name


def test_a_rebuild_without_news_changes_nothing() -> None:
    make_customer()
    profiles.rebuild()

    assert profiles.rebuild() == 0


def test_many_changed_customers_wait_for_one_rebuild(monkeypatch: pytest.MonkeyPatch) -> None:
    people = [make_customer().pk for _ in range(3)]
    profiles.rebuild()
    monkeypatch.setattr(profiles, "MAX_UPDATED", 2)
    profiles.follow(people[:2])
    assert not profiles.is_stale()
    profiles.follow(people)
    assert profiles.is_stale()
    profiles.rebuild()
    assert not profiles.is_stale()


def test_a_rebuild_resumes_after_its_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        make_customer()
    monkeypatch.setattr(profiles, "CHUNK", 1)
    rebuild = profiles.start_rebuild()
    assert rebuild

    for written in (1, 2, 3):
        assert jobs.work_on("analytics.profilerebuild", rebuild.pk, turn_seconds=0)
        assert CustomerProfile.objects.count() == written
    assert not jobs.work_on("analytics.profilerebuild", rebuild.pk, turn_seconds=0)

    rebuild.refresh_from_db()
    assert (rebuild.state, rebuild.done, rebuild.changed) == ("finished", 3, 3)
    assert ModelRun.objects.filter(kind=ModelRun.Kind.RFM).count() == 1


def test_a_second_rebuild_waits_for_the_first() -> None:
    first = profiles.start_rebuild()

    assert profiles.start_rebuild() == first
    assert ProfileRebuild.objects.count() == 1

    profiles.rebuild()
    assert profiles.start_rebuild() != first


def test_a_rebuild_of_many_announces_a_bounded_number(monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        make_customer()
    monkeypatch.setattr(profiles, "CHUNK", 1)
    monkeypatch.setattr(profiles, "MAX_ANNOUNCED", 1)

    profiles.rebuild()

    scored = MarketingEvent.objects.filter(type=types.CUSTOMERS_SCORED)
    assert sum(len(each.data["customers"]) for each in scored) == 1


def _shop_of_many() -> tuple[Customer, Customer]:
    """Create seventy customers with different habits, among them a weekly and a lapsed weekly buyer."""
    people = [make_customer() for _number in range(70)]
    for number, customer in enumerate(people):
        for purchase in range(1 + number % 6):
            ago = (300 - 9 * number % 250) - 40 * purchase
            make_order(customer, 10 + number % 7 + purchase, NOW - max(ago, 1) * DAY)
    regular, lapsed = people[0], people[1]
    for week in range(30):
        make_order(regular, 20 + week % 3, NOW - (7 * week + 1) * DAY)
        make_order(lapsed, 20 + week % 3, NOW - (7 * week + 160) * DAY)
    customer_totals.rebuild()
    return regular, lapsed


def _add_event(customer: Customer, kind: str, at: Any = NOW, **properties: Any) -> None:
    record_interactions([NewInteraction(customer.pk, kind, at, properties)])


def _profile(customer: Customer) -> CustomerProfile:
    profiles.rebuild()
    return CustomerProfile.objects.get(customer=customer)
