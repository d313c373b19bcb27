"""Two beats run at once: a campaign starts once, and no message is sent twice."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from customers.models import Customer
from marketing.campaigns import moves
from marketing.models import Campaign
from tests.factories.marketing import make_campaign
from tests.faults.processes import Celery, running, wait_until, worker
from tests.faults.runs import EVERYONE, assert_everyone_once
from tests.smtp_sink import Sink

pytestmark = [pytest.mark.fault, pytest.mark.django_db(transaction=True)]

MESSAGES = 200


def test_a_scheduled_campaign_starts_once(sink: Sink) -> None:
    Customer.objects.bulk_create(
        Customer(email=f"p{number}@example.com") for number in range(MESSAGES)
    )
    campaign = make_campaign(rules=EVERYONE)
    beats = [Celery("beat", "--pidfile="), Celery("beat", "--pidfile=")]
    with running(worker(beat=False, processes=2, EMAIL_URL=sink.url), *beats):
        moves.schedule_launch(campaign, at=timezone.now() + timedelta(seconds=8), by=None)
        wait_until(lambda: Campaign.objects.get(pk=campaign.pk).state == "completed")

    run = campaign.runs.get()
    assert_everyone_once(run, sink)
    assert len(sink.arrived) == MESSAGES
