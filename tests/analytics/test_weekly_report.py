"""The weekly report is e-mailed to its configured recipients."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.core import mail
from django.utils import timezone

from analytics import weekly_report
from analytics.models import CampaignMetrics
from analytics.tasks import send_weekly_report
from tests.factories.customers import make_customer, make_order
from tests.factories.marketing import make_campaign, make_run

pytestmark = pytest.mark.django_db


def _noon(days_ago: int) -> datetime:
    return timezone.localtime().replace(hour=12) - timedelta(days=days_ago)


def test_it_compares_the_week_with_the_previous_week() -> None:
    customer = make_customer()
    make_order(customer, 60, _noon(1))
    make_order(customer, 40, _noon(8))
    CampaignMetrics.objects.create(
        run=make_run(make_campaign()), hour=_noon(2), sent=200, delivered=200, opened=50
    )

    assert weekly_report.send(["head@example.com"], timezone.localdate()) == 1

    (letter,) = mail.outbox
    assert "Revenue: $60.00 (the week before $40.00, +50.0%)" in letter.body
    assert "Open rate: 25.0%" in letter.body
    html = letter.alternatives[0][0]
    assert "$60.00" in html
    assert "/admin/analytics/" in html


def test_it_excludes_simulated_messages() -> None:
    CampaignMetrics.objects.create(
        run=make_run(make_campaign(), simulated=True), hour=_noon(2), sent=200
    )

    lines = {line.name: line.now for line in weekly_report.lines(timezone.localdate())}

    assert lines["Messages sent"] == "0"


def test_no_recipients_mean_no_email(settings: pytest.FixtureRequest) -> None:
    settings.WEEKLY_REPORT_TO = []

    send_weekly_report()

    assert mail.outbox == []
