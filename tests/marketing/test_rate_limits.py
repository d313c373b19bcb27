"""Rate limits of a sender and pauses of its provider hold across workers."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from marketing.campaigns import moves
from marketing.models import SenderPace
from marketing.sending import turn
from marketing.sending.rate_limit import RateLimit
from tests.factories.customers import make_customer
from tests.factories.marketing import make_campaign, make_sender
from tests.smtp_sink import Sink

pytestmark = pytest.mark.django_db


def test_a_sender_without_limits_allows_any_number() -> None:
    assert RateLimit(make_sender()).places(7) == 7


def test_two_workers_share_the_rate_limit() -> None:
    sender = make_sender(per_second=10)
    first, second = RateLimit(sender), RateLimit(sender)
    assert first.places(1) == 1
    assert second.places(1) == 0
    assert 0 < second.wait() <= 0.2


def test_the_daily_limit_stops_the_run_with_a_reason(
    sink: Sink,
) -> None:
    for name in ("ada", "bob", "cyd"):
        make_customer(email=f"{name}@example.com")
    run = moves.launch(make_campaign(sender=make_sender(per_day=2)))
    while turn.work_on(run.pk):
        pass

    run.refresh_from_db()
    assert len(sink.arrived) == 2
    assert "daily limit" in run.error

    SenderPace.objects.update(day=timezone.localdate() - timedelta(days=1))
    while turn.work_on(run.pk):
        pass
    run.refresh_from_db()
    assert (len(sink.arrived), run.state, run.error) == (3, "finished", "")


def test_unused_places_do_not_count_for_the_day() -> None:
    sender = make_sender(per_day=10)
    pace = RateLimit(sender)
    assert pace.places(4) == 4
    pace.use(1)
    pace.give_back()
    assert SenderPace.objects.get().taken == 1


def test_every_worker_honours_a_provider_pause() -> None:
    sender = make_sender()
    RateLimit(sender).pause(60)
    other = RateLimit(sender)
    assert other.places(1) == 0
    assert 59 < other.wait() <= 60
    assert "requested a pause until" in other.why
