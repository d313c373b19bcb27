"""Calls of the Segment spec create customers, timeline events and orders."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from customers import consent
from customers.models import Customer, Identity, Interaction, Order, RefusedId, WaitingMessage
from customers.timeline import types
from customers.tracking_api import keys, read_call, receive_calls
from tests.factories.customers import make_customer

pytestmark = pytest.mark.django_db


class Source:
    """Send calls as a program with a write key."""

    def __init__(self, key: str) -> None:
        self.client = Client()
        self.authorization = "Basic " + base64.b64encode(f"{key}:".encode()).decode()

    def post(self, call: str, data: Any, **headers: str) -> Any:
        return self.client.post(
            f"/v1/{call}",
            data if isinstance(data, bytes) else json.dumps(data),
            content_type="application/json",
            headers={"Authorization": self.authorization, **headers},
        )

    def send(self, *messages: dict[str, Any]) -> Any:
        return self.post("batch", {"batch": list(messages)})


@pytest.fixture
def source() -> Source:
    return Source(keys.issue_key("shop")[1])


def track(event: str = "Signed Up", **fields: Any) -> dict[str, Any]:
    return {"type": "track", "event": event, **fields}


def identify(**fields: Any) -> dict[str, Any]:
    return {"type": "identify", **fields}


def test_identify_makes_a_customer_of_cleaned_traits(source: Source) -> None:
    traits = {
        "email": "Ada@Example.com",
        "firstName": "Ada",
        "lastName": "Lovelace",
        "phone": "030 1234567",
        "address": {"city": "Berlin", "country": "Germany", "postalCode": "10115"},
        "birthday": "1990-12-10",
        "createdAt": "2024-01-15T10:30:00Z",
        "plan": "pro",
    }

    response = source.post("identify", {"userId": "u1", "traits": traits})

    assert response.json() == {"success": True}
    ada = Customer.objects.get(external_id="u1")
    assert (ada.email, ada.name, ada.phone) == ("ada@example.com", "Ada Lovelace", "+49301234567")
    assert (ada.city, ada.country) == ("Berlin", "DE")
    assert ada.date_of_birth == datetime(1990, 12, 10, tzinfo=UTC).date()
    assert ada.registered_at == datetime(2024, 1, 15, 10, 30, tzinfo=UTC)
    assert ada.attributes == {"plan": "pro", "address_postalCode": 10115}


def test_an_invalid_trait_becomes_a_reported_attribute(source: Source) -> None:
    traits = {"email": "ada@example.com", "phone": "call me", "birthday": "soon"}

    response = source.post("identify", {"userId": "u1", "traits": traits})

    assert {each["path"] for each in response.json()["ignored"]} == {
        "traits.phone",
        "traits.birthday",
    }
    ada = Customer.objects.get(external_id="u1")
    assert ada.email == "ada@example.com"
    assert ada.attributes == {"phone": "call me", "birthday": "soon"}


def test_an_event_keeps_its_name_and_properties(source: Source) -> None:
    properties = {"plan": "pro", "tags": ["a", {"b": None}]}

    source.post(
        "track",
        {
            "userId": "u1",
            "event": "Trial Started",
            "properties": properties,
            "timestamp": "2024-05-01T12:00:00Z",
        },
    )

    row = Interaction.objects.get()
    assert (row.customer.external_id, row.type) == ("u1", "Trial Started")
    assert row.properties == properties
    assert row.occurred_at == datetime(2024, 5, 1, 12, tzinfo=UTC)
    assert row.customer.last_interaction_at == row.occurred_at


def test_a_page_is_a_visit(source: Source) -> None:
    page = {
        "type": "page",
        "userId": "u1",
        "name": "Home",
        "properties": {"url": "https://s.example/"},
    }

    source.send(page, {"type": "screen", "userId": "u1", "name": "Cart"})

    customer = Customer.objects.get()
    assert [row.type for row in customer.interactions.all()] == [types.PAGE_VIEWED] * 2
    assert customer.last_visit_at is not None
    assert {"name": "Home", "url": "https://s.example/"} in [
        row.properties for row in customer.interactions.all()
    ]


def view(at: str, **fields: Any) -> dict[str, Any]:
    return {"type": "page", "userId": "u1", "timestamp": f"2024-05-01T{at}Z", **fields}


def test_views_half_an_hour_apart_are_visits_of_their_own(source: Source) -> None:
    source.send(view("10:00:00", properties={"url": "https://s.example/", "title": "Home"}))
    source.send(view("10:45:00"), view("10:20:00"), view("12:00:00"))
    source.send(view("10:44:00"), view("09:50:00"))

    customer = Customer.objects.get()
    assert customer.visit_count == 2
    first, second = customer.visits.order_by("occurred_at")
    assert (first.occurred_at.minute, first.pages, first.seconds, first.title) == (
        50,
        5,
        3300,
        "Home",
    )
    assert (second.occurred_at.hour, second.pages) == (12, 1)
    assert customer.interactions.count() == 6


def test_a_group_is_stored_with_its_member(source: Source) -> None:
    source.post("group", {"userId": "u1", "groupId": "acme", "traits": {"industry": "anvils"}})

    assert Customer.objects.get().attributes == {
        "group_id": "acme",
        "group": {"industry": "anvils"},
    }


def test_a_message_sent_twice_is_stored_once(source: Source) -> None:
    batch = [track(userId="u1", messageId=f"m{number}") for number in range(5)]

    source.send(*batch, batch[0])
    source.send(*batch)

    assert Interaction.objects.count() == 5


def test_a_message_without_an_id_is_always_new(source: Source) -> None:
    source.send(track(userId="u1"), track(userId="u1"))

    assert Interaction.objects.count() == 2


def test_two_sources_may_use_the_same_message_ids(source: Source) -> None:
    source.send(track(userId="u1", messageId="1"))
    Source(keys.issue_key("app")[1]).send(track(userId="u1", messageId="1"))

    assert Interaction.objects.count() == 2


def test_invalid_calls_are_named_and_valid_ones_received(source: Source) -> None:
    response = source.send(
        track(userId="u1"),
        track("", userId="u1"),
        {"type": "dance", "userId": "u1"},
        track(),
        "nonsense",  # type: ignore[arg-type]
        track(userId="u1", timestamp="yesterday-ish"),
        track(userId="u1", properties=["no"]),
        track(userId="u1", properties={"long": "x" * 40_000}),
        track(userId="u2"),
    )

    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"
    assert [each["path"] for each in response.json()["errors"]] == [
        "batch[1].event",
        "batch[2].type",
        "batch[3].userId",
        "batch[4]",
        "batch[5].timestamp",
        "batch[6].properties",
        "batch[7]",
    ]
    assert Interaction.objects.count() == 2


def test_errors_have_the_keys_that_stock_clients_read(source: Source) -> None:
    problem = source.post("batch", {"batch": "x"}).json()

    assert problem["code"] == problem["type"]
    assert problem["message"] == problem["detail"]


@pytest.mark.parametrize("body", [b"", b"[", b"[1]", b"null", b'{"a":' * 5000, b"\xff\xfe"])
def test_a_malformed_body_returns_400(source: Source, body: bytes) -> None:
    assert source.post("batch", body).status_code == 400


def test_unstorable_characters_lose_nothing_else(source: Source) -> None:
    body = (
        b'{"userId": "u1", "event": "Odd", "properties": {"nul": "a\\u0000b", "half": "\\ud800x", '
        b'"huge": 1e999, "nan": NaN, "long": ' + b"9" * 5000 + b"}}"
    )

    response = source.post("track", body)

    assert response.status_code == 200
    assert Interaction.objects.get().properties == {
        "nul": "a\ufffdb",
        "half": "\ufffdx",
        "huge": "1e999",
        "nan": None,
        "long": "9" * 5000,
    }


def test_gzip_is_unpacked_and_a_gzip_bomb_is_refused(source: Source) -> None:
    gzipped = {"Content-Encoding": "gzip"}
    good = gzip.compress(json.dumps({"batch": [track(userId="u1")]}).encode())

    assert source.post("batch", good, **gzipped).status_code == 200
    assert source.post("batch", gzip.compress(b" " * 50_000_000), **gzipped).status_code == 413
    assert source.post("batch", b"not gzip", **gzipped).status_code == 400


def test_a_batch_of_500_kb_is_accepted(source: Source) -> None:
    batch = [track(userId="u1", properties={"text": "x" * 5_000}) for _ in range(100)]

    assert source.send(*batch).status_code == 200
    assert Interaction.objects.count() == 100


def test_a_wrong_client_clock_is_corrected(source: Source) -> None:
    happened = timezone.now() + timedelta(days=30)
    body = {"batch": [track(userId="u1", timestamp=happened.isoformat())]}

    source.post("batch", {**body, "sentAt": (happened + timedelta(seconds=60)).isoformat()})

    ago = timezone.now() - Interaction.objects.get().occurred_at
    assert timedelta(seconds=59) < ago < timedelta(seconds=75)


def test_a_future_timestamp_becomes_now(source: Source) -> None:
    source.send(track(userId="u1", timestamp="2150-01-01T00:00:00Z"))

    assert Interaction.objects.get().occurred_at <= timezone.now()


def test_a_request_without_a_key_is_refused(source: Source) -> None:
    client = Client()

    unknown = client.post("/v1/track", "{}", content_type="application/json")

    assert unknown.status_code == 401
    assert unknown["WWW-Authenticate"].startswith("Basic")
    source.authorization = "Basic " + base64.b64encode(b"wk_guess:").decode()
    assert source.send(track(userId="u1")).status_code == 401


def test_a_browser_sends_text_with_the_key_from_any_site() -> None:
    _key, text = keys.issue_key("site")
    body = json.dumps({"writeKey": text, "userId": "u1", "event": "Clicked"})

    sent = Client().post(
        "/v1/t", body, content_type="text/plain", headers={"Origin": "https://x.example"}
    )
    asked = Client().options("/v1/t", headers={"Origin": "https://x.example"})

    assert (sent.status_code, asked.status_code) == (200, 204)
    assert sent["Access-Control-Allow-Origin"] == asked["Access-Control-Allow-Origin"] == "*"
    assert Interaction.objects.count() == 1


@pytest.mark.parametrize(
    "asked",
    [
        "anonymousid,authorization,content-type",  # RudderStack
        "anonymousid,authorization,content-type,rsa-retry-attempt,rsa-since-last-attempt,sentat",
        "authorization,content-type,x-retry-count",  # Segment
        "content-encoding,x-api-key,x-of-the-site",
    ],
)
def test_a_preflight_allows_the_headers_it_asks_for(asked: str) -> None:
    headers = {
        "Origin": "https://shop.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": asked,
    }

    answer = Client().options("/v1/identify", headers=headers)

    allowed = answer["Access-Control-Allow-Headers"].lower().split(", ")
    assert set(asked.split(",")) <= set(allowed)
    assert "Access-Control-Request-Headers" in answer["Vary"]


def test_a_preflight_repeats_only_names_of_headers() -> None:
    headers = {"Access-Control-Request-Headers": "x-good, bad name, <b>"}

    allowed = Client().options("/v1/batch", headers=headers)["Access-Control-Allow-Headers"]

    assert allowed.split(", ")[-1] == "x-good"


def test_a_batch_names_its_bad_calls_by_index(source: Source) -> None:
    answer = source.send(track(userId="u1"), track(event="", userId="u2"), track(userId="u3"), 7)

    assert answer.status_code == 400
    assert [(each["index"], each["path"]) for each in answer.json()["errors"]] == [
        (1, "batch[1].event"),
        (3, "batch[3]"),
    ]
    assert Interaction.objects.count() == 2


def test_a_completed_order_is_an_order_with_lines(source: Source, settings: Any) -> None:
    settings.CURRENCY = "EUR"
    properties = {
        "order_id": "o1",
        "total": 27.5,
        "revenue": 25,
        "currency": "EUR",
        "affiliation": "Web",
        "products": [
            {"product_id": "p1", "name": "Tea", "price": 10, "quantity": 2, "category": "Drinks"},
            {"sku": "s2", "name": "Cup", "price": "5.00"},
        ],
    }

    source.send(track("Order Completed", userId="u1", properties=properties))

    order = Order.objects.get()
    assert (order.external_id, order.amount, order.currency, order.store) == (
        "o1",
        Decimal("27.50"),
        "EUR",
        "Web",
    )
    assert [
        (line.product.sku, line.quantity, line.amount) for line in order.lines.order_by("position")
    ] == [
        ("p1", 2, Decimal(20)),
        ("s2", 1, Decimal(5)),
    ]
    customer = Customer.objects.get()
    assert (customer.total_spend, customer.order_count) == (Decimal("27.50"), 1)
    assert [row.type for row in Interaction.objects.all()] == [types.ORDER_PLACED]


def test_a_refund_in_the_same_batch_gives_the_order_back(source: Source) -> None:
    completed = track("Order Completed", userId="u1", properties={"order_id": "o1", "total": 30})
    refunded = track("Order Refunded", userId="u1", properties={"order_id": "o1"})

    source.send(refunded, completed, {**refunded, "messageId": "again"})

    assert sorted(Order.objects.values_list("amount", flat=True)) == [Decimal(-30), Decimal(30)]
    assert Customer.objects.get().total_spend == 0


def test_an_updated_order_keeps_its_time(source: Source) -> None:
    order = {"order_id": "o1", "total": 30}
    source.send(
        track("Order Completed", userId="u1", properties=order, timestamp="2024-01-01T00:00:00Z")
    )

    source.send(track("Order Updated", userId="u1", properties={**order, "total": 20}))

    kept = Order.objects.get()
    assert (kept.amount, kept.placed_at.year) == (Decimal(20), 2024)


def test_an_invalid_order_event_stays_an_event(source: Source) -> None:
    response = source.send(track("Order Completed", userId="u1", properties={"total": 5}))

    assert response.json()["ignored"][0]["path"] == "batch[0].properties.order_id"
    assert Interaction.objects.get().type == "Order Completed"


def test_an_event_is_recorded_for_a_known_customer(source: Source) -> None:
    known = make_customer(external_id="u1")

    source.send(track(userId="u1"))

    assert Interaction.objects.get().customer == known
    assert Customer.objects.count() == 1


def test_identify_claims_earlier_anonymous_calls(source: Source) -> None:
    source.send(
        {"type": "page", "anonymousId": "a1", "name": "Home"},
        identify(anonymousId="a1", traits={"plan": "trial", "city": "Bonn"}),
        track("Order Completed", anonymousId="a1", properties={"order_id": "o1", "total": 5}),
    )
    assert not Customer.objects.exists()
    assert WaitingMessage.objects.count() == 3

    source.send(identify(anonymousId="a1", userId="u1", traits={"plan": "pro"}))

    customer = Customer.objects.get()
    assert (customer.external_id, customer.city, customer.attributes["plan"]) == (
        "u1",
        "Bonn",
        "pro",
    )
    assert customer.total_spend == 5
    assert customer.interactions.filter(type=types.PAGE_VIEWED).exists()
    assert not WaitingMessage.objects.exists()


def test_later_anonymous_calls_belong_to_the_customer(source: Source) -> None:
    source.send(identify(anonymousId="a1", traits={"email": "ada@example.com"}))

    source.send(
        track("Later", anonymousId="a1"), identify(anonymousId="a1", traits={"city": "Bonn"})
    )

    customer = Customer.objects.get()
    assert customer.city == "Bonn"
    assert customer.interactions.get().type == "Later"


def test_the_order_within_a_batch_does_not_matter(source: Source) -> None:
    source.send(track("First", anonymousId="a1"), identify(anonymousId="a1", userId="u1"))

    assert Interaction.objects.get().customer.external_id == "u1"


def test_a_later_login_claims_the_device(source: Source) -> None:
    source.send(identify(anonymousId="a1", userId="u1"))
    source.send(identify(anonymousId="a1", userId="u2"))

    source.send(track("Whose", anonymousId="a1"))

    assert Interaction.objects.get().customer.external_id == "u2"


def test_alias_joins_an_anonymous_id(source: Source) -> None:
    source.send(track("Before", anonymousId="a1"))

    source.post("alias", {"previousId": "a1", "userId": "u1"})

    assert Interaction.objects.get().customer.external_id == "u1"


def test_alias_of_a_user_id_merges_the_two(source: Source) -> None:
    source.send(track("One", userId="old"), track("Two", userId="new"))

    source.post("alias", {"previousId": "old", "userId": "new"})
    source.send(track("Three", userId="old"))

    customer = Customer.objects.get()
    assert customer.external_id == "new"
    assert customer.interactions.count() == 3


def test_identify_joins_the_record_that_had_the_email_alone(source: Source) -> None:
    subscriber = make_customer(email="ada@example.com", city="Bonn")
    Identity.objects.create(customer=subscriber, kind="email", value="ada@example.com")
    source.send(track("One", userId="u1"))

    source.send(identify(userId="u1", traits={"email": "ada@example.com"}))

    customer = Customer.objects.get()
    assert (customer.external_id, customer.email, customer.city) == (
        "u1",
        "ada@example.com",
        "Bonn",
    )


def test_an_email_of_another_customer_is_ignored(source: Source) -> None:
    source.send(identify(userId="u1", traits={"email": "ada@example.com"}))

    response = source.send(
        identify(userId="u2", traits={"email": "ada@example.com", "city": "Bonn"})
    )

    assert response.json()["ignored"][0]["path"] == "batch[0].traits.email"
    other = Customer.objects.get(external_id="u2")
    assert (other.email, other.city) == (None, "Bonn")


def test_a_unique_phone_finds_its_customer(source: Source) -> None:
    source.send(identify(userId="u1", traits={"phone": "+49301234567"}))

    source.send(identify(anonymousId="a1", traits={"phone": "+49 30 1234567", "city": "Bonn"}))

    assert Customer.objects.get().city == "Bonn"


def test_a_user_id_that_is_an_email_is_the_email_too(source: Source) -> None:
    subscriber = make_customer(email="ada@example.com")

    source.send(track("One", userId="ada@example.com"))

    assert Interaction.objects.get().customer == subscriber


@pytest.mark.django_db(transaction=True)
def test_a_concurrent_identify_leaves_no_call_waiting() -> None:
    key, _text = keys.issue_key("shop")

    def send(*messages: dict[str, Any]) -> None:
        receive_calls([read_call(each, timezone.now(), None) for each in messages], key.pk)

    def at_once(number: int) -> None:
        name = f"a{number}"
        jobs = [
            lambda: send(track("Before", anonymousId=name)),
            lambda: send(identify(userId=f"u{number}", anonymousId=name)),
            lambda: send(track("Other", anonymousId=name)),
        ]
        with ThreadPoolExecutor(3) as pool:
            list(pool.map(_in_a_thread, jobs))

    for number in range(10):
        at_once(number)

    assert not WaitingMessage.objects.exists()
    assert Interaction.objects.count() == 20


def _in_a_thread(job: Callable[[], None]) -> None:
    try:
        job()
    finally:
        connections.close_all()


@pytest.mark.django_db(transaction=True)
def test_a_concurrent_batch_is_received_once() -> None:
    key, _text = keys.issue_key("shop")
    batch = [
        read_call(track(userId=f"u{n}", messageId=f"m{n}"), timezone.now(), None) for n in range(50)
    ]

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(_in_a_thread, [lambda: receive_calls(batch, key.pk) and None] * 4))

    assert Interaction.objects.count() == 50


PLACEHOLDERS = [
    *(
        "undefined",
        "null",
        "NaN",
        "None",
        "nil",
        "[object Object]",
        "UNDEFINED",
        " Guest ",
        "anonymous",
    ),
    *(
        "unknown",
        "0",
        "00000000-0000-0000-0000-000000000000",
        "000",
        "-",
        "n/a",
        "(not set)",
        "guest_user",
        "{{ user.id }}",
        "${userId}",
        "%%id%%",
        "<user_id>",
        "{customer.id}",
        '"undefined"',
    ),
]


def test_a_placeholder_identifies_nobody(source: Source) -> None:
    people = {make_customer(external_id=None, email=f"{name}@example.com") for name in "abc"}
    for number, placeholder in enumerate(PLACEHOLDERS):
        calls = [
            identify(userId=placeholder, messageId=f"{number}{one.pk}", traits={"email": one.email})
            for one in people
        ]
        assert source.send(*calls).status_code == 400, placeholder
        alias = {"type": "alias", "userId": "u1", "previousId": placeholder}
        assert source.post("alias", alias).status_code == 400, placeholder
        assert source.post("track", track(anonymousId=placeholder)).status_code == 400, placeholder

    assert set(Customer.objects.all()) == people
    refused = RefusedId.objects.filter(field="userId", value="undefined").get()
    assert (refused.write_key.name, refused.times) == ("shop", 3)


def test_a_call_with_a_placeholder_stays_anonymous(source: Source, api: APIClient) -> None:
    response = source.send(track(userId="undefined", anonymousId="a1", messageId="m1"))

    assert [each["path"] for each in response.json()["ignored"]] == ["batch[0].userId"]
    source.send(identify(userId="u1", anonymousId="a1"))
    assert Customer.objects.get().external_id == "u1"
    assert Interaction.objects.count() == 1
    [listed] = api.get("/api/refused-ids").data["results"]
    assert (listed["field"], listed["value"], listed["times"]) == ("userId", "undefined", 1)


@pytest.mark.parametrize("kind", ["identify", "alias"])
def test_customers_with_different_emails_are_not_merged(source: Source, kind: str) -> None:
    source.send(identify(userId="u1", traits={"email": "ada@example.com"}))
    bob = {"traits": {"email": "bob@example.com"}}
    source.send(identify(**bob, **({"userId": "u2"} if kind == "alias" else {"anonymousId": "b"})))
    call = {
        "identify": {"userId": "u1", "traits": {"email": "bob@example.com"}},
        "alias": {"userId": "u1", "previousId": "u2"},
    }[kind]

    response = source.post(kind, call)

    assert "different e-mail" in response.json()["ignored"][0]["message"]
    assert sorted(Customer.objects.values_list("email", flat=True)) == [
        "ada@example.com",
        "bob@example.com",
    ]
    assert RefusedId.objects.get().reason == RefusedId.Reason.OTHER_EMAIL


def test_placeholders_are_refused_at_every_door(api: APIClient) -> None:
    for placeholder in ("undefined", "0", "guest", "[object Object]", "unknown"):
        sent = {
            "/api/customers": {"external_id": placeholder},
            "/api/orders": {
                "id": "1",
                "customer_id": placeholder,
                "amount": 1,
                "create_missing": True,
            },
            "/api/visits": {"customer_id": placeholder, "occurred_at": "2026-01-01"},
        }
        for path, body in sent.items():
            answer = api.post(path, body, format="json")
            assert answer.status_code == 400, (path, answer.data)
    for email in ("undefined@undefined.com", "guest@guest.com", "noemail@noemail.com"):
        assert api.post("/api/customers", {"email": email}, format="json").status_code == 400
    assert not Customer.objects.exists()


@pytest.mark.parametrize(
    ("traits", "closed"),
    [
        ({"unsubscribed": True}, ["email"]),
        ({"emailOptOut": "yes", "unsubscribed": False}, ["email"]),
        ({"unsubscribed": False, "emailOptOut": 1}, ["email"]),
        ({"smsOptOut": True}, ["sms"]),
        ({"do_not_contact": True}, ["email", "push", "sms", "whatsapp"]),
        ({"unsubscribedAt": "2026-01-31T10:00:00Z"}, ["email"]),
        ({"unsubscribed": False, "subscribed": True, "marketingConsent": True}, []),
        ({"unsubscribed": "perhaps"}, []),
    ],
)
def test_a_trait_opts_out_in_other_words(
    source: Source, traits: dict[str, Any], closed: list[str]
) -> None:
    assert source.post("identify", {"userId": "u1", "traits": traits}).status_code == 200
    assert Customer.objects.get().opted_out_channels == closed


def test_a_trait_does_not_undo_an_opt_out(source: Source) -> None:
    source.post("identify", {"userId": "u1", "traits": {"email": "una@example.com"}})
    una = Customer.objects.get()
    consent.opt_out_addresses("email", ["una@example.com"], "unsubscribe link")
    answer = source.post("identify", {"userId": "u1", "traits": {"emailOptIn": True}})
    assert "opted out" in answer.content.decode()
    una.refresh_from_db()
    assert una.opted_out_channels == ["email"]
