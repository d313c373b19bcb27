"""A message passes few modules from "Send now" to SMTP DATA."""

from __future__ import annotations

import sys
import threading
from typing import Any

import pytest
from django.conf import settings
from django.test import Client, override_settings
from django.urls import reverse

from marketing.models import CampaignRun
from marketing.sending import turn
from tests.factories.customers import make_customer
from tests.factories.marketing import EVERYONE, make_campaign, make_sender
from tests.smtp_sink import Sink, running

ROOMS = ("admin", "campaigns", "schedule", "messages", "sending", "channels")
"""The packages of marketing on the path of a message."""
MOST_AT_LAUNCH = 11
MOST_TO_DATA = 26
MOST = 30


@pytest.mark.django_db(transaction=True)
def test_a_message_passes_few_modules(staff_client: Client) -> None:
    make_customer(email="ada@example.com")
    with running(Sink()) as sink, override_settings(OUTBOUND_ALLOW_PRIVATE=True):
        sender = make_sender(provider="smtp", settings={"url": sink.url})
        campaign = make_campaign(rules=EVERYONE, sender=sender)
        send_now = reverse("admin:marketing_campaign_send_now", args=[campaign.pk])
        at_launch = modules_entered_by(lambda: staff_client.post(send_now, {"confirmed": "yes"}))
        run = CampaignRun.objects.get()
        to_data = modules_entered_by(lambda: turn.work_on(run.pk))

    assert sink.recipients() == {"ada@example.com": 1}
    assert len(at_launch) <= MOST_AT_LAUNCH, "\n".join(sorted(at_launch))
    assert len(to_data) <= MOST_TO_DATA, "\n".join(sorted(to_data))
    assert len(at_launch | to_data) <= MOST


def modules_entered_by(work: Any) -> set[str]:
    """Return the modules with a called function, in any thread."""
    rooms = tuple(f"{settings.BASE_DIR}/marketing/{room}/" for room in ROOMS)
    found: set[str] = set()

    def look(frame: Any, event: str, _argument: Any) -> None:
        name = frame.f_code.co_filename
        if event == "call" and name.startswith(rooms) and frame.f_code.co_name != "<module>":
            found.add(name)

    threading.setprofile(look)
    sys.setprofile(look)
    try:
        work()
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    return found
