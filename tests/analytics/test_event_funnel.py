"""Event funnels count the customers who reach each step in order and in time, as a plain walk does."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from statistics import median

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from analytics import funnels
from analytics.funnels import Step, event_funnel
from customers.models import Customer, Interaction, Segment, SegmentMembership
from customers.timeline import NewInteraction, record_interactions
from tests.factories.customers import make_customer

pytestmark = pytest.mark.django_db

FIRST, LAST = date(2026, 3, 1), date(2026, 3, 10)
WAY = ("page_viewed", "cart", "order_placed")
PAGE = reverse("admin:analytics_funnel")
API = "/api/analytics/funnel"
MARCH = "since=2026-03-01&until=2026-03-10"

Happened = tuple[str, datetime]


def at(day: int, hour: int = 12) -> datetime:
    return datetime(2026, 3, 1, hour, tzinfo=timezone.get_default_timezone()) + timedelta(
        days=day - 1
    )


def add_events(customer: Customer, *happened: Happened, **properties: object) -> None:
    record_interactions(
        [NewInteraction(customer.pk, kind, when, properties) for kind, when in happened]
    )


def counts(steps: Sequence[Step]) -> list[int]:
    return [step.count for step in steps]


def walk(
    happened: Sequence[Happened], way: Sequence[str], window: timedelta
) -> list[datetime] | None:
    """Return the first attempt that reaches furthest; each step matches the next fitting event."""
    start, end = at(1, 0), at(11, 0)
    best: list[datetime] | None = None
    for begun in sorted(when for kind, when in happened if kind == way[0] and start <= when < end):
        times = [begun]
        for step in way[1:]:
            fits = [
                when
                for kind, when in happened
                if kind == step and times[-1] < when <= begun + window
            ]
            if not fits:
                break
            times.append(min(fits))
        if best is None or len(times) > len(best):
            best = times
    return best


moments = st.integers(-30, 15 * 24).map(lambda hours: at(1, 0) + timedelta(hours=hours))
histories = st.lists(
    st.lists(st.tuples(st.sampled_from(["a", "b", "c", "d"]), moments), max_size=14), max_size=6
)
ways = st.lists(st.sampled_from(["a", "b", "c"]), min_size=2, max_size=5)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(histories, ways, st.integers(1, 8))
def test_the_query_matches_a_walk_through_the_events(
    people: list[list[Happened]], way: list[str], window_days: int
) -> None:
    cache.clear()
    Interaction.objects.all().delete()
    for happened in people:
        add_events(make_customer(), *happened)
    window = timedelta(days=window_days)
    walks = [found for each in people if (found := walk(each, way, window))]

    steps = event_funnel(way, FIRST, LAST, window_days=window_days)

    for place, step in enumerate(steps):
        came = [found for found in walks if len(found) > place]
        assert step.count == len(came)
        took = [found[place] - found[place - 1] for found in came] if place else []
        expected = median(each.total_seconds() for each in took) if took else None
        assert (step.median and step.median.total_seconds()) == expected


def test_a_step_counts_only_after_the_one_before() -> None:
    ada, grace = make_customer(), make_customer()
    add_events(ada, ("page_viewed", at(1)), ("cart", at(2)), ("order_placed", at(3)))
    add_events(grace, ("order_placed", at(1)), ("page_viewed", at(2)), ("cart", at(2)))

    assert counts(event_funnel(WAY, FIRST, LAST)) == [2, 1, 1]


def test_the_window_starts_at_step_one_and_may_outlast_the_days() -> None:
    late, later = make_customer(), make_customer()
    add_events(late, ("page_viewed", at(10)), ("order_placed", at(13)))
    add_events(later, ("page_viewed", at(10)), ("order_placed", at(13, 13)))

    way = ("page_viewed", "order_placed")
    assert counts(event_funnel(way, FIRST, LAST, window_days=3)) == [2, 1]


def test_a_second_attempt_may_reach_a_later_step() -> None:
    ada = make_customer()
    add_events(ada, ("page_viewed", at(1)), ("page_viewed", at(8)), ("order_placed", at(9)))

    steps = event_funnel(("page_viewed", "order_placed"), FIRST, LAST, window_days=2)

    assert counts(steps) == [1, 1]
    assert steps[1].median == timedelta(days=1)


def test_a_repeated_step_needs_two_events() -> None:
    once, twice = make_customer(), make_customer()
    add_events(once, ("page_viewed", at(1)))
    add_events(twice, ("page_viewed", at(1)), ("page_viewed", at(2)))

    assert counts(event_funnel(("page_viewed", "page_viewed"), FIRST, LAST)) == [2, 1]


def test_a_refund_is_not_a_purchase() -> None:
    ada = make_customer()
    add_events(ada, ("page_viewed", at(1)))
    add_events(ada, ("order_placed", at(2)), amount="-10.00")

    assert counts(event_funnel(("page_viewed", "order_placed"), FIRST, LAST)) == [1, 0]


def test_simulated_messages_count_only_on_request() -> None:
    real, invented = make_customer(), make_customer()
    for customer, properties in ((real, {}), (invented, {"simulated": True})):
        for kind, day in (("message_sent", 1), ("message_opened", 2)):
            Interaction.objects.create(
                customer=customer,
                type=kind,
                occurred_at=at(day),
                properties=properties,
                execution_id=customer.pk,
            )
    way = ("message_sent", "message_opened")

    assert counts(event_funnel(way, FIRST, LAST)) == [1, 1]
    assert counts(event_funnel(way, FIRST, LAST, simulated=True)) == [1, 1]
    Interaction.objects.filter(customer=real).delete()
    cache.clear()
    assert counts(event_funnel(way, FIRST, LAST)) == [0, 0]


@pytest.fixture
def shop(db: None) -> Segment:
    """Create two customers: Ada, a regular, views and orders a day later; Grace only views."""
    ada, grace = make_customer(), make_customer()
    add_events(ada, ("page_viewed", at(1)), ("order_placed", at(2)))
    add_events(grace, ("page_viewed", at(1)))
    regulars = Segment.objects.create(name="Regulars", slug="regulars", kind=Segment.Kind.STATIC)
    SegmentMembership.objects.create(segment=regulars, customer=ada)
    return regulars


def test_the_api_returns_each_step(api: APIClient, shop: Segment) -> None:
    answer = api.get(f"{API}?step=page_viewed&step=order_placed&window_days=7&{MARCH}").json()

    assert answer == {
        "since": "2026-03-01",
        "until": "2026-03-10",
        "window_days": 7,
        "segment": None,
        "simulated": False,
        "steps": [
            {
                "step": "page_viewed",
                "name": "page view",
                "count": 2,
                "of_previous": None,
                "of_first": 1.0,
                "median_seconds": None,
            },
            {
                "step": "order_placed",
                "name": "order",
                "count": 1,
                "of_previous": 0.5,
                "of_first": 0.5,
                "median_seconds": 86400.0,
            },
        ],
    }


def test_a_segment_limits_the_funnel_to_its_members(
    api: APIClient, staff_client: Client, shop: Segment
) -> None:
    asked = f"step=page_viewed&step=order_placed&segment=regulars&{MARCH}"
    assert [step["count"] for step in api.get(f"{API}?{asked}").json()["steps"]] == [1, 1]
    assert "Regulars" in staff_client.get(f"{PAGE}?{asked}").content.decode()


def test_a_request_without_steps_returns_the_campaign_funnel(api: APIClient, shop: Segment) -> None:
    steps = api.get(API).json()["steps"]
    assert [step["step"] for step in steps][:2] == ["audience", "sent"]


def test_a_funnel_is_exported_as_csv(api: APIClient, shop: Segment) -> None:
    file = api.get(f"{API}?step=page_viewed&step=order_placed&{MARCH}&format=csv")
    lines = b"".join(file.streaming_content).decode().splitlines()
    assert lines[0] == "step,name,count,of_previous,of_first,median_seconds"
    assert lines[2] == "order_placed,order,1,0.5,0.5,86400.0"


@pytest.mark.parametrize(
    "query",
    [
        "step=page_viewed",
        "&".join(["step=page_viewed"] * 9),
        "step=page_viewed&step=;drop",
        "step=page_viewed&step=%00",
        "step=a&step=b&window_days=0",
        "step=a&step=b&window_days=9999",
        "step=a&step=b&segment=nobody",
        "step=a&step=b&since=2026-03-02&until=2026-03-01",
    ],
)
def test_an_invalid_funnel_is_refused_and_not_drawn(
    api: APIClient, staff_client: Client, query: str
) -> None:
    assert api.get(f"{API}?{query}").status_code == 400
    assert staff_client.get(f"{PAGE}?{query}").status_code == 200


def test_the_page_draws_the_funnel_of_its_address(staff_client: Client, shop: Segment) -> None:
    page = staff_client.get(f"{PAGE}?step=page_viewed&step=order_placed&{MARCH}").content.decode()

    assert '<figure id="event-funnel" data-chart>' in page
    assert "50.0%" in page
    assert "1 day" in page
    assert "step=page_viewed&amp;step=order_placed" in page
    assert "format=csv" in page


def test_the_page_without_steps_explains_what_to_choose(
    staff_client: Client, shop: Segment
) -> None:
    page = staff_client.get(f"{PAGE}?step=&step=").content.decode()
    assert "data-chart" not in page
    assert "Choose two to eight steps" in page


def test_the_page_without_events_explains_their_sources(
    staff_client: Client,
) -> None:
    assert "No events yet" in staff_client.get(PAGE).content.decode()


def test_page_and_api_report_too_many_events(
    api: APIClient, staff_client: Client, shop: Segment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(funnels, "TIMEOUT_MS", 1)
    slow = funnels._FUNNEL.replace("SELECT {figures}", "SELECT pg_sleep(1), {figures}")
    monkeypatch.setattr(funnels, "_FUNNEL", slow)
    asked = f"step=page_viewed&step=order_placed&{MARCH}"

    assert api.get(f"{API}?{asked}").status_code == 400
    assert "Choose fewer days" in staff_client.get(f"{PAGE}?{asked}").content.decode()


def test_the_page_begins_with_steps_that_were_recorded(staff_client: Client) -> None:
    url = reverse("admin:analytics_funnel")
    assert "No events yet" in staff_client.get(url).content.decode()
    customer, now = make_customer(), timezone.now()
    record_interactions(
        [
            NewInteraction(customer.pk, "page_viewed", now - timedelta(hours=2)),
            NewInteraction(customer.pk, "order_placed", now - timedelta(hours=1), {"amount": "1"}),
        ]
    )
    cache.clear()
    page = staff_client.get(url)
    assert page.context["form"].steps == ["page_viewed", "order_placed"]
    assert page.context["steps"][-1]["customers"] == "1"
