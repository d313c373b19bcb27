"""The stock clients of Segment and RudderStack work with only their host changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pytest_django.live_server_helper import LiveServer
from rudderstack.analytics import consumer as rudder_consumer
from rudderstack.analytics import request as rudder_request
from rudderstack.analytics.client import Client as RudderClient
from segment.analytics import consumer as segment_consumer
from segment.analytics import request as segment_request
from segment.analytics.client import Client as SegmentClient

from customers.models import Customer, Interaction, Order
from customers.tracking_api import keys

pytestmark = pytest.mark.django_db(transaction=True)

EVENTS = 10_000
PEOPLE = 500


class Clients:
    """Create clients of one kind with different packing; a failure they report fails the test."""

    def __init__(self, make: Callable[..., Any], host: str) -> None:
        self._make, self._host = make, host
        self.failed: list[Exception] = []

    def client(self, *, gzip: bool) -> Any:
        _key, text = keys.issue_key("sdk")
        return self._make(
            text,
            host=self._host,
            gzip=gzip,
            max_queue_size=EVENTS * 2,
            on_error=lambda error, items: self.failed.append(error),
        )


@pytest.fixture(autouse=True)
def _close_connections() -> Iterator[None]:
    """Close connections, which otherwise keep a server thread and its database connection."""
    yield
    segment_request._session.close()
    rudder_request._session.close()


@pytest.fixture(params=["segment", "rudder"])
def clients(request: pytest.FixtureRequest, live_server: LiveServer) -> Iterator[Clients]:
    make = {"segment": SegmentClient, "rudder": RudderClient}[request.param]
    clients = Clients(make, live_server.url)
    yield clients
    assert not clients.failed


@pytest.fixture
def _each_batch_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Send each batch twice, as after a lost response."""
    for module in (segment_consumer, rudder_consumer):
        post = module.post

        def twice(*args: Any, post: Callable[..., Any] = post, **kwargs: Any) -> Any:
            post(*args, **dict(kwargs))
            return post(*args, **kwargs)

        monkeypatch.setattr(module, "post", twice)


@pytest.mark.usefixtures("_each_batch_twice")
def test_ten_thousand_events_arrive_once_each(clients: Clients) -> None:
    client = clients.client(gzip=True)

    for number in range(EVENTS):
        client.track(f"user-{number % PEOPLE}", "Counted", {"number": number})
    client.shutdown()

    arrived = Interaction.objects.filter(type="Counted").values_list("properties", flat=True)
    assert sorted(properties["number"] for properties in arrived) == list(range(EVENTS))
    assert Customer.objects.count() == PEOPLE


@pytest.mark.parametrize("gzip", [True, False])
def test_every_call_has_its_effect(clients: Clients, gzip: bool) -> None:
    client = clients.client(gzip=gzip)

    client.page(anonymous_id="a1", name="Home", properties={"url": "https://shop.example/"})
    client.identify("u1", {"email": "ada@example.com", "firstName": "Ada"}, anonymous_id="a1")
    client.track(
        "u1",
        "Order Completed",
        {"order_id": "o1", "total": 12.5, "products": [{"sku": "s", "price": 12.5, "quantity": 1}]},
    )
    client.screen("u1", name="Cart")
    client.group("u1", "acme", {"plan": "team"})
    client.alias("before", "u1")
    client.track("before-that", "Nasty", {"text": "'; DROP TABLE -- \x00 \U0001f600"})
    client.shutdown()

    ada = Customer.objects.get(external_id="u1")
    assert (ada.email, ada.first_name, ada.attributes["group_id"]) == (
        "ada@example.com",
        "Ada",
        "acme",
    )
    assert sorted(ada.interactions.values_list("type", flat=True)) == [
        "group_joined",
        "order_placed",
        "page_viewed",
        "page_viewed",
    ]
    assert Order.objects.get().lines.count() == 1
    assert Interaction.objects.get(type="Nasty").properties == {
        "text": "'; DROP TABLE -- \ufffd \U0001f600"
    }


def test_a_refused_batch_is_not_retried(live_server: LiveServer) -> None:
    failed: list[Exception] = []
    client = RudderClient(
        "wk_revoked",
        host=live_server.url,
        on_error=lambda error, items: failed.append(error),
    )

    client.track("u1", "Lost")
    client.shutdown()

    assert [error.status for error in failed] == [401]  # type: ignore[attr-defined]
