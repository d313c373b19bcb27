"""The same receipts arrive three times, in every order and at once: the message ends in the same state."""

from __future__ import annotations

import base64
import itertools
import json
import random
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pytest_django.live_server_helper import LiveServer

from crm.api import ids
from customers.models import Interaction, Suppression
from marketing.models import CampaignExecution
from tests.factories.customers import make_customer
from tests.factories.marketing import make_campaign, make_execution, make_run, make_sender

pytestmark = [pytest.mark.fault, pytest.mark.django_db(transaction=True)]

SENT = datetime(2026, 11, 5, 16, 30, tzinfo=UTC)


def told(execution: CampaignExecution) -> list[dict[str, Any]]:
    """Return Postmark's events of a message that is delivered, opened, and reported as spam."""
    common = {
        "MessageID": f"m-{execution.pk}",
        "Metadata": {"message": ids.encode("msg", execution.pk)},
        "Recipient": execution.address,
    }
    at = [(SENT + timedelta(minutes=minute)).isoformat() for minute in range(1, 4)]
    return [
        {**common, "RecordType": "Delivery", "DeliveredAt": at[0]},
        {
            **common,
            "RecordType": "Open",
            "ReceivedAt": at[1],
            "FirstOpen": True,
            "UserAgent": "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/130.0",
        },
        {
            **common,
            "RecordType": "SpamComplaint",
            "ID": execution.pk,
            "Type": "SpamComplaint",
            "TypeCode": 100001,
            "Email": execution.address,
            "BouncedAt": at[2],
        },
    ]


def test_repeated_receipts_in_any_order_give_one_state(live_server: LiveServer) -> None:
    sender = make_sender(provider="postmark")
    sender.set_setting("webhook_secret", "kindling:s3cret")
    sender.set_setting("server_token", "t")
    sender.save()
    run = make_run(make_campaign(sender=sender))
    orders = list(itertools.permutations(range(3)))
    calls = []
    for number, order in enumerate(orders):
        person = make_customer(email=f"p{number}@example.com")
        execution = make_execution(
            run, person, state="sent", attempts=1, sending_at=SENT, sent_at=SENT
        )
        bodies = told(execution)
        calls.append([bodies[place] for place in order] * 3)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda bodies: [post(live_server, body) for body in bodies], calls))
        again = [body for bodies in calls for body in bodies]
        random.shuffle(again)
        list(pool.map(lambda body: post(live_server, body), again))

    assert run.executions.count_by_state() == {"complained": len(orders)}
    for happened in ("message_delivered", "message_complained"):
        assert Interaction.objects.filter(type=happened).count() == len(orders)
    assert Suppression.objects.filter(reason="complaint").count() == len(orders)


def post(server: LiveServer, body: dict[str, Any]) -> None:
    secret = base64.b64encode(b"kindling:s3cret").decode()
    request = urllib.request.Request(
        f"{server.url}/hooks/postmark",
        json.dumps(body).encode(),
        {"Content-Type": "application/json", "Authorization": f"Basic {secret}"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.status == 200
