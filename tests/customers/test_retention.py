"""Old data is deleted after the days in the settings."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from crm.events import feeds, outbox
from crm.events.models import DeadLetter, FeedCursor, MarketingEvent
from customers import timeline
from customers.models import ImportJob, Interaction, WaitingMessage
from customers.privacy import retention
from customers.timeline import types
from tests.factories.customers import make_customer

pytestmark = pytest.mark.django_db

NOW = timezone.now()
LONG_AGO = NOW - timedelta(days=400)


def read_everything(source: feeds.Source) -> None:
    for each in feeds.subscribers(source):
        FeedCursor.objects.update_or_create(
            name=each.name, defaults={"transaction": 2**40, "position": 0}
        )


def test_nothing_is_deleted_when_the_days_are_0(settings: Settings) -> None:
    for name in retention.RULES:
        setattr(settings, name, 0)
    WaitingMessage.objects.create(anonymous_id="a", message={}, received_at=LONG_AGO)
    assert retention.apply(NOW) == {}
    assert WaitingMessage.objects.count() == 1


def test_retention_strips_properties_that_are_not_counted(settings: Settings) -> None:
    settings.RETENTION_INTERACTIONS_DAYS = 365
    read_everything(timeline.SOURCE)
    customer = make_customer()
    for at in (LONG_AGO, NOW):
        Interaction.objects.create(
            customer=customer,
            type="order_placed",
            occurred_at=at,
            properties={"amount": "42", "note": "ring twice"},
        )
    assert retention.apply(NOW)["RETENTION_INTERACTIONS_DAYS"] == 1
    assert retention.apply(NOW)["RETENTION_INTERACTIONS_DAYS"] == 0
    old, new = Interaction.objects.order_by("occurred_at")
    assert old.properties == {"amount": "42"}
    assert new.properties == {"amount": "42", "note": "ring twice"}


def test_properties_wait_for_every_subscriber(settings: Settings) -> None:
    settings.RETENTION_INTERACTIONS_DAYS = 365
    row = Interaction.objects.create(
        customer=make_customer(), type="signed_up", occurred_at=LONG_AGO, properties={"plan": "pro"}
    )
    assert retention.apply(NOW)["RETENTION_INTERACTIONS_DAYS"] == 0
    read_everything(timeline.SOURCE)
    letter = DeadLetter.objects.create(
        subscriber="fire segment triggers", position=row.pk, type=row.type, error="broken"
    )
    assert retention.apply(NOW)["RETENTION_INTERACTIONS_DAYS"] == 0
    letter.delete()
    assert retention.apply(NOW)["RETENTION_INTERACTIONS_DAYS"] == 1


def test_an_event_is_deleted_after_every_subscriber_read_it(settings: Settings) -> None:
    settings.RETENTION_EVENTS_DAYS = 30
    read_all = {"transaction": 2**40, "position": 0}
    with transaction.atomic():
        outbox.emit("told.outside")
        outbox.emit(types.ORDERS_RECORDED, data={"order_ids": []})
    MarketingEvent.objects.update(time=LONG_AGO)

    assert retention.apply(NOW)["RETENTION_EVENTS_DAYS"] == 0
    readers = feeds.subscribers(outbox.SOURCE)
    for name in (each.name for each in readers if not each.types):
        FeedCursor.objects.create(name=name, **read_all)
    assert retention.apply(NOW)["RETENTION_EVENTS_DAYS"] == 1
    assert MarketingEvent.objects.get().type == types.ORDERS_RECORDED
    for name in (each.name for each in readers):
        FeedCursor.objects.update_or_create(name=name, defaults=read_all)
    assert retention.apply(NOW)["RETENTION_EVENTS_DAYS"] == 1


def test_files_of_imports_are_deleted_after_their_days(settings: Settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path
    job = ImportJob.objects.create(kind="customers", name="people.csv", state="finished")
    job.file.save("people.csv", ContentFile(b"email\n"))
    job.rejected_file.save("rejected.csv", ContentFile(b"email\n"))
    ImportJob.objects.update(created_at=NOW - timedelta(days=60))
    settings.RETENTION_IMPORT_FILES_DAYS, settings.RETENTION_REJECTED_ROWS_DAYS = 90, 30

    retention.apply(NOW)

    job.refresh_from_db()
    assert (bool(job.file), bool(job.rejected_file)) == (True, False)
    assert [path.name for path in tmp_path.rglob("*.csv")] == ["people.csv"]
    retention.apply(NOW + timedelta(days=60))
    assert not list(tmp_path.rglob("*.csv"))


def test_rows_are_deleted_in_chunks(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.RETENTION_WAITING_DAYS = settings.RETENTION_EVENTS_DAYS = 30
    monkeypatch.setattr("crm.chunked_delete.CHUNK", 2)
    monkeypatch.setattr("crm.events.retention.CHUNK", 2)
    read_everything(outbox.SOURCE)
    for number in range(5):
        WaitingMessage.objects.create(anonymous_id=f"{number}", message={}, received_at=LONG_AGO)
        MarketingEvent.objects.create(type="loyalty.joined", time=LONG_AGO)

    with CaptureQueriesContext(connection) as queries:
        forgotten = retention.apply(NOW)

    assert forgotten["RETENTION_WAITING_DAYS"] == forgotten["RETENTION_EVENTS_DAYS"] == 5
    for table in ("customers_waitingmessage", "events_marketingevent"):
        deletes = [
            each for each in queries if "DELETE FROM" in each["sql"] and table in each["sql"]
        ]
        assert len(deletes) >= 3
