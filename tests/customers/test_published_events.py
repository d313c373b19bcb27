"""External subscribers receive an event per customer and publish events of their own."""

from __future__ import annotations

import json

import pytest
from django.conf import settings as django_settings
from django.db import transaction
from django.utils import timezone
from pytest_django import Settings
from redis import Redis
from rest_framework.test import APIClient

from crm.events import dead_letters, feeds, outbox, reader
from crm.events.models import DeadLetter, FeedCursor, MarketingEvent
from customers.ingest import clean_customer, upsert_customers
from customers.models import Customer, Interaction
from customers.timeline import NewInteraction, record_interactions
from tests.factories.customers import make_customer

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def redis() -> Redis:
    return Redis.from_url(django_settings.CACHES["default"]["LOCATION"])


def publish() -> None:
    reader.drain_all()


def published(type: str) -> list[int | None]:
    return list(
        MarketingEvent.objects.filter(type=type)
        .order_by("position")
        .values_list("customer_id", flat=True)
    )


def test_each_customer_of_a_batch_is_one_event() -> None:
    rows = [clean_customer({"email": f"p{n}@example.com"}) for n in range(3)]
    upsert_customers(rows, evidence="test")
    publish()
    publish()
    people = list(Customer.objects.order_by("pk").values_list("pk", flat=True))
    assert published("customer.created") == people


def test_a_change_that_is_rolled_back_has_no_event() -> None:
    with transaction.atomic():
        upsert_customers([clean_customer({"email": "a@example.com"})], evidence="test")
        transaction.set_rollback(True)
    publish()
    assert published("customer.created") == []


def test_timeline_events_are_published() -> None:
    customer = make_customer()
    now = timezone.now()
    record_interactions(
        [
            NewInteraction(customer.pk, "message_sent", now, campaign_id=5, execution_id=6),
            NewInteraction(customer.pk, "page_viewed", now),
        ]
    )
    publish()
    event = MarketingEvent.objects.get(type="message.sent")
    assert (event.customer_id, event.data) == (customer.pk, {"campaign": 5, "message": 6})
    assert event.time == now


def test_nothing_is_published_without_a_subscriber(settings: Settings) -> None:
    settings.EVENT_STREAM = settings.EVENT_CHANNEL = ""
    upsert_customers([clean_customer({"email": "a@example.com"})], evidence="test")
    publish()
    assert published("customer.created") == []


def test_events_are_in_the_stream(redis: Redis) -> None:
    with transaction.atomic():
        outbox.emit("test.happened", data={"n": 1})
    publish()
    entries = redis.xrange(django_settings.EVENT_STREAM)
    events = [json.loads(fields[b"event"]) for _id, fields in entries]  # type: ignore[union-attr]
    assert [each["data"] for each in events if each["type"] == "test.happened"] == [{"n": 1}]


def test_events_are_sent_on_the_channel(redis: Redis) -> None:
    with redis.pubsub(ignore_subscribe_messages=True) as listener:
        listener.subscribe(django_settings.EVENT_CHANNEL)
        listener.get_message(timeout=1)
        with transaction.atomic():
            outbox.emit("test.happened", data={"n": 2})
        publish()
        heard = iter(lambda: listener.get_message(timeout=1), None)
        data = [event["data"] for each in heard if (event := json.loads(each["data"]))]
    assert {"n": 2} in data


def test_events_wait_for_redis_without_dead_letters(settings: Settings) -> None:
    away = {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"}
    with transaction.atomic():
        outbox.emit("test.happened")
    settings.CACHES = {**settings.CACHES, "elsewhere": away}
    stream = feeds.find("publish to the event stream")
    assert stream
    settings.CACHES["default"] = away
    try:
        for _attempt in range(reader.ATTEMPTS + 1):
            assert reader.drain(stream).handled == 0
    finally:
        settings.CACHES["default"] = settings.CACHES["elsewhere"]
    assert not DeadLetter.objects.exists()


def test_a_published_event_is_on_the_timeline(api: APIClient) -> None:
    customer = make_customer(external_id="C1")
    given = {"type": "loyalty.joined", "data": {"tier": "gold"}, "customer": "C1"}
    answer = api.post("/api/events/publish/", given, format="json")
    assert answer.status_code == 201
    assert answer.json()["data"]["tier"] == "gold"
    row = Interaction.objects.get(customer=customer)
    assert (row.type, row.properties) == ("loyalty.joined", {"tier": "gold"})
    assert api.post("/api/events/process/").json()["processed"] > 0
    listed = api.get("/api/events/", {"type": "loyalty.joined", "customer": "C1"}).json()
    assert [each["id"] for each in listed["results"]] == [answer.json()["id"]]


def test_internal_types_cannot_be_published(api: APIClient) -> None:
    answer = api.post("/api/events/publish/", {"type": "customers.changed"}, format="json")
    assert answer.status_code == 400


def test_a_poison_event_becomes_a_dead_letter_and_replays() -> None:
    seen: list[int] = []
    poison = {3}

    def handle(events: object) -> None:
        for event in events:  # type: ignore[attr-defined]
            if event.data["n"] in poison:
                raise ValueError(event.data["n"])
            seen.append(event.data["n"])

    subscriber = feeds.Subscriber(
        "tests.poisoned",
        outbox.SOURCE,
        lambda batch: handle(batch.rows()),
        frozenset({"test.poison"}),
    )
    for number in range(5):
        with transaction.atomic():
            outbox.emit("test.poison", data={"n": number})
    for _attempt in range(reader.ATTEMPTS):
        FeedCursor.objects.update(retry_at=None)
        reader.drain(subscriber)
    letter = DeadLetter.objects.get()
    assert letter.error == "ValueError(3)"
    assert seen[-4:] == [0, 1, 2, 4]
    with pytest.raises(dead_letters.NotReplayed):
        dead_letters.replay(letter)
    feeds.subscribe(subscriber)
    try:
        poison.clear()
        dead_letters.replay(letter)
    finally:
        del feeds._subscribers[subscriber.name]
    assert seen[-1] == 3
    assert not DeadLetter.objects.exists()
