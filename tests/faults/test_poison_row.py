"""One row of a full batch breaks its worker: it alone fails, with the reason."""

from __future__ import annotations

import pytest

from customers.models import Customer
from tests.faults.processes import running, wait_until, worker
from tests.faults.runs import addresses, is_finished, launched
from tests.smtp_sink import Sink

pytestmark = [pytest.mark.fault, pytest.mark.django_db(transaction=True)]

MESSAGES = 100
FAILS_TO_RENDER = "{% if name == 'Poison' %}{{ 1 | divided_by: 0 }}{% endif %}"


def test_only_the_customer_with_failing_content_is_skipped(sink: Sink) -> None:
    run = launched(MESSAGES, body=f"<p>Hi {FAILS_TO_RENDER}</p>")
    Customer.objects.filter(email="p50@example.com").update(first_name="Poison")
    with running(worker(EMAIL_URL=sink.url)):
        wait_until(lambda: is_finished(run))

    assert addresses(run, "skipped") == {"p50@example.com"}
    assert run.executions.get(state="skipped").skip_reason == "invalid_content"
    assert len(addresses(run, "sent")) == len(sink.arrived) == MESSAGES - 1


@pytest.mark.parametrize(
    "address",
    ["p50@example.com\r\nRCPT TO:<p1@example.com>", "p50@-.example", "ü@example.com", "p50"],
)
def test_only_the_refused_address_fails(sink: Sink, address: str) -> None:
    sink.refusals[address] = "553 5.1.3 what is this"
    run = launched(MESSAGES)
    Customer.objects.filter(email="p50@example.com").update(email=address)
    with running(worker(EMAIL_URL=sink.url)):
        wait_until(lambda: is_finished(run))

    others = {f"p{number}@example.com" for number in range(MESSAGES)} - {"p50@example.com"}
    assert addresses(run, "sent") - {address} == others
    assert max(sink.recipients().values()) == 1
    assert set(sink.recipients()) - {address} == others
