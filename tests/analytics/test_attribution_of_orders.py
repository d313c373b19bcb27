"""Orders are attributed to the messages before them in the timeline."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from crm.api import ids
from customers.models import Customer
from customers.timeline import NewInteraction, record_interactions, types
from marketing.models import Campaign
from tests.factories.customers import make_customer, make_order
from tests.factories.marketing import make_campaign

pytestmark = pytest.mark.django_db

NOW = timezone.now() - timedelta(hours=1)


@pytest.fixture
def spring(db: None) -> Campaign:
    return make_campaign(name="Spring")


@pytest.fixture
def summer(db: None) -> Campaign:
    return make_campaign(name="Summer", channel="sms")


def test_an_order_credits_touchpoints_since_the_last_order(
    api: APIClient, spring: Campaign, summer: Campaign
) -> None:
    ada = make_customer()
    _opened(ada, spring, days_ago=9)
    _ordered(ada, 50, days_ago=8)
    _opened(ada, spring, days_ago=5)
    _opened(ada, summer, days_ago=4)
    _ordered(ada, 100, days_ago=3)

    first, last = (_credits(api, model=model) for model in ("first", "last"))

    assert first == {"Spring": (2.0, "150.00"), "Summer": (0.0, "0.00")}
    assert last == {"Spring": (1.0, "50.00"), "Summer": (1.0, "100.00")}


def test_touchpoints_before_the_window_get_no_credit(
    api: APIClient, spring: Campaign, summer: Campaign
) -> None:
    ada = make_customer()
    _opened(ada, spring, days_ago=20)
    _opened(ada, summer, days_ago=4)
    _ordered(ada, 10, days_ago=1)

    assert _credits(api, model="linear", window=7) == {"Summer": (1.0, "10.00")}
    assert _credits(api, model="linear", window=30) == {
        "Spring": (0.5, "5.00"),
        "Summer": (0.5, "5.00"),
    }


def test_orders_without_a_touchpoint_are_unattributed(api: APIClient, spring: Campaign) -> None:
    _ordered(make_customer(), 30, days_ago=2)
    ada = make_customer()
    _opened(ada, spring, days_ago=2)
    _ordered(ada, 10, days_ago=1)

    found = _answer(api, model="last")

    assert (found["conversions"], found["untouched"]) == (2, 1)
    assert (found["value"], found["untouched_value"]) == ("40.00", "30.00")


def test_bots_and_simulated_messages_get_no_credit(api: APIClient, spring: Campaign) -> None:
    ada = make_customer()
    _opened(ada, spring, days_ago=3, machine=True)
    _opened(ada, spring, days_ago=2, simulated=True)
    _ordered(ada, 10, days_ago=1)

    assert _credits(api) == {}
    assert _credits(api, simulated="true") == {"Spring": (1.0, "10.00")}


def test_credit_is_grouped_by_channel_on_request(
    api: APIClient, spring: Campaign, summer: Campaign
) -> None:
    ada = make_customer()
    _opened(ada, spring, days_ago=3)
    _opened(ada, summer, days_ago=2, channel="sms")
    _ordered(ada, 10, days_ago=1)

    assert _credits(api, model="linear", by="channel") == {
        "E-mail": (0.5, "5.00"),
        "SMS": (0.5, "5.00"),
    }


def test_every_model_is_compared_and_attributes_everything(
    api: APIClient, spring: Campaign, summer: Campaign
) -> None:
    for number in range(6):
        customer = make_customer()
        _opened(customer, spring, days_ago=5)
        if number % 2:
            _opened(customer, summer, days_ago=3)
        if number % 3:
            _ordered(customer, 10, days_ago=1)

    models = _answer(api, model="all")["models"]

    assert len(models) == 7
    for each in models:
        assert sum(credit["conversions"] for credit in each["credits"]) == pytest.approx(4)
        assert all(
            credit["low"] <= credit["conversions"] <= credit["high"] for credit in each["credits"]
        )


def test_credits_are_exported_as_csv(api: APIClient, spring: Campaign) -> None:
    ada = make_customer()
    _opened(ada, spring, days_ago=3)
    _ordered(ada, 10, days_ago=1)

    answer = api.get("/api/analytics/attribution?model=last&format=csv")

    rows = b"".join(answer.streaming_content).decode().splitlines()
    assert rows[0].startswith("model,id,name,conversions,value,share")
    assert rows[1].startswith(f"last,{ids.encode('cmp', spring.pk)},Spring,1.0,10.00,1.0")


@pytest.mark.parametrize("query", ["model=magic", "window=0", "order=4", "touch=look", "since=x"])
def test_invalid_parameters_are_refused(api: APIClient, query: str) -> None:
    assert api.get(f"/api/analytics/attribution?{query}").status_code == 400


def _answer(api: APIClient, **query: Any) -> dict[str, Any]:
    answer = api.get("/api/analytics/attribution", query)
    assert answer.status_code == 200, answer.content
    return answer.json()


def _credits(api: APIClient, **query: Any) -> dict[str, tuple[float, str]]:
    found = _answer(api, **query)
    return {each["name"]: (each["conversions"], each["value"]) for each in found["credits"]}


def _opened(
    customer: Customer, campaign: Campaign, *, days_ago: int, channel: str = "email", **more: Any
) -> None:
    properties = {"channel": channel, **more}
    record_interactions(
        [
            NewInteraction(
                customer.pk, types.MESSAGE_OPENED, _ago(days_ago), properties, campaign.pk, 1
            )
        ]
    )


def _ordered(customer: Customer, amount: int, *, days_ago: int) -> None:
    make_order(customer, amount, _ago(days_ago))


def _ago(days: int) -> datetime:
    return NOW - timedelta(days=days)
